/** The status of a gRPC call (gRPC over HTTP/2): where it is found, and how one of ours is written. */
import type { MeshError } from '@weft/schemas/error'
import type { Fields } from '../transport/exchange.ts'
import { firstValue } from '../transport/fields.ts'

/** google.rpc.Code of a call whose status did not come. */
const UNKNOWN = 2

/** The status in the trailers, or in the head where an answer has nothing else; undefined: it has none. */
export function grpcStatusOf(head: Fields | undefined, trailers: Fields | undefined): number | undefined {
  const text = firstValue(trailers ?? [], 'grpc-status') ?? firstValue(head ?? [], 'grpc-status')
  if (text === undefined) return undefined
  return /^(?:[0-9]|1[0-6])$/.test(text) ? Number(text) : UNKNOWN
}

/** An error of ours as the fields that end a call. */
export const grpcStatusFields = (error: MeshError): Fields => [
  'grpc-status',
  String(error.row.grpc),
  'grpc-message',
  percentEncoded(`${error.row.id} ${error.message}`),
]

/** Status-Message: UTF-8, of which what is not printable ASCII, and `%`, is percent-encoded. */
const percentEncoded = (text: string): string =>
  text.replace(/[^ -~]|%/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
