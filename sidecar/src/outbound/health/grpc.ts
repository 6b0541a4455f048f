/** grpc.health.v1.Health/Check (GRPC Health Checking Protocol), its two messages of one field each written and read here. */
import type { HealthProbe } from '@weft/schemas/snapshot'
import { firstValue } from '../../transport/fields.ts'
import { ask, type HealthAnswer } from './ask.ts'
import type { Probe } from './probe.ts'

const PATH = '/grpc.health.v1.Health/Check'
/** Flag of compression and length (4 bytes) before each message. */
const PREFIX_BYTES = 5
/** HealthCheckRequest: field 1, service, of wire type 2. HealthCheckResponse: field 1, status, of wire type 0. */
const SERVICE_TAG = 0x0a
const STATUS_TAG = 0x08
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
const SERVING = 1

/** What a schema allows as a service fits into one byte of length twice over. */
export function grpcProbe({ service }: NonNullable<HealthProbe['grpc']>): Probe {
  const body = requestOf(service)
  const fields = ['content-type', 'application/grpc']
  return (target, done) =>
    ask(target, { method: 'POST', path: PATH, fields: [...fields], body }, (answer) =>
      done(typeof answer === 'string' ? answer : failureOf(answer)),
    )
}

function requestOf(service: string): Buffer {
  const name = Buffer.from(service)
  const length = name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7]
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG, ...length]), name])
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function failureOf({ head, body, trailers }: HealthAnswer): string | undefined {
  if (head.status !== 200) return `${PATH}: expected 200, came ${head.status}`
  const code = firstValue(trailers ?? [], 'grpc-status') ?? firstValue(head.fields, 'grpc-status')
  if (code !== '0') return `${PATH}: expected gRPC status 0, came ${code ?? 'none'}`
  const status = body[PREFIX_BYTES] === STATUS_TAG ? (body[PREFIX_BYTES + 1] ?? 0) : 0
  return status === SERVING ? undefined : `${PATH}: expected SERVING, came ${STATUS_NAMES[status] ?? status}`
}
