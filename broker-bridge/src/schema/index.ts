import { createRequire } from 'node:module'
import type { TopicSchema } from '@weft/schemas/snapshot'
import type { TopicCodec } from './topic-codec.ts'

const require = createRequire(import.meta.url)
/** A snapshot's schemas are compiled with the first record, and go with it. */
const codecs = new WeakMap<TopicSchema, TopicCodec>()

/** Loads what it takes with the first topic that has a schema: most sidecars have none. */
export function codecOf(schema: TopicSchema): TopicCodec {
  let codec = codecs.get(schema)
  if (codec === undefined) {
    const { TopicCodec: Codec } = require('./topic-codec.ts') as typeof import('./topic-codec.ts')
    codec = new Codec(schema)
    codecs.set(schema, codec)
  }
  return codec
}
