import { listOf, matching, object, text, whole } from './snapshot-checks.ts'
import { ROUTE_TABLE } from './snapshot-validate-routes.ts'
import { RATE_LIMITS } from './snapshot-validate-traffic.ts'

/** They are names of folders: nothing that leads elsewhere. */
const folder = matching('a name of letters, digits, dashes and dots', /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)

export const GATEWAY = object(
  {
    name: text,
    namespace: text,
    listeners: listOf(
      object(
        { name: text, port: whole(1, 65_535) },
        {
          hostname: text,
          tls: object({ certificates: listOf(folder, 1) }, { clientAuthorities: listOf(folder, 1) }),
          routes: ROUTE_TABLE,
        },
      ),
      1,
    ),
  },
  { maxBodyBytes: whole(1), maxHeadBytes: whole(1), rateLimits: RATE_LIMITS },
)
