import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { MeshError, toProblem } from '@weft/schemas/error'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { decodeBinary } from './otlp/binary.ts'
import { type Decoded, isTraceId } from './otlp/draft.ts'
import { decodeJson } from './otlp/json.ts'
import { type Encoding, exportResponse } from './otlp/response.ts'
import type { Telemetry } from './telemetry.ts'

/** Of an export request, packed and unpacked: OpenTelemetry's collector takes 4 MiB of gRPC, a batch of the SDK is 1 MiB at most. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const DEFAULT_LIST = 50
const MAX_LIST = 500

/**
 * POST /v1/traces (OTLP/HTTP) and the reads of traces, graph and stream below /api/v1. They are a scope of their
 * own: its body parser and its error answers are nobody else's. Open streams end when `app` closes.
 */
export function registerTelemetryRoutes(app: FastifyInstance, telemetry: Telemetry): void {
  void app.register(async (scope) => {
    scope.setErrorHandler(sendProblem)
    registerReceiver(scope, telemetry)
    registerReads(scope, telemetry)
    scope.addHook('preClose', async () => telemetry.live.close())
  })
}

function registerReceiver(scope: FastifyInstance, telemetry: Telemetry): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(
    ['application/x-protobuf', 'application/json'],
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (_request, body, done) => done(null, body),
  )

  scope.post<{ Body: Buffer | undefined }>('/v1/traces', async (request, reply) => {
    const body = await unpack(request.body, request.headers['content-encoding'])
    const encoding: Encoding = request.headers['content-type']?.startsWith('application/json')
      ? 'application/json'
      : 'application/x-protobuf'
    const decoded = decode(body, encoding)
    telemetry.addSpans(decoded)
    return reply.type(encoding).send(exportResponse(encoding, decoded.rejected))
  })
}

function registerReads(scope: FastifyInstance, telemetry: Telemetry): void {
  scope.get<{ Querystring: Record<string, unknown> }>('/api/v1/traces', async (request) => {
    const { limit, service, topic } = request.query
    return {
      items: telemetry.traces({ limit: readLimit(limit), service: oneText(service), topic: oneText(topic) }),
    }
  })

  scope.get<{ Params: { traceId: string } }>('/api/v1/traces/:traceId', async (request) => {
    const traceId = request.params.traceId.toLowerCase()
    if (!isTraceId(traceId)) {
      throw new MeshError(
        'not_found',
        `expected a trace id of 32 hexadecimal digits, came ${JSON.stringify(traceId.slice(0, 64))}`,
      )
    }
    const trace = telemetry.trace(traceId)
    if (trace === undefined) {
      throw new MeshError(
        'not_found',
        `no trace ${traceId}: it was not sampled, has not arrived yet, or has made room for newer ones`,
      )
    }
    return trace
  })

  scope.get('/api/v1/graph', async () => telemetry.graph())

  scope.get('/api/v1/stream', (_request, reply) => {
    if (!telemetry.live.open(reply.raw)) throw new MeshError('overloaded', 'too many open streams')
    reply.hijack()
  })
}

const inflate = promisify(gunzip)

async function unpack(body: Buffer | undefined, encoding: string | undefined): Promise<Buffer> {
  if (body === undefined) throw new MeshError('invalid_request', 'expected an OTLP body, came none')
  if (encoding === undefined || encoding === 'identity') return body
  if (encoding !== 'gzip') {
    throw new MeshError('invalid_request', `expected content-encoding gzip, came ${encoding.slice(0, 64)}`)
  }
  try {
    return await inflate(body, { maxOutputLength: MAX_BODY_BYTES })
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new MeshError('payload_too_large', `expected at most ${MAX_BODY_BYTES} bytes unpacked`, { cause })
    }
    throw new MeshError('invalid_request', 'expected a gzip stream, came something else', { cause })
  }
}

function decode(body: Buffer, encoding: Encoding): Decoded {
  try {
    return encoding === 'application/json' ? decodeJson(body.toString('utf8')) : decodeBinary(body)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.slice(0, 200) : ''
    throw new MeshError('invalid_request', `expected an ExportTraceServiceRequest as ${encoding}: ${why}`, {
      cause,
    })
  }
}

const oneText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

function readLimit(value: unknown): number {
  if (value === undefined) return DEFAULT_LIST
  const limit = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : 0
  if (limit >= 1) return Math.min(limit, MAX_LIST)
  throw new MeshError('invalid_request', `expected limit to be 1 to ${MAX_LIST}`)
}

/** fastify's own errors (a body that is too large, a content type that nobody reads) become problems too. */
function sendProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const mesh = error instanceof MeshError ? error : fromFastify(error)
  if (mesh.code === 'internal') request.log.error({ error }, 'request failed')
  const status = error.statusCode === 415 ? 415 : mesh.row.http
  void reply
    .code(status)
    .type('application/problem+json')
    .send({ ...toProblem(mesh), status })
}

function fromFastify(error: FastifyError): MeshError {
  if (error.statusCode === 413) return new MeshError('payload_too_large', error.message, { cause: error })
  const isCallers = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  return isCallers ? new MeshError('invalid_request', error.message, { cause: error }) : MeshError.from(error)
}
