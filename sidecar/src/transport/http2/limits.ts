/** What one HTTP/2 connection may cost. The defaults are those of the common servers, where they agree. */
import type { Http1Limits } from '../http1/limits.ts'
import { DEFAULT_FRAME_BYTES } from './protocol.ts'

/** Requests at once on one connection; the other side opens another one beyond. Between nginx (128) and Go (250). */
export const MAX_CONCURRENT_STREAMS = 250
/** Bytes of one stream that may be on their way: a body of the common sizes goes out without waiting for credit. */
export const STREAM_WINDOW_BYTES = 1024 * 1024
/** The same for all streams of a connection together: all callers of a service share one, and must not wait for each other. */
export const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
/** Bytes for streams that are paused: above it the connection is not credited, so that slow readers cost this much at most. */
export const MAX_HELD_BYTES = 4 * 1024 * 1024
/** A header block as it comes, compressed; what it becomes is limited by `maxHeadBytes`. */
export const MAX_BLOCK_BYTES = 64 * 1024
/** Four full frames hold the largest block: more frames than that are there to be many. */
export const MAX_CONTINUATIONS = 8
/** Frames that we take; the default of the specification. */
export const MAX_RECEIVED_FRAME_BYTES = DEFAULT_FRAME_BYTES
/** The same words as for HTTP/1.1: one set of limits holds for a listener, whatever is spoken on it. */
export type Http2Limits = Http1Limits
