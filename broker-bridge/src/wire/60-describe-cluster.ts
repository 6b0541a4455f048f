/** DescribeCluster, versions 0 to 2, all flexible. 1: brokers or controllers · 2: fenced brokers. */
import { OPERATIONS_NOT_ASKED } from './03-metadata.ts'
import type { Api } from './api.ts'
import { array, bool, int8, int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

/** Endpoint type: the brokers, not the controllers. */
const ENDPOINT_BROKERS = 1

const request = struct({
  includeClusterAuthorizedOperations: bool,
  endpointType: since(1, int8, ENDPOINT_BROKERS),
  includeFencedBrokers: since(2, bool),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  endpointType: since(1, int8, ENDPOINT_BROKERS),
  clusterId: string,
  controllerId: int32,
  brokers: array(
    struct({ nodeId: int32, host: string, port: int32, rack: nullableString, isFenced: since(2, bool) }),
  ),
  clusterAuthorizedOperations: since(0, int32, OPERATIONS_NOT_ASKED),
})

export const DESCRIBE_CLUSTER: Api<Of<typeof request>, Of<typeof response>> = {
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexibleFrom: 0,
  request,
  response,
}
