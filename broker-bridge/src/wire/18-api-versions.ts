/**
 * ApiVersions, versions 0 to 4. 1: throttle time · 3: flexible, client's software, features (tagged) · 4: features from 0.
 * The answer's header is always version 0, and a version that the server does not know is answered in version 0.
 */
import { API_VERSIONS_KEY, type Api } from './api.ts'
import { array, int16, int32, type Of, since, string, struct } from './codec.ts'

const request = struct({ clientSoftwareName: since(3, string), clientSoftwareVersion: since(3, string) })

const response = struct({
  errorCode: int16,
  apiKeys: array(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
  throttleTimeMs: since(1, int32),
})

export const API_VERSIONS: Api<Of<typeof request>, Of<typeof response>> = {
  key: API_VERSIONS_KEY,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleFrom: 3,
  request,
  response,
}
