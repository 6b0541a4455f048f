/** The interoperability tests of gRPC (client and server of grpc-go) through a pair of sidecars. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Pair, serviceOf, startPair } from '../../../sidecar/src/outbound/pair.test-support.ts'
import { goProgram } from '../go-program.ts'

const run = promisify(execFile)
const VERSION = 'v1.85.0'

/** All that need no credentials of a cloud, but for pick_first_unary and orca_*: those fail without anything between the two programs too. */
const TEST_CASES = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'status_code_and_message',
  'special_status_message',
  'custom_metadata',
  'unimplemented_method',
  'unimplemented_service',
] as const
/** For programs on a machine that is busy. */
const PATIENCE_MS = 60_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when somebody listens. */
async function listening(port: number, deadline = Date.now() + PATIENCE_MS): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const isThere = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  socket.destroy()
  if (isThere) return
  if (Date.now() > deadline) throw new Error(`expected a server on port ${port}`)
  await listening(port, deadline)
}

/** The authority of a gRPC client is the address that it dials: here that of the sidecar stands for the service. */
function answerTo(pair: Pair, host: string): void {
  pair.outboundSnapshots.change({ services: [{ ...serviceOf([pair.endpoint]), hosts: [host] }] })
}

describe('gRPC through two sidecars', async () => {
  const [client, server] = await Promise.all([
    goProgram('google.golang.org/grpc/interop/client', VERSION),
    goProgram('google.golang.org/grpc/interop/server', VERSION),
  ])

  it('passes the interoperability tests', async (test) => {
    if ('missing' in client) return test.skip(client.missing)
    if ('missing' in server) return test.skip(server.missing)
    const appPort = await freePort()
    const app = spawn(server.path, [`-port=${appPort}`], { stdio: 'ignore' })
    try {
      await listening(appPort)
      await using pair = await startPair({ inboundAppPort: appPort })
      answerTo(pair, `127.0.0.1:${pair.outbound.port}`)
      for (const testCase of TEST_CASES)
        await test.test(testCase, async () => {
          const address = ['-server_host=127.0.0.1', `-server_port=${pair.outbound.port}`]
          const { stderr } = await run(client.path, [...address, `-test_case=${testCase}`], {
            timeout: PATIENCE_MS,
            env: { GRPC_GO_LOG_SEVERITY_LEVEL: 'info' },
          })
          assert.match(stderr, /done|passed|success/i)
        })
    } finally {
      app.kill()
      await once(app, 'exit')
    }
  })
})
