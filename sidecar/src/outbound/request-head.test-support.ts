/** A request as layers see it, for tests of a layer by itself. */
import { newNotes, type RequestHead } from '../transport/exchange.ts'

export function headOf(part: Partial<RequestHead>): RequestHead {
  return {
    method: 'GET',
    target: '/',
    authority: 'server',
    fields: [],
    length: 0,
    upgrade: undefined,
    isGrpc: false,
    peer: { id: undefined, subject: { kind: 'anonymous' } },
    ...part,
    notes: { ...newNotes(), service: 'server', destination: 'server', ...part.notes },
  }
}
