/** CONNECT to a port whose bytes nobody reads (RFC 9110, section 9.3.6): answered when the tunnel stands, or with why it does not. */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { type OpenTunnel, PendingSplice } from '../tcp/pending-splice.ts'
import { interimText, problemText } from './write-head.ts'

/** Long enough for the refusal to arrive and for the caller to close. */
const LINGER_MS = 1_000

/** `rest`: what of the tunnel's bytes came together with the request. */
export function answeredTunnel(caller: Socket, open: OpenTunnel, rest: Buffer | undefined): PendingSplice {
  const answered: OpenTunnel = (done) =>
    open((result) => {
      caller.write(result instanceof MeshError ? problemText(result) : interimText(200, []), 'latin1')
      done(result)
    })
  const pending = new PendingSplice(caller, answered, () => {
    caller.setTimeout(LINGER_MS, () => caller.destroy())
    caller.end()
    caller.resume()
  })
  // Not before it is paused: what is put back into a socket that flows comes out at once.
  if (rest !== undefined) caller.unshift(rest)
  return pending
}
