import { SCHEMA_TYPES } from './event-schema/schema.ts'
import { anyText, listOf, object, oneOf, text, whole } from './snapshot-checks.ts'
import { COMPRESSIONS, DURABILITIES, RECORD_TRACES, SCHEMA_VALIDATIONS } from './snapshot-topics.ts'

/** One entry of `topics`. */
export const TOPIC = object(
  { name: text, partitions: whole(1), maxMessageBytes: whole(1) },
  {
    producer: object({ lingerMs: whole(0), batchBytes: whole(1), compression: oneOf(...COMPRESSIONS) }),
    durability: oneOf(...DURABILITIES),
    trace: oneOf(...RECORD_TRACES),
    faults: listOf(
      object(
        {},
        {
          operations: listOf(oneOf('produce', 'consume'), 1),
          delay: object({ percent: whole(0), fixedMs: whole(1) }),
          notLeader: object({ percent: whole(0) }),
          disconnect: object({ percent: whole(0) }),
        },
      ),
    ),
    quota: object({}, { produceBytesPerSecond: whole(1), consumeBytesPerSecond: whole(1) }),
    schema: object({
      type: oneOf(...SCHEMA_TYPES),
      subject: text,
      validation: oneOf(...SCHEMA_VALIDATIONS),
      versions: listOf(
        object({ id: whole(1), text }, { references: listOf(object({ name: anyText, text })) }),
      ),
    }),
  },
)
