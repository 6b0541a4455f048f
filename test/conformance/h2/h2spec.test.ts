/** The HTTP/2 conformance tests of summerwind/h2spec, strict, against the mTLS listener of the inbound path. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { it } from 'node:test'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { type Pair, startPair } from '../../../sidecar/src/outbound/pair.test-support.ts'
import { goProgram } from '../go-program.ts'

const run = promisify(execFile)

/** h2spec has no client certificate: it speaks through this, byte for byte. */
async function mtlsBridge(pair: Pair): Promise<Server> {
  const { certificateChainPem, privateKeyPem, trustBundlePem } = pair.clientIdentity.current()
  const bridge = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({
      port: pair.inbound.port,
      host: '127.0.0.1',
      ALPNProtocols: ['h2'],
      cert: certificateChainPem,
      key: privateKeyPem,
      ca: trustBundlePem,
      checkServerIdentity: () => undefined,
    })
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  bridge.listen(0, '127.0.0.1')
  await once(bridge, 'listening')
  return bridge
}

it('the inbound listener passes all of h2spec, strict', async (test) => {
  const h2spec = await goProgram('github.com/summerwind/h2spec/cmd/h2spec', 'v2.2.1+incompatible')
  if ('missing' in h2spec) return test.skip(h2spec.missing)
  await using pair = await startPair({
    app: (sent, answer) =>
      void sent.resume().on('end', () => answer.end('a body that fills more than one window of one byte')),
  })
  const bridge = await mtlsBridge(pair)
  const { port } = bridge.address() as AddressInfo

  const { stdout } = await run(h2spec.path, ['-h', '127.0.0.1', '-p', String(port), '--strict', '-o', '10'], {
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: unknown) => error as { stdout: string })
  bridge.close()

  assert.match(stdout, /146 tests, 146 passed, 0 skipped, 0 failed/, stdout.slice(-4000))
})
