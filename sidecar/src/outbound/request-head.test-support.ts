/** A request as layers see it, for tests of a layer by itself. */
import type { RequestHead } from '../transport/exchange.ts'

export function headOf(part: Partial<RequestHead>): RequestHead {
  return {
    method: 'GET',
    target: '/',
    authority: 'server',
    fields: [],
    length: 0,
    peer: { id: undefined, subject: { kind: 'anonymous' } },
    ...part,
    notes: {
      startedAt: performance.now(),
      traceparent: '',
      service: 'server',
      destination: 'server',
      endpointIdentity: '',
      policy: '',
      error: '',
      tried: undefined,
      pinned: undefined,
      deadlineAt: 0,
      token: undefined,
      ...part.notes,
    },
  }
}
