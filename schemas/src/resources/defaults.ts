/** Every default of a resource, with the reason for its value. */

/** As in Kubernetes: a file without a namespace means the same in both worlds. */
export const DEFAULT_NAMESPACE = 'default'
/** What a URL without a port means. */
export const DEFAULT_SERVICE_PORT = 80
export const DEFAULT_SERVICE_PROTOCOL = 'http'
/** Standalone sidecars of one machine; nothing is reachable from outside unless it is asked for. */
export const DEFAULT_WORKLOAD_ADDRESS = '127.0.0.1'
/** A policy that says nothing else gives a right; the mesh denies by default. */
export const DEFAULT_POLICY_ACTION = 'allow'
/** A policy that is not enforced unless one asks for it would be a trap. */
export const DEFAULT_POLICY_MODE = 'enforce'
/** A few consumers in parallel from the start: adding partitions later moves keys, so one would be too few. */
export const DEFAULT_PARTITIONS = 3
/** Works on a broker that stands alone; a cluster of three says 3. */
export const DEFAULT_REPLICATION_FACTOR = 1
/** Kafka's own default of max.message.bytes is 1 MiB and 12 bytes of overhead. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576
/** A new consumer misses nothing that was published before it came. */
export const DEFAULT_START_AT = 'earliest'
/** Hides a few milliseconds of app latency; more would be more repeats after a crash. */
export const DEFAULT_MAX_IN_FLIGHT = 16
/** Far below Kafka's max.poll.interval.ms of five minutes, so that retries end while the partition is owned. */
export const DEFAULT_DELIVERY_TIMEOUT_MS = 10_000
/** Five attempts at 100 ms and doubling: over a restart of the app, not over an outage. */
export const DEFAULT_DELIVERY_RETRY = { attempts: 5, backoffBaseMs: 100, backoffMaxMs: 10_000 } as const
/** What the large issuers sign with; anything else is asked for by name. */
export const DEFAULT_JWT_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
/** Clocks that are kept by NTP differ by far less; RFC 7519, section 4.1.4 speaks of a few minutes at most. */
export const DEFAULT_JWT_CLOCK_SKEW_MS = 30_000
/** As much as fits beside other fields into the head limits of common servers, 8 KiB. */
export const DEFAULT_JWT_MAX_TOKEN_BYTES = 8192
/** Issuers publish a new key well before they sign with it; an unknown key id asks at once anyway. */
export const DEFAULT_JWKS_REFRESH_MS = 600_000
/** An issuer that is down for a day has other troubles; longer, and a withdrawn key would live on unseen. */
export const DEFAULT_JWKS_MAX_STALE_MS = 86_400_000
/** Names move; whoever wants addresses pinned writes them down. */
export const DEFAULT_EXTERNAL_RESOLUTION = 'dns'
/** Fail closed: what calls home, or leaks, needs a way out first. */
export const DEFAULT_EGRESS = 'registryOnly'
/** Fail closed. */
export const DEFAULT_MESH_ACTION = 'deny'
/** Fail closed; permissive is for the time in which a mesh is joined. */
export const DEFAULT_MTLS = 'strict'
/** One in a hundred: Istio's and Dapr's production advice; a caller's own decision is followed whatever this says. */
export const DEFAULT_SAMPLING_RATIO = 0.01
/** No static secret, and the broker knows who calls. */
export const DEFAULT_KAFKA_SECURITY = 'mtls'
/** A broker refuses ACLs without an authorizer, and one that has ACLs may have them from somebody else. */
export const DEFAULT_KAFKA_ACLS = 'unmanaged'

/** `<topic>.<group>.dlt`: one dead-letter topic per consumer group, so that a redrive reaches only the group that failed. */
export const defaultDeadLetterTopic = (topic: string, group: string): string => `${topic}.${group}.dlt`

/** `<topic>.<group>.redrive`: dead letters of one group that are sent back to it, and which were dropped. */
export const redriveTopic = (topic: string, group: string): string => `${topic}.${group}.redrive`

/** `<topic>.<group>.retry.10m`: where records of one group wait for their next attempt. */
export const retryTopic = (topic: string, group: string, delayMs: number): string =>
  `${topic}.${group}.retry.${durationText(delayMs)}`

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]

/** In the largest unit that it is a whole number of. */
function durationText(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, size]) => ms % size === 0) ?? ['ms', 1]
  return `${ms / unitMs}${unit}`
}
