import { DESCRIBE_CLUSTER } from '../../../wire/60-describe-cluster.ts'
import type { Authorizer } from './authorizer.ts'
import { authorizedOperations, CLUSTER_NAME } from './operations.ts'

/** DescribeCluster: open to all, as the brokers' addresses are; only the operations are the caller's own. */
export const authorizeDescribeCluster: Authorizer =
  (_exchange, { access }) =>
  (answer) => {
    const message = answer.message(DESCRIBE_CLUSTER)
    const bits = message.clusterAuthorizedOperations
    message.clusterAuthorizedOperations = authorizedOperations(access, bits, 'cluster', CLUSTER_NAME)
    answer.changed()
    return undefined
  }
