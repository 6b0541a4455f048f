import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { WebSocketServer } from 'ws'
import { bodyOf, startPair } from './pair.test-support.ts'

const run = promisify(execFile)

/** Runs a script in a Node whose only hint of the mesh is its environment; what it prints. */
async function inApp(outboundPort: number, script: string): Promise<string> {
  const proxy = `http://127.0.0.1:${outboundPort}`
  const env = {
    ...process.env,
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    NO_PROXY: '127.0.0.1,localhost',
  }
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env })
  return stdout
}

describe('an app that knows of the mesh by HTTP_PROXY only', () => {
  it('reaches a service by fetch, which asks for a tunnel', async () => {
    await using pair = await startPair({
      app: (sent, answer) =>
        void bodyOf(sent).then((body) => answer.end(`${sent.method} ${sent.url} ${body}`)),
    })

    const printed = await inApp(
      pair.outbound.port,
      `for (const n of [1, 2]) {
         const answer = await fetch('http://server/a?b=' + n, { method: 'POST', body: 'x' })
         console.log(answer.status, await answer.text())
       }`,
    )

    assert.equal(printed, '200 POST /a?b=1 x\n200 POST /a?b=2 x\n')
  })

  it('reaches it by http.request, which sends absolute forms', async () => {
    await using pair = await startPair({ app: (sent, answer) => answer.end(sent.url) })

    const printed = await inApp(
      pair.outbound.port,
      `import { get } from 'node:http'
       get('http://server.default/path', (answer) => answer.pipe(process.stdout))`,
    )

    assert.equal(printed, '/path')
  })

  it('reaches it by the WebSocket that Node has', async () => {
    const app = createServer()
    new WebSocketServer({ server: app }).on('connection', (socket) =>
      socket.on('message', (data) => socket.send(data, { binary: false })),
    )
    await using pair = await startPair({ app })

    const printed = await inApp(
      pair.outbound.port,
      `const socket = new WebSocket('ws://server/chat')
       socket.onopen = () => socket.send('hello')
       socket.onmessage = ({ data }) => { console.log(data); socket.close() }
       socket.onerror = ({ message }) => console.log('failed', message)`,
    )

    assert.equal(printed, 'hello\n')
  })

  it('gets an error from fetch at once where the host is unknown', async () => {
    await using pair = await startPair()

    const printed = await inApp(
      pair.outbound.port,
      `await fetch('http://nobody/').catch((error) => console.log(error.message))`,
    )

    assert.equal(printed, 'fetch failed\n')
  })
})
