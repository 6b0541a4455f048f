import type { Codec } from './codec.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** One API key: the versions that the sidecar can read, and both messages at all of them. */
export interface Api<Request = unknown, Response = unknown> {
  readonly key: number
  readonly name: string
  readonly versions: readonly [min: number, max: number]
  /** First version with compact lengths and tagged fields (KIP-482). */
  readonly flexibleFrom: number
  readonly request: Codec<Request>
  readonly response: Codec<Response>
}

/** `flexibleFrom` of an API that never became flexible. */
export const NEVER_FLEXIBLE = Number.POSITIVE_INFINITY

/** ApiVersions answers with the oldest header at every version: the client does not yet know what the broker speaks (KIP-511). */
export const API_VERSIONS_KEY = 18

export const isFlexible = (api: Api, version: number): boolean => version >= api.flexibleFrom

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body starts in the frame, length prefix included. */
  readonly bodyAt: number
}

/** Bytes of a request that name API, version and correlation id. */
export const REQUEST_HEAD_BYTES = 8

/** Header v1, or v2 at flexible versions. The client id is an old-style string in both. */
export function readRequestHeader(frame: Buffer, api: Api): RequestHeader {
  const reader = new Reader(frame, 4)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.nullableString(false)
  if (isFlexible(api, apiVersion)) reader.skipTags()
  return { apiKey, apiVersion, correlationId, clientId, bodyAt: reader.at }
}

/** Where the body of an answer starts in its frame. */
export function responseBodyAt(frame: Buffer, api: Api, version: number): number {
  const reader = new Reader(frame, 4)
  reader.int32()
  if (hasResponseTags(api, version)) reader.skipTags()
  return reader.at
}

const hasResponseTags = (api: Api, version: number): boolean =>
  api.key !== API_VERSIONS_KEY && isFlexible(api, version)

/** A place in a frame where a body of this version starts. */
export interface BodyPlace {
  readonly version: number
  readonly bodyAt: number
}

/** Throws `invalid_request`. What follows the message is ignored, as brokers do: librdkafka 2.16 sends three bytes too many with some Metadata. */
export function decodeRequest<Request>(api: Api<Request, unknown>, frame: Buffer, place: BodyPlace): Request {
  const reader = Reader.ofRequest(frame, place.bodyAt)
  return api.request.read(reader, place.version, isFlexible(api, place.version))
}

/** Throws `invalid_request`. */
export function decodeResponse<Response>(
  api: Api<unknown, Response>,
  frame: Buffer,
  place: BodyPlace,
): Response {
  const reader = new Reader(frame, place.bodyAt)
  return api.response.read(reader, place.version, isFlexible(api, place.version))
}

/** A frame with the header of `frame` and another body. */
export function withBody<T>(
  api: Api,
  codec: Codec<T>,
  frame: Buffer,
  body: BodyPlace & { message: T },
): Buffer {
  const writer = new Writer()
  writer.raw(frame.subarray(0, body.bodyAt))
  codec.write(writer, body.message, body.version, isFlexible(api, body.version))
  return writer.frame()
}

/** A whole answer, made here. */
export function encodeResponse<Response>(
  api: Api<unknown, Response>,
  answer: { readonly version: number; readonly correlationId: number; readonly message: Response },
): Buffer {
  const writer = new Writer()
  writer.int32(0)
  writer.int32(answer.correlationId)
  if (hasResponseTags(api, answer.version)) writer.tags([])
  api.response.write(writer, answer.message, answer.version, isFlexible(api, answer.version))
  return writer.frame()
}

/** A whole request, made here. */
export function encodeRequest<Request>(
  api: Api<Request, unknown>,
  request: {
    readonly version: number
    readonly correlationId: number
    readonly clientId: string
    readonly message: Request
  },
): Buffer {
  const writer = new Writer()
  writer.int32(0)
  writer.int16(api.key)
  writer.int16(request.version)
  writer.int32(request.correlationId)
  writer.nullableString(request.clientId, false)
  if (isFlexible(api, request.version)) writer.tags([])
  api.request.write(writer, request.message, request.version, isFlexible(api, request.version))
  return writer.frame()
}
