/** Peer: what one writes in Node in an afternoon, fastify with kafkajs, a send per request. Words: port, bootstrap, topic. */
import { fastify } from 'fastify'
import { Kafka, logLevel } from 'kafkajs'

const [port = '', bootstrap = '', topic = ''] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'node-pub', brokers: [bootstrap], logLevel: logLevel.ERROR })
const producer = kafka.producer({ allowAutoTopicCreation: false })
await producer.connect()

const ALL_REPLICAS = -1
const app = fastify({ logger: false, keepAliveTimeout: 60_000 })
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
)
app.post('/*', async (request, reply) => {
  await producer.send({ topic, acks: ALL_REPLICAS, messages: [{ value: request.body as Buffer }] })
  return reply.code(204).send()
})
await app.listen({ port: Number(port), host: '127.0.0.1' })
