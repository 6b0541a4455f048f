import { MeshError } from '@weft/schemas/error'

/** What came is not the protocol; `message` says what was expected. */
export const malformed = (message: string): MeshError => new MeshError('invalid_request', message)
