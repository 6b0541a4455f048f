import { setTimeout as delay } from 'node:timers/promises'
import type { Consumer, EachMessagePayload, Kafka } from 'kafkajs'
import type { Log } from '../chassis/log.ts'
import { reasonOf } from '../chassis/reason.ts'

export interface ConsumerOptions {
  readonly kafka: Kafka
  readonly groupId: string
  readonly topic: string
  /** The offset is committed after it has returned; if it throws, the record comes again. */
  readonly onRecord: (payload: EachMessagePayload) => void
  readonly log: Log
}

/** A member of a consumer group that comes back from everything until it is stopped. */
export interface RunningConsumer {
  /** True while the group has given us our share. */
  readonly joined: boolean
  /** Finishes the record under way, commits, leaves the group. */
  stop(): Promise<void>
}

/**
 * The least that a broker accepts unless told otherwise (group.min.session.timeout.ms): after a `kill -9` the group
 * waits this long for the member that does not come back.
 */
const SESSION_TIMEOUT_MS = 6_000
const HEARTBEAT_INTERVAL_MS = 1_500
/** A fetch that finds nothing waits this long; a stop waits for it. */
const MAX_FETCH_WAIT_MS = 500
const MIN_BACKOFF_MS = 200
const MAX_BACKOFF_MS = 3_000

/**
 * Joins and consumes; whenever that ends by a failure, begins anew with a fresh consumer, for ever. kafkajs restarts
 * by itself only on what it holds to be temporary; a refusal (the policy was changed, and is changed back) or a broker that
 * stays away longer than its retries end it. So its restart is switched off, and there is one way back for all of them.
 */
export function startConsumer(options: ConsumerOptions): RunningConsumer {
  const { log, groupId, topic } = options
  const stopping = new AbortController()
  let joined = false

  const life = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const consumer = options.kafka.consumer({
        groupId,
        sessionTimeout: SESSION_TIMEOUT_MS,
        rebalanceTimeout: 2 * SESSION_TIMEOUT_MS,
        heartbeatInterval: HEARTBEAT_INTERVAL_MS,
        maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
        allowAutoTopicCreation: false,
        retry: {
          initialRetryTime: 100,
          maxRetryTime: 1_000,
          retries: 4,
          restartOnFailure: async () => false,
        },
      })
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        joined = true
        failures = 0
        log.info({ groupId, assignment: payload.memberAssignment }, 'joined the consumer group')
      })
      const failure = await untilEnded(consumer, options, stopping.signal)
      joined = false
      await leave(consumer, log)
      if (stopping.signal.aborted) return
      const waitMs = Math.min(MIN_BACKOFF_MS * 2 ** failures, MAX_BACKOFF_MS)
      log.warn({ groupId, topic, reason: failure, waitMs }, 'consuming failed; will begin anew')
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const ended = life()
  return {
    get joined() {
      return joined
    },
    async stop() {
      stopping.abort()
      await ended
    },
  }
}

/** Consumes until it fails (the reason) or the signal says so (undefined). Never rejects. */
function untilEnded(
  consumer: Consumer,
  { topic, onRecord }: ConsumerOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const onAbort = () => resolve(undefined)
  signal.addEventListener('abort', onAbort)
  consumer.on(consumer.events.CRASH, ({ payload }) => resolve(reasonOf(payload.error)))
  const begin = async (): Promise<void> => {
    await consumer.connect()
    // A new group starts at the earliest record: an order that was placed before billing first ran is paid too.
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ eachMessage: async (payload) => onRecord(payload) })
  }
  begin().catch((error: unknown) => resolve(reasonOf(error)))
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}

/** A consumer that failed may fail to leave as well; the session timeout leaves for it. */
async function leave(consumer: Consumer, log: Log): Promise<void> {
  await consumer
    .disconnect()
    .catch((error: unknown) => log.debug({ reason: reasonOf(error) }, 'leaving the group'))
}
