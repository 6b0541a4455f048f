/**
 * DescribeConfigs, versions 1 to 4. 1: source and synonyms in place of isDefault · 3: documentation and type · 4:
 * flexible.
 */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  type Of,
  since,
  string,
  struct,
} from './codec.ts'

const request = struct({
  resources: array(
    struct({ resourceType: int8, resourceName: string, configurationKeys: nullableArray(string) }),
  ),
  includeSynonyms: bool,
  includeDocumentation: since(3, bool),
})

const response = struct({
  throttleTimeMs: int32,
  results: array(
    struct({
      errorCode: int16,
      errorMessage: nullableString,
      resourceType: int8,
      resourceName: string,
      configs: array(
        struct({
          name: string,
          value: nullableString,
          readOnly: bool,
          configSource: since(1, int8, -1),
          isSensitive: bool,
          synonyms: array(struct({ name: string, value: nullableString, source: int8 })),
          configType: since(3, int8),
          documentation: since(3, nullableString),
        }),
      ),
    }),
  ),
})

export const DESCRIBE_CONFIGS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleFrom: 4,
  request,
  response,
}
