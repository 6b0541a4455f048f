/** Kafka's own client as load: programs/KafkaLoad.java. */
import { join } from 'node:path'
import { kafkaJars } from '@weft/control-plane/cli/kafka-jars'
import { runLoad } from '../pinned-process.ts'
import type { Latency } from './fortio.ts'
import type { Throughput } from './wrk.ts'

const PROGRAM = join(import.meta.dirname, '../programs/KafkaLoad.java')

export const produce = (bootstrap: string, topic: string, records: number): Promise<Throughput> =>
  load<Throughput>(['produce', bootstrap, topic, String(records)])

/** Reads the newest records of partition 0. */
export const consume = (bootstrap: string, topic: string, records: number): Promise<Throughput> =>
  load<Throughput>(['consume', bootstrap, topic, String(records)])

export interface ProduceRate {
  readonly topic: string
  readonly ratePerSecond: number
  readonly seconds: number
}

/** Time from the moment that a record was due until all replicas had it. */
export const produceAtRate = (
  bootstrap: string,
  { topic, ratePerSecond, seconds }: ProduceRate,
): Promise<Latency> => load<Latency>(['rate', bootstrap, topic, String(ratePerSecond), String(seconds)])

const LOAD_SECONDS = 120

async function load<T>(words: readonly string[]): Promise<T> {
  const jars = await kafkaJars((line) => process.stderr.write(`${line}\n`))
  const java = ['java', '-Xmx256m', '-XX:+UseSerialGC', '-cp', `${jars}/*`, PROGRAM]
  const text = await runLoad([...java, ...words], LOAD_SECONDS)
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as T
}
