import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { choosePort } from '@weft/control-plane/cli/free-port'
import { stringify } from 'yaml'
import type { Contestant } from '../contestant.ts'
import { kroxyliciousJars } from '../tools/index.ts'
import { startSingle } from './single.ts'

const PROGRAM = join(import.meta.dirname, '../programs/Kroxylicious.java')

/** A Kafka proxy that reads the protocol, as Weft's does, without filters. */
export async function kroxylicious(): Promise<Contestant> {
  const jars = await kroxyliciousJars()
  return {
    name: 'kroxylicious',
    about: 'Kroxylicious 0.12 without filters',
    async start(broker) {
      const port = await choosePort()
      const folder = await mkdtemp(join(tmpdir(), 'weft-bench-kroxylicious-'))
      await using stack = new AsyncDisposableStack()
      stack.defer(() => rm(folder, { recursive: true }))
      const file = join(folder, 'proxy.yaml')
      await writeFile(file, stringify(configOf(port, broker.port)))
      const heap = ['-Xms256m', '-Xmx512m']
      const single = await startSingle(['java', ...heap, '-cp', `${jars}/*`, PROGRAM, file], port)
      stack.use(single)
      const running = stack.move()
      return { ...single, [Symbol.asyncDispose]: () => running.disposeAsync() }
    },
  }
}

const configOf = (port: number, brokerPort: number): object => ({
  virtualClusters: [
    {
      name: 'bench',
      targetCluster: { bootstrapServers: `127.0.0.1:${brokerPort}` },
      gateways: [
        {
          name: 'default',
          portIdentifiesNode: {
            bootstrapAddress: `127.0.0.1:${port}`,
            // The one broker's id; its port is the next one.
            nodeIdRanges: [{ name: 'all', start: 1, end: 2 }],
          },
        },
      ],
    },
  ],
})
