/** Configs of topics, groups and, for all else (brokers, loggers, client metrics), of the cluster. */
import { DESCRIBE_CONFIGS } from '../../../wire/32-describe-configs.ts'
import { ALTER_CONFIGS } from '../../../wire/33-alter-configs.ts'
import { INCREMENTAL_ALTER_CONFIGS } from '../../../wire/44-incremental-alter-configs.ts'
import { KAFKA_ERROR, KAFKA_ERROR_TEXT } from '../../../wire/error-codes.ts'
import type { Access } from '../../access.ts'
import type { Authorizer, AuthorizerTable } from './authorizer.ts'
import { CLUSTER_NAME } from './operations.ts'
import { splitEntries } from './split.ts'

/** Type numbers of org.apache.kafka.common.config.ConfigResource. */
const TOPIC = 2
const GROUP = 32

interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
}

/** The refusal of one resource; undefined where it is permitted. */
function refusalOf(
  access: Access,
  { resourceType, resourceName }: ConfigResource,
  operation: 'describeConfigs' | 'alterConfigs',
) {
  const [resource, name, errorCode] =
    resourceType === TOPIC
      ? (['topic', resourceName, KAFKA_ERROR.topicAuthorizationFailed] as const)
      : resourceType === GROUP
        ? (['group', resourceName, KAFKA_ERROR.groupAuthorizationFailed] as const)
        : (['cluster', CLUSTER_NAME, KAFKA_ERROR.clusterAuthorizationFailed] as const)
  if (access.allows(resource, name, operation)) return undefined
  return { errorCode, errorMessage: KAFKA_ERROR_TEXT[errorCode], resourceType, resourceName, tags: [] }
}

const keyOf = ({ resourceType, resourceName }: ConfigResource): string => `${resourceType} ${resourceName}`

const describeConfigs: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, DESCRIBE_CONFIGS, {
    asked: 'resources',
    answered: 'results',
    keyOf,
    refuse(resource) {
      const refusal = refusalOf(access, resource, 'describeConfigs')
      return refusal && { ...refusal, configs: [] }
    },
  })

const alterConfigs: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, ALTER_CONFIGS, {
    asked: 'resources',
    answered: 'responses',
    keyOf,
    refuse: (resource) => refusalOf(access, resource, 'alterConfigs'),
  })

const incrementalAlterConfigs: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, INCREMENTAL_ALTER_CONFIGS, {
    asked: 'resources',
    answered: 'responses',
    keyOf,
    refuse: (resource) => refusalOf(access, resource, 'alterConfigs'),
  })

export const CONFIG_AUTHORIZERS: AuthorizerTable = [
  [DESCRIBE_CONFIGS.key, describeConfigs],
  [ALTER_CONFIGS.key, alterConfigs],
  [INCREMENTAL_ALTER_CONFIGS.key, incrementalAlterConfigs],
]
