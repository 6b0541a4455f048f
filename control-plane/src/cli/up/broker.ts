import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serverProperties } from './broker-properties.ts'
import { choosePort } from './free-port.ts'
import { commandWorks, kafkaJars } from './kafka-jars.ts'

/** PEM texts that the broker proves itself with and checks its clients against. */
export interface BrokerTls {
  readonly certificatePem: string
  readonly privateKeyPem: string
  readonly trustBundlePem: string
}

export interface BrokerOptions {
  /** The broker's own folder: log segments, settings. Kept between starts. */
  readonly dataDir: string
  /** Port of the client listener; any free one where absent. */
  readonly port?: number
  /** mTLS on the client listener: clients without a certificate of the bundle are refused. Absent: plain text. */
  readonly tls?: BrokerTls
  /** More lines of server.properties. */
  readonly properties?: Readonly<Record<string, string>>
  /** Each line that the broker logs. */
  readonly onLog?: (line: string) => void
  readonly onProgress?: (line: string) => void
  /** Starts the process; `child_process.spawn` unless the caller wants its children tethered. */
  readonly spawn?: (command: string, args: readonly string[]) => ChildProcess
}

export interface Broker {
  readonly bootstrapServers: readonly string[]
  readonly port: number
  readonly process: ChildProcess
  /** SIGTERM, then SIGKILL after the deadline; resolves when the process is gone. The data folder stays. */
  stop(deadlineMs?: number): Promise<void>
}

/** Cold JVM on two busy cores: 2 to 5 s are usual. */
const START_DEADLINE_MS = 90_000
const STOP_DEADLINE_MS = 15_000

export class NoBrokerError extends Error {}

/**
 * Starts one real Apache Kafka node (KRaft: broker and controller in one) and resolves when it serves.
 * Java and Maven are used where they are there, a Docker engine otherwise; without either it throws a
 * NoBrokerError that names the three ways to get one. Starting again on the same folder continues its log.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const port = options.port ?? (await choosePort())
  await mkdir(options.dataDir, { recursive: true })
  const start =
    (await commandWorks('java', '-version')) && (await commandWorks('mvn', '--version'))
      ? startJava
      : startDocker
  const child = await start(options, port, await choosePort())
  try {
    await untilServing(child, options.onLog)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    bootstrapServers: [`127.0.0.1:${port}`],
    port,
    process: child,
    stop: (deadlineMs = STOP_DEADLINE_MS) => stopProcess(child, deadlineMs),
  }
}

type Start = (options: BrokerOptions, port: number, controllerPort: number) => Promise<ChildProcess>

const startJava: Start = async (options, port, controllerPort) => {
  const jars = await kafkaJars(options.onProgress ?? (() => {}))
  const settings = join(options.dataDir, 'server.properties')
  const logDir = join(options.dataDir, 'log')
  await writeFile(settings, serverProperties(options, { host: '127.0.0.1', port, controllerPort, logDir }), {
    mode: 0o600,
  })
  const run =
    options.spawn ?? ((command, args) => spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }))

  if (!existsSync(join(logDir, 'meta.properties'))) {
    const format = run('java', [
      '-cp',
      `${jars}/*`,
      '-Xmx256m',
      'kafka.tools.StorageTool',
      'format',
      '-t',
      CLUSTER_ID,
      '-c',
      settings,
    ])
    const output = collect(format)
    const [code] = (await once(format, 'close')) as [number | null]
    if (code !== 0) throw new Error(`Kafka's storage could not be formatted (exit ${code}):\n${output()}`)
  }
  return run('java', [
    ...['-cp', `${jars}/*`, '-Xmx512m', '-XX:+ExitOnOutOfMemoryError'],
    `-Dlog4j2.configurationFile=${LOG_SETTINGS}`,
    ...['kafka.Kafka', settings],
  ])
}

const IMAGE = 'apache/kafka:4.3.0'

const startDocker: Start = async (options, port, controllerPort) => {
  if (!(await commandWorks('docker', 'info'))) {
    throw new NoBrokerError(
      'No Kafka broker. Three ways to get one:\n' +
        '  1. set KAFKA_BROKERS=host:port to use a broker that runs already\n' +
        '  2. install Java 17 or newer and Maven: Weft then starts a real Kafka by itself\n' +
        `  3. start a Docker engine: Weft then starts ${IMAGE}`,
    )
  }
  const settings = join(options.dataDir, 'server.properties')
  const place = { host: '0.0.0.0', port, controllerPort, logDir: '/var/lib/kafka/data' }
  await writeFile(settings, serverProperties(options, place), { mode: 0o644 })
  const run =
    options.spawn ?? ((command, args) => spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
  return run('docker', [
    ...['run', '--rm', '--publish', `127.0.0.1:${port}:${port}`],
    ...[
      '--volume',
      `${settings}:/mnt/shared/config/server.properties:ro`,
      '--env',
      `CLUSTER_ID=${CLUSTER_ID}`,
    ],
    IMAGE,
  ])
}

/** Any 16 bytes in base64url do: the cluster has one member and its own folder. */
const CLUSTER_ID = 'd2VmdC1sb2NhbC1tZXNoMQ'
const LOG_SETTINGS = join(import.meta.dirname, '../../../../deploy/kafka/log4j2.properties')

/** The broker opens its listener early and answers late: its own word that it has started is what counts. */
function untilServing(child: ChildProcess, onLog: ((line: string) => void) | undefined): Promise<void> {
  const output = collect(child)
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`Kafka did not start: ${why}\n${output()}`))
    const timer = setTimeout(() => fail(`not ready after ${START_DEADLINE_MS / 1000} s`), START_DEADLINE_MS)
    child.once('error', (error) => fail(error.message))
    child.once('close', (code) => {
      clearTimeout(timer)
      fail(`exit ${code}`)
    })
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ''
      stream?.on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          onLog?.(line)
          if (!line.includes('Kafka Server started')) continue
          clearTimeout(timer)
          resolve()
        }
      })
    }
  })
}

/** The last 4,000 characters that a process wrote, for the error that quotes them. */
function collect(child: ChildProcess): () => string {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4000)
    })
  }
  return () => output.trim()
}

async function stopProcess(child: ChildProcess, deadlineMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
  await gone
  clearTimeout(timer)
}
