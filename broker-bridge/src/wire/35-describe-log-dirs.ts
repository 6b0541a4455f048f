/**
 * DescribeLogDirs, versions 1 to 5. 2: flexible · 3: top-level error · 4: total and usable bytes · 5: cordoned
 * folders.
 */
import type { Api } from './api.ts'
import { array, bool, int16, int32, int64, nullableArray, type Of, since, string, struct } from './codec.ts'

const request = struct({ topics: nullableArray(struct({ name: string, partitions: array(int32) })) })

const response = struct({
  throttleTimeMs: int32,
  errorCode: since(3, int16),
  results: array(
    struct({
      errorCode: int16,
      logDir: string,
      topics: array(
        struct({
          name: string,
          partitions: array(
            struct({ index: int32, partitionSize: int64, offsetLag: int64, isFutureKey: bool }),
          ),
        }),
      ),
      totalBytes: since(4, int64, -1n),
      usableBytes: since(4, int64, -1n),
      isCordoned: since(5, bool),
    }),
  ),
})

export const DESCRIBE_LOG_DIRS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexibleFrom: 2,
  request,
  response,
}
