import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** The two encodings of OTLP over HTTP, by content type: an answer comes in that of its request. */
export type Encoding = 'application/x-protobuf' | 'application/json'

const WHY = 'spans without a valid trace id and span id, or more than 10000 in one request'

/** `ExportTraceServiceResponse`: empty where all was taken, else a partial success (OTLP 1.x, "Partial Success"). */
export function exportResponse(encoding: Encoding, rejected: number): string | Buffer {
  if (encoding === 'application/json') {
    return JSON.stringify(
      rejected === 0 ? {} : { partialSuccess: { rejectedSpans: String(rejected), errorMessage: WHY } },
    )
  }
  const writer = new BinaryWriter()
  if (rejected > 0) {
    writer.tag(1, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.Varint).int64(rejected)
    writer.tag(2, WireType.LengthDelimited).string(WHY)
    writer.join()
  }
  return Buffer.from(writer.finish())
}
