import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Answer } from './classify.ts'

export interface Post {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly timeoutMs: number
}

/** Nobody reads the app's answer; a short one is taken off the connection so that it can be used again. */
const MAX_ANSWER_BYTES = 65_536
/** Nobody was reached: the connection was never made. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])

/** Posts to the local app over connections that are kept; never rejects. */
export class AppClient {
  readonly #agent = new Agent({ keepAlive: true, scheduling: 'lifo' })

  async post(post: Post, signal: AbortSignal): Promise<Answer> {
    if (signal.aborted) return { kind: 'aborted' }
    try {
      return await this.#send(post, signal)
    } catch (error) {
      // A path that is no request target, for one.
      return { kind: 'broken', message: error instanceof Error ? error.message : String(error) }
    }
  }

  #send(post: Post, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve) => {
      const again = () => resolve(this.post(post, signal))
      const outgoing = request({
        host: '127.0.0.1',
        port: post.port,
        method: 'POST',
        path: post.path,
        headers: { ...post.headers, 'content-length': String(post.body.length) },
        agent: this.#agent,
      })
      let answered = false
      const settle = (answer: Answer) => {
        if (answered) return
        answered = true
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        resolve(answer)
      }
      const onAbort = () => {
        settle({ kind: 'aborted' })
        outgoing.destroy()
      }
      const timer = setTimeout(() => {
        settle({ kind: 'timeout', message: `the app did not answer within ${post.timeoutMs} ms` })
        outgoing.destroy()
      }, post.timeoutMs)
      signal.addEventListener('abort', onAbort, { once: true })
      outgoing.once('response', (incoming) => {
        settle({
          kind: 'status',
          status: incoming.statusCode ?? 0,
          retryAfter: incoming.headers['retry-after'],
          action: actionOf(incoming),
        })
        discard(incoming)
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The app closed a kept connection while this request was on its way to it: a new one decides.
        if (!answered && isStale(outgoing, error)) {
          answered = true
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          again()
        } else
          settle({ kind: NOT_CONNECTED.has(error.code ?? '') ? 'refused' : 'broken', message: error.message })
      })
      outgoing.end(post.body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

const isStale = (outgoing: ClientRequest, error: NodeJS.ErrnoException): boolean =>
  outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')

function actionOf({ headers }: IncomingMessage): string | undefined {
  const value = headers['weft-action']
  return Array.isArray(value) ? value.join(', ') : value
}

function discard(incoming: IncomingMessage): void {
  let bytes = 0
  incoming.on('error', () => {})
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) incoming.destroy()
  })
}
