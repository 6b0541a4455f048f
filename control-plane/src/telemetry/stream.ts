/**
 * The live stream of the dashboard: server-sent events to any number of pages, up to a bound. A page that reads
 * too slowly is cut off, not waited for: its browser connects again, and the first events tell it the state anew.
 */
import type { ServerResponse } from 'node:http'

export interface StreamHub {
  /** Takes over an answer whose head is not yet written. False, and nothing done, where there are too many. */
  open(response: ServerResponse): boolean
  /** To every page that is connected; `data` is JSON. */
  send(event: string, data: string): void
  close(): void
  readonly size: number
}

export interface StreamOptions {
  /** What a page is told first. */
  readonly greeting: () => readonly (readonly [event: string, data: string])[]
  /** Runs when the first page comes and when the last one goes. */
  readonly onBusy: (busy: boolean) => void
  readonly maxClients?: number
  readonly maxBufferedBytes?: number
}

const MAX_CLIENTS = 64
/** A few graphs: a page that is further behind has stopped reading. */
const MAX_BUFFERED_BYTES = 1024 * 1024
/** The browser's pause before it connects again. */
const RETRY_MS = 1000

export function createStreamHub(options: StreamOptions): StreamHub {
  const { maxClients = MAX_CLIENTS, maxBufferedBytes = MAX_BUFFERED_BYTES } = options
  const clients = new Set<ServerResponse>()
  let nextId = 1

  const write = (client: ServerResponse, text: string): void => {
    if (client.writableLength + text.length > maxBufferedBytes) client.destroy()
    else client.write(text)
  }
  const frame = (event: string, data: string): string => `id: ${nextId++}\nevent: ${event}\ndata: ${data}\n\n`

  return {
    open: (response) => {
      if (clients.size >= maxClients) return false
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      clients.add(response)
      response.once('close', () => {
        clients.delete(response)
        if (clients.size === 0) options.onBusy(false)
      })
      write(response, `retry: ${RETRY_MS}\n\n`)
      for (const [event, data] of options.greeting()) write(response, frame(event, data))
      if (clients.size === 1) options.onBusy(true)
      return true
    },
    send: (event, data) => {
      const text = frame(event, data)
      for (const client of clients) write(client, text)
    },
    close: () => {
      for (const client of clients) client.end()
    },
    get size() {
      return clients.size
    },
  }
}
