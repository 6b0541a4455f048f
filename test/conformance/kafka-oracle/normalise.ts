/** What two answers to the same request may differ in. */

/** Told anew in every answer, or a matter of where the client is: throttling, addresses, generated ids, the clock. */
const OWN = new Set([
  'throttleTimeMs',
  'host',
  'port',
  'brokers',
  'coordinators.host',
  'clientHost',
  'memberId',
  'memberEpoch',
  'producerId',
  'producerEpoch',
  'clientInstanceId',
  'subscriptionId',
  'lastFetchTimestamp',
  'lastCaughtUpTimestamp',
  'logEndOffset',
  'highWatermark',
  'baseOffset',
  'lastStableOffset',
  'records',
  'lastTimestamp',
  'transactionStartTimeMs',
  'usableBytes',
  'partitionSize',
])

/** A message without these, lists in one order, texts of refusals left out where Kafka puts the request into them. */
export function normalise(value: unknown, except: readonly string[] = []): unknown {
  // Names that end in who made them, and by which way: only the way differs.
  if (typeof value === 'string') return value.replace(/-(straight|proxied)-/, '-')
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) {
    return value
      .map((each) => normalise(each, except))
      .map((each) => [JSON.stringify(each), each] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, each]) => each)
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([key]) => !OWN.has(key) && !except.includes(key) && !(key === 'errorMessage' && isRefusal(value)),
  )
  return Object.fromEntries(entries.map(([key, each]) => [key, normalise(each, except)]))
}

const isRefusal = (value: object): boolean =>
  'errorCode' in value && typeof value.errorCode === 'number' && [29, 30, 31, 53].includes(value.errorCode)
