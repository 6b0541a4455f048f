/** RequestHeaderModifier and ResponseHeaderModifier: in the order set, add, remove, as Envoy and the Gateway API's tests have it. */
import type { HeaderModification } from '@weft/schemas/snapshot-routes'
import {
  type Fields,
  ForwardingResponse,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../../transport/exchange.ts'
import { removeFields, setField } from '../../transport/fields.ts'

export function modifyRequestHeaders(inner: Service, settings: HeaderModification | undefined): Service {
  if (settings === undefined) return inner
  const modify = modifier(settings)
  return {
    call(head, response) {
      modify(head.fields)
      return inner.call(head, response)
    },
  }
}

export function modifyResponseHeaders(inner: Service, settings: HeaderModification | undefined): Service {
  if (settings === undefined) return inner
  const modify = modifier(settings)
  return { call: (head, response) => inner.call(head, new ModifiedResponse(response, modify)) }
}

function modifier({ set, add, remove }: HeaderModification): (fields: Fields) => void {
  const removed = new Set(remove)
  return (fields) => {
    for (const { name, value } of set) setField(fields, name, value)
    for (const { name, value } of add) fields.push(name, value)
    if (removed.size > 0) removeFields(fields, (name) => removed.has(name))
  }
}

class ModifiedResponse extends ForwardingResponse {
  readonly #modify: (fields: Fields) => void

  constructor(next: ResponseHandler, modify: (fields: Fields) => void) {
    super(next)
    this.#modify = modify
  }

  override onHead(head: ResponseHead): void {
    this.#modify(head.fields)
    this.next.onHead(head)
  }
}
