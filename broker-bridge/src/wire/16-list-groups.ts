/** ListGroups, versions 0 to 5. 1: throttle time · 3: flexible · 4: by state · 5: by type. */
import type { Api } from './api.ts'
import { array, int16, int32, type Of, since, string, struct } from './codec.ts'

const request = struct({ statesFilter: since(4, array(string)), typesFilter: since(5, array(string)) })

const response = struct({
  throttleTimeMs: since(1, int32),
  errorCode: int16,
  groups: array(
    struct({
      groupId: string,
      protocolType: string,
      groupState: since(4, string),
      groupType: since(5, string),
    }),
  ),
})

export const LIST_GROUPS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleFrom: 3,
  request,
  response,
}
