/**
 * ListConfigResources, versions 0 to 1, all flexible. 0: only those of client metrics · 1: resource types
 * (KIP-1142).
 */
import type { Api } from './api.ts'
import { array, int8, int16, int32, type Of, since, string, struct } from './codec.ts'

const request = struct({ resourceTypes: since(1, array(int8)) })

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  configResources: array(struct({ resourceName: string, resourceType: since(1, int8, 16) })),
})

export const LIST_CONFIG_RESOURCES: Api<Of<typeof request>, Of<typeof response>> = {
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexibleFrom: 0,
  request,
  response,
}
