/** A Kafka client through a proxy: CPU for each record that is produced and consumed, delay at a fixed rate. */
import { measured } from '../accounting.ts'
import type { Running } from '../contestant.ts'
import { consume, produce, produceAtRate } from '../load/kafka-load.ts'
import { direct } from '../peers/direct.ts'
import { envoyTcp } from '../peers/envoy-tcp.ts'
import { kroxylicious } from '../peers/kroxylicious.ts'
import { weftUntraced, weftWireProxy } from '../peers/weft.ts'
import { startKafka, TOPIC } from './backend.ts'
import type { Figures, Suite } from './suite.ts'

const RECORDS = 400_000
const WARM_UP_RECORDS = 400_000
const RATE_PER_SECOND = 1_000

export const kafka: Suite = {
  what: `${RECORDS} records of 1 KiB, acks=all, by Kafka's own client; each is produced once and consumed once. The broker's core is the limit, so compare CPU; delays of produce at 1,000 records/s`,
  startBackend: startKafka,
  entries: [direct, envoyTcp, kroxylicious, weftUntraced, weftWireProxy],
  baseline: 'envoy-tcp',
  async tools() {},
  async measure({ door, pids }: Running, seconds: number): Promise<Figures> {
    const bootstrap = `127.0.0.1:${door.port}`
    await produce(bootstrap, TOPIC, WARM_UP_RECORDS)
    await consume(bootstrap, TOPIC, WARM_UP_RECORDS)
    const produced = await measured(pids, () => produce(bootstrap, TOPIC, RECORDS))
    const consumed = await measured(pids, () => consume(bootstrap, TOPIC, RECORDS))
    const delay = await measured(pids, () =>
      produceAtRate(bootstrap, { topic: TOPIC, ratePerSecond: RATE_PER_SECOND, seconds }),
    )
    return {
      perSecond: produced.perSecond,
      cpuMicros: produced.cpuMicros + consumed.cpuMicros,
      p50Ms: delay.p50Ms,
      p99Ms: delay.p99Ms,
      rssMiB: delay.rssMiB,
      errors: produced.errors + delay.errors,
      foreignPercent: Math.max(produced.foreignPercent, consumed.foreignPercent, delay.foreignPercent),
    }
  },
}
