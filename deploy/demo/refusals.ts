/** What no policy allows, tried through billing-service's own sidecar: as that service, with its identity. */
import { request } from 'node:http'
import type { Mesh } from '@weft/control-plane/cli/mesh'
import kafkajs, { Kafka, logLevel } from 'kafkajs'

// CommonJS: Node finds the error classes on the module object only.
const { KafkaJSProtocolError } = kafkajs

function portsOfBilling(mesh: Mesh) {
  const billing = mesh.services.get('billing-service')
  if (billing === undefined) throw new Error('there is no billing-service')
  return billing.ports
}

/** GET order-service/orders as billing-service. */
export function refusedCall(mesh: Mesh): Promise<{ readonly status: number; readonly detail: string }> {
  const { outbound } = portsOfBilling(mesh)
  return new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port: outbound, path: '/orders', headers: { host: 'order-service' } },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        answer.on('error', reject)
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, detail: detailOf(body) }))
      },
    )
    call.on('error', reject)
    call.end()
  })
}

/** The sentence of a problem document, or the body itself where it is none. */
function detailOf(body: string): string {
  try {
    return (JSON.parse(body) as { detail?: string }).detail ?? body
  } catch {
    return body
  }
}

/** Produces to `orders` with kafkajs as billing-service; the name of Kafka's error, or `none` where it was let through. */
export async function refusedProduce(mesh: Mesh): Promise<string> {
  const { kafka: port } = portsOfBilling(mesh)
  const kafka = new Kafka({
    clientId: 'not-allowed',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  })
  const producer = kafka.producer()
  try {
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ key: 'nobody', value: 'not allowed' }] })
    return 'none'
  } catch (error) {
    if (error instanceof KafkaJSProtocolError) return error.type
    const cause = error instanceof Error ? error.cause : undefined
    if (cause instanceof KafkaJSProtocolError) return cause.type
    throw error
  } finally {
    await producer.disconnect()
  }
}
