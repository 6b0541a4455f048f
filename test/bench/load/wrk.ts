/** wrk: closed loop, as fast as the other side answers. */
import type { Door } from '../contestant.ts'
import { runLoad } from '../pinned-process.ts'

export interface WrkOptions {
  readonly door: Door
  readonly path: string
  readonly connections: number
  readonly seconds: number
  /** A Lua script that shapes the requests. */
  readonly script?: string
}

export interface Throughput {
  readonly perSecond: number
  readonly requests: number
  /** Answers other than 2xx and 3xx, and connections that failed. */
  readonly errors: number
}

export async function wrk({ door, path, connections, seconds, script }: WrkOptions): Promise<Throughput> {
  const text = await runLoad(
    [
      ...['wrk', '-t1', `-c${connections}`, `-d${seconds}s`],
      ...(door.host === undefined ? [] : ['-H', `Host: ${door.host}`]),
      ...(script === undefined ? [] : ['-s', script]),
      `http://127.0.0.1:${door.port}${path}`,
    ],
    seconds,
  )
  const socketErrors = /Socket errors: (.*)/.exec(text)?.[1]?.match(/\d+/g) ?? []
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0
  return {
    perSecond: numberIn(text, /Requests\/sec:\s+([\d.]+)/),
    requests: numberIn(text, /(\d+) requests in/),
    errors: [...socketErrors, refused].reduce<number>((total, count) => total + Number(count), 0),
  }
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`expected ${pattern.source} in what wrk wrote:\n${text}`)
  return Number(found)
}
