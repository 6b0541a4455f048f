/** What stands behind the contestants of a suite. */

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '@weft/control-plane/cli/broker'
import { choosePort } from '@weft/control-plane/cli/free-port'
import { Kafka, logLevel } from 'kafkajs'
import { makeTopics } from '../../process/topics.ts'
import type { Backend } from '../contestant.ts'
import { APP_CORE, onCore } from '../cores.ts'
import { endWithBench, startProcess } from '../pinned-process.ts'

/** An app of ours, which listens on PORT. */
export async function startApp(program: string): Promise<Backend> {
  const port = await choosePort()
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', program]
  const app = await startProcess(command, { core: APP_CORE, port, env: { PORT: String(port) } })
  return { port, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() }
}

export const TOPIC = 'bench'

/** A real broker with one topic of one partition, which keeps what one contestant writes and not much more. */
export async function startKafka(): Promise<Backend> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-bench-kafka-'))
  const [port, controllerPort] = [await choosePort(), await choosePort()]
  const detour = { port: await choosePort(), advertisedPort: await choosePort() }
  const at = (name: string, listening: number): string => `${name}://127.0.0.1:${listening}`
  const listeners = `${at('CLIENT', port)},${at('DETOUR', detour.port)}`
  const broker = await startBroker({
    dataDir,
    port,
    properties: {
      'log.retention.check.interval.ms': '5000',
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      'listener.security.protocol.map': 'CLIENT:PLAINTEXT,DETOUR:PLAINTEXT,CONTROLLER:PLAINTEXT',
      listeners: `${listeners},${at('CONTROLLER', controllerPort)}`,
      'advertised.listeners': `${at('CLIENT', port)},${at('DETOUR', detour.advertisedPort)}`,
    },
    onProgress: (line) => process.stderr.write(`${line}\n`),
    spawn(command, words) {
      const [file, ...rest] = onCore(APP_CORE, [command, ...words])
      const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
      endWithBench(child)
      return child
    },
  })
  await makeTopic(broker.bootstrapServers)
  return {
    port,
    detour,
    async [Symbol.asyncDispose]() {
      await broker.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function makeTopic(brokers: readonly string[]): Promise<void> {
  const kafka = new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = Object.entries(KEEP_LITTLE).map(([name, value]) => ({ name, value }))
  await makeTopics(admin, [{ topic: TOPIC, numPartitions: 1, configEntries }])
  await admin.disconnect()
}

const KEEP_LITTLE = { 'retention.bytes': String(2 ** 29), 'segment.bytes': String(2 ** 26) }
