/** What Weft writes into the headers of records that it keeps for later, and reads back: the sidecar and the control plane both do. */

/** Before each header that says why a record is in a dead-letter topic. */
export const DEAD_LETTER_HEADERS = 'weft-dlt-'
/** Before each header of a record that waits for another attempt, or says that there will be none. */
export const RETRY_HEADERS = 'weft-retry-'
