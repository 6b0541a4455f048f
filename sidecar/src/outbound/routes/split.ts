/** Chooses a backend for each request by weight. */
import { MeshError } from '@weft/schemas/error'
import type { Service } from '../../transport/exchange.ts'

export interface WeightedBackend {
  readonly service: Service
  readonly weight: number
}

/** `ruleName` is for the error where no backend can be chosen, because all weights are 0. */
export function split(backends: readonly WeightedBackend[], ruleName: string): Service {
  const weighted = backends.filter(({ weight }) => weight > 0)
  const [first, ...more] = weighted
  if (first === undefined)
    return refusing(`expected a backend with a weight above 0; ${ruleName} has none`, ruleName)
  if (more.length === 0) return first.service
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0)
  return {
    call(head, response) {
      let drawn = Math.random() * total
      for (const { service, weight } of weighted) {
        drawn -= weight
        if (drawn < 0) return service.call(head, response)
      }
      // Only where rounding ate the last share.
      return first.service.call(head, response)
    },
  }
}

/** Stands in the place of a backend that is not there: its share of the requests gets 500, as the Gateway API says. */
export const refusing = (message: string, target: string): Service => ({
  call() {
    throw new MeshError('no_backend', message, { target })
  },
})
