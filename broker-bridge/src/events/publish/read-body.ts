import type { IncomingMessage } from 'node:http'
import { MeshError } from '@weft/schemas/error'
import type { ByteBudget } from './byte-budget.ts'

export interface BodyLimits {
  readonly topic: string
  readonly maxBytes: number
  readonly budget: ByteBudget
}

/** A body and the share of the budget that it holds until `release` is called. */
export interface Body {
  readonly bytes: Buffer
  release(): void
}

/**
 * Reads a body into memory, never more of it than the limit and the budget allow: a declared length is judged before the
 * first byte is read. The rest of a refused body is read and dropped, so that the caller gets to its answer. Throws MeshError `event_too_large`, `overloaded`, or `cancelled` when the caller goes away.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Body> {
  const { topic, maxBytes, budget } = limits
  let held = 0
  const hold = (bytes: number) => {
    if (held + bytes > maxBytes)
      throw new MeshError(
        'event_too_large',
        `topic ${topic} takes records up to ${maxBytes} bytes, the event is larger`,
        { target: topic },
      )
    if (!budget.take(bytes))
      throw new MeshError(
        'overloaded',
        'too many bytes of events are in flight; nothing of this one was accepted',
      )
    held += bytes
  }
  const release = () => {
    budget.give(held)
    held = 0
  }
  try {
    const declared = Number(request.headers['content-length'] ?? 0)
    hold(declared)
    const chunks: Buffer[] = []
    let length = 0
    // Leaving the loop must not destroy the socket: an answer is still to be written to it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > held) hold(length - held)
      chunks.push(chunk)
    }
    return {
      bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks),
      release,
    }
  } catch (error) {
    release()
    request.resume()
    if (error instanceof MeshError) throw error
    throw new MeshError('cancelled', 'the caller went away before the whole event had come', { cause: error })
  }
}
