/** UpdateFeatures, versions 0 to 2, all flexible. 1: validate only · 2: no results by feature. */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int8,
  int16,
  int32,
  nullableString,
  type Of,
  since,
  string,
  struct,
  until,
} from './codec.ts'

const request = struct({
  timeoutMs: since(0, int32, 60000),
  featureUpdates: array(
    struct({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: until(0, bool),
      upgradeType: since(1, int8, 1),
    }),
  ),
  validateOnly: since(1, bool),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  results: until(1, array(struct({ feature: string, errorCode: int16, errorMessage: nullableString }))),
})

export const UPDATE_FEATURES: Api<Of<typeof request>, Of<typeof response>> = {
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexibleFrom: 0,
  request,
  response,
}
