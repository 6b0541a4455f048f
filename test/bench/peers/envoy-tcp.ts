import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Contestant, Missing } from '../contestant.ts'
import { envoyProgram } from '../tools/index.ts'
import { tcpProxyConfig } from './envoy-config.ts'
import { startSingle } from './single.ts'

/** Kafka as a mesh has it today: bytes. */
export async function envoyTcp(): Promise<Contestant> {
  const program = await envoyProgram()
  return {
    name: 'envoy-tcp',
    about: 'Envoy 1.40 with tcp_proxy: knows nothing of Kafka',
    async start({ detour }) {
      if (detour === undefined) throw new Missing('envoy-tcp: expected a broker with a second listener')
      const folder = await mkdtemp(join(tmpdir(), 'weft-bench-envoy-'))
      const file = join(folder, 'tcp.json')
      await writeFile(file, JSON.stringify(tcpProxyConfig(detour.advertisedPort, detour.port)))
      const words = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error']
      try {
        return await startSingle([program, ...words], detour.advertisedPort)
      } finally {
        // Read at the start, and never again.
        await rm(folder, { recursive: true })
      }
    },
  }
}
