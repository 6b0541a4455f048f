import type { Metrics } from '@weft/schemas/node/metrics'
import type { Access } from '../access.ts'
import type { ClientGroups } from '../client-groups.ts'
import type { Stage } from '../exchange.ts'
import type { TraceOptions } from '../inject-contexts.ts'
import type { Nodes } from '../nodes.ts'
import type { Quotas } from '../quotas.ts'
import type { Tally } from '../tally.ts'
import type { TopicIds } from '../topic-ids.ts'
import { addresses } from './addresses.ts'
import { apiFilter } from './api-filter.ts'
import { authorize } from './authorize/index.ts'
import { checkSchemas } from './check-schemas.ts'
import { count } from './count.ts'
import { faults } from './faults.ts'
import { learnTopics } from './learn-topics.ts'
import { throttle } from './throttle.ts'
import { type TraceConsumeOptions, traceConsume } from './trace-consume.ts'
import { traceProduce } from './trace-produce.ts'

export interface StageOptions extends TraceOptions, TraceConsumeOptions {
  readonly access: Access
  readonly tally: Tally
  readonly metrics: Metrics
  readonly groups: ClientGroups
  readonly quotas: Quotas
  readonly nodes: Nodes
  readonly topicIds: TopicIds
  /** Where the loopback listeners are. */
  readonly host: string
}

/**
 * The way of a request, client to broker. The answer passes the same stages in the same order, not in reverse: what
 * may not be seen has to be gone before anything else looks at an answer.
 */
export function stagesOf(options: StageOptions): readonly Stage[] {
  return [
    // First: nothing else can read what is not known, and clients learn here what they may send.
    apiFilter,
    // Before anything is hidden: of a topic that the client may not see, too, the name has to be known when an id comes.
    learnTopics(options.topicIds),
    // Before all that costs or leaves a mark: a refused topic is neither traced nor sent, and a fetched one that was
    // closed meanwhile is out of the answer before spans are started for it.
    authorize(options),
    // Of what is permitted only: a fault says nothing of what may not be seen. Before what counts: the broker did not have it.
    faults(options),
    // Of what may be sent only: who may not send to a topic does not learn what it takes.
    checkSchemas(options),
    // Reads answers only. After authorize, which merges what the broker was not asked.
    addresses(options.nodes, options.host),
    // Counts what the client sends and what it is given, as it is: before a context is added to it.
    count(options),
    // Beside counting, for the same reason: what tracing adds is not the client's.
    throttle(options),
    // Last: a request whose batches have grown is pieces of the old frame and the new batches, no frame to read.
    traceProduce(options),
    traceConsume(options),
  ]
}
