/** Runs command lines inside the test process, with streams of its own. */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { screen } from './io.ts'
import { main } from './main.ts'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface Around {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** One command line to its end. */
export async function weft(
  args: readonly string[],
  { cwd = '/', env = {}, stdin = '' }: Around = {},
): Promise<Outcome> {
  const written = { stdout: '', stderr: '' }
  const into = (name: 'stdout' | 'stderr') =>
    screen(
      {
        write: (text: string) => {
          written[name] += text
        },
      },
      false,
    )
  const code = await main(args, {
    out: into('stdout'),
    err: into('stderr'),
    stdin: Readable.from([stdin]),
    env,
    cwd,
  })
  return { code, ...written }
}

/** A folder that is gone after the test. */
export async function temporaryFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-cli-unit-'))
  test.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Answer {
  readonly status?: number
  readonly body?: unknown
}

export interface Asked {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly body: string
}

/** A server that answers what the test says, for answers that a well control plane does not give; and what it was asked. */
export async function startAnswering(
  test: TestContext,
  answer: (asked: Asked) => Answer | ((response: ServerResponse) => void),
): Promise<{ readonly url: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, url, authorization: headers.authorization, body: Buffer.concat(parts).toString() }
      asked.push(one)
      const answered = answer(one)
      if (typeof answered === 'function') return answered(response)
      response.writeHead(answered.status ?? 200, { 'content-type': 'application/json' })
      response.end(typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body ?? {}))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no port was bound')
  return { url: `http://127.0.0.1:${bound.port}`, asked }
}
