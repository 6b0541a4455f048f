/** DeleteGroups, versions 0 to 2. 2: flexible. */
import type { Api } from './api.ts'
import { array, int16, int32, type Of, string, struct } from './codec.ts'

const request = struct({ groupsNames: array(string) })

const response = struct({
  throttleTimeMs: int32,
  results: array(struct({ groupId: string, errorCode: int16 })),
})

export const DELETE_GROUPS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleFrom: 2,
  request,
  response,
}
