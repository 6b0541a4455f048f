/**
 * How an opaque connection between two sidecars begins, inside mTLS and under an ALPN name of its own (docs/adr):
 *
 *   caller ── port of the service, two bytes, big-endian ──▶ callee, which asks the policy and calls the app
 *   caller ◀── 0 ─────────────────────────────────────────── then the bytes of both sides, in frames (framed-socket.ts)
 *   caller ◀── 1, then problem+json, then the end ────────── refused, or no app
 *
 * The caller's bytes wait for the answer: until it has come another endpoint can be tried without anybody having read one.
 */
import { ERROR_TABLE, type ErrorCode, MeshError, toProblem } from '@weft/schemas/error'

export const TCP_ALPN = 'weft-tcp'

export const REQUEST_BYTES = 2
const ACCEPTED_BYTE = 0
const REFUSED_BYTE = 1
/** Far more than a problem of ours has; bounds what a peer can make us hold. */
const MAX_REFUSAL_BYTES = 8 * 1024

export function requestBytes(port: number): Buffer {
  const bytes = Buffer.alloc(REQUEST_BYTES)
  bytes.writeUInt16BE(port)
  return bytes
}

/** The first two bytes of a caller. */
export const requestedPort = (bytes: Buffer): number => bytes.readUInt16BE()

export const ACCEPTED = Buffer.of(ACCEPTED_BYTE)

export const refusalBytes = (error: MeshError): Buffer =>
  Buffer.concat([Buffer.of(REFUSED_BYTE), Buffer.from(JSON.stringify(toProblem(error)))])

/** What the answer says so far: undefined while it is not whole. Everything after the first byte of `accepted` is the app's. */
export function readAnswer(bytes: Buffer, isEnded: boolean): 'accepted' | MeshError | undefined {
  const [first] = bytes
  if (first === ACCEPTED_BYTE) return 'accepted'
  if (first === REFUSED_BYTE && bytes.length <= MAX_REFUSAL_BYTES)
    return isEnded ? refusalIn(bytes.subarray(1)) : undefined
  if (first === undefined && !isEnded) return undefined
  return new MeshError(
    'upstream_reset',
    'the sidecar of the upstream closed the connection without an answer',
  )
}

function refusalIn(json: Buffer): MeshError {
  try {
    const { code, detail } = JSON.parse(json.toString()) as Readonly<Record<string, unknown>>
    const known = Object.entries(ERROR_TABLE).find(([, row]) => row.id === code)?.[0] as ErrorCode | undefined
    if (known !== undefined && typeof detail === 'string') return new MeshError(known, detail)
  } catch {
    // Said below, as for any other answer that is not one.
  }
  return new MeshError('upstream_protocol', 'expected problem+json of the sidecar of the upstream')
}
