import { createRequire } from 'node:module'

type KafkaClient = typeof import('@platformatic/kafka')

const require = createRequire(import.meta.url)
let loaded: KafkaClient | undefined

/**
 * The library for consuming, and for snappy and lz4, loaded when it is first needed: it compiles what it may ever send, which takes
 * 60 MiB and a quarter of a second, and most sidecars have no Subscription. Types are imported from it as from any other.
 */
export const kafkaClient = (): KafkaClient => (loaded ??= require('@platformatic/kafka') as KafkaClient)
