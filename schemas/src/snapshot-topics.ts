/** What a sidecar knows of a topic. */
import type { NamedSchema, SchemaType } from './event-schema/schema.ts'

export const DURABILITIES = ['broker', 'spool'] as const
export type Durability = (typeof DURABILITIES)[number]

/** A publisher that hears 2xx knows that all in-sync replicas have the event; a spool is on one disk. */
export const DEFAULT_DURABILITY: Durability = 'broker'

export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** How sidecars put together what is published to a topic; the names are those of Kafka's producers. */
export interface ProducerSettings {
  /** How long the first record of a batch waits for others. */
  readonly lingerMs: number
  /** A batch of this size does not wait, and takes no more. */
  readonly batchBytes: number
  readonly compression: (typeof COMPRESSIONS)[number]
}

/**
 * Not to wait: requests that arrive together leave together anyway, and under load a batch fills while the ones before are
 * acknowledged. As large as a broker takes them. Not packed: brokers and consumers then need not unpack.
 */
export const DEFAULT_PRODUCER: ProducerSettings = { lingerMs: 0, batchBytes: 1_048_576, compression: 'none' }

/** Of records that Kafka clients send and read. never: nothing · uncompressed: where the batch is not packed · always: packed batches are unpacked for it. */
export const RECORD_TRACES = ['never', 'uncompressed', 'always'] as const
export type RecordTrace = (typeof RECORD_TRACES)[number]
/** To unpack and pack a batch again costs more than all else that is done with it. */
export const DEFAULT_RECORD_TRACE: RecordTrace = 'uncompressed'

export const VALUE_FORMATS = ['json', 'raw'] as const
export type ValueFormat = (typeof VALUE_FORMATS)[number]

/** none: nothing · id: that it is a version of the subject · full: that the value is of it, too. */
export const SCHEMA_VALIDATIONS = ['none', 'id', 'full'] as const
export type SchemaValidation = (typeof SCHEMA_VALIDATIONS)[number]
/** A client that has the id has its schema from the registry. */
export const DEFAULT_SCHEMA_VALIDATION: SchemaValidation = 'id'

/** What events of a topic look like. */
export interface TopicSchema {
  readonly type: SchemaType
  readonly subject: string
  /** What is looked at of records that Kafka clients send; what comes through the event API always fits. */
  readonly validation: SchemaValidation
  /** Newest first: events are written by the first, and read by that which they name. Empty while none is registered. */
  readonly versions: readonly {
    readonly id: number
    readonly text: string
    readonly references?: readonly NamedSchema[]
  }[]
}

/** Faults that Kafka clients get on purpose; each for its share of the requests. */
export interface TopicFault {
  /** Absent: both. */
  readonly operations?: readonly ('produce' | 'consume')[]
  /** The answer comes so much later. */
  readonly delay?: { readonly percent: number; readonly fixedMs: number }
  /** NOT_LEADER_OR_FOLLOWER in place of the broker's answer. */
  readonly notLeader?: { readonly percent: number }
  /** The connection ends before the broker sees the request. */
  readonly disconnect?: { readonly percent: number }
}

export interface TopicQuota {
  readonly produceBytesPerSecond?: number
  readonly consumeBytesPerSecond?: number
}

export interface TopicEntry {
  readonly name: string
  readonly partitions: number
  /** Largest record in bytes that is accepted, key, value and headers together. */
  readonly maxMessageBytes: number
  /** Absent where an older control plane does not say it: DEFAULT_PRODUCER. */
  readonly producer?: ProducerSettings
  /** Absent where an older control plane does not say it: DEFAULT_DURABILITY. */
  readonly durability?: Durability
  /** The first that speaks of the operation applies. */
  readonly faults?: readonly TopicFault[]
  /** Of each workload that writes or reads it with a Kafka client; absent: none. */
  readonly quota?: TopicQuota
  /** Absent: DEFAULT_RECORD_TRACE. */
  readonly trace?: RecordTrace
  /** Absent: a value is whatever its publisher says it is. */
  readonly schema?: TopicSchema
}
