/** An app that writes down what is delivered to it, for tests of a whole mesh; and what it has written. */
import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'

/**
 * For a file of the project. Answers 204 after 20 ms; with REFUSES in its environment 422, or what REFUSES_WITH says, to what holds that text, as long as there is no file `fixed`.
 * NAME tells several apps apart.
 */
export const RECEIVER = `import { createServer } from 'node:http'
import { appendFileSync, existsSync } from 'node:fs'
const { NAME = 'app', REFUSES, REFUSES_WITH = '422', PORT } = process.env
const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const { method, url, headers } = request
    if (method !== 'POST') return response.end()
    const body = Buffer.concat(chunks)
    const status = REFUSES !== undefined && body.includes(REFUSES) && !existsSync('fixed') ? Number(REFUSES_WITH) : 204
    appendFileSync(NAME + '.jsonl', JSON.stringify({ url, headers, status, body: body.toString('base64') }) + '\\n')
    setTimeout(() => response.writeHead(status).end(), 20)
  })
})
server.listen(Number(PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
`

export interface Received {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** That it was answered with. */
  readonly status: number
  readonly body: Buffer
}

/** In the order in which it came. */
export async function received(folder: string, name = 'app'): Promise<readonly Received[]> {
  const text = await readFile(join(folder, `${name}.jsonl`), 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { body, ...rest } = JSON.parse(line) as Omit<Received, 'body'> & { readonly body: string }
      return { ...rest, body: Buffer.from(body, 'base64') }
    })
}
