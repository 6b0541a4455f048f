import type { Access } from '../../access.ts'
import type { AnswerHook, Exchange } from '../../exchange.ts'
import type { Tally } from '../../tally.ts'
import type { TopicIds } from '../../topic-ids.ts'
import type { WithheldTopics } from './share-fetch.ts'

/** What the authorizers are given beside the exchange. */
export interface AuthorizeContext {
  readonly access: Access
  readonly tally: Tally
  readonly topicIds: TopicIds
  readonly withheld: WithheldTopics
}

/** Judges one request of its API; see Stage. */
export type Authorizer = (exchange: Exchange, context: AuthorizeContext) => AnswerHook | undefined

/** Authorizers by API key. */
export type AuthorizerTable = readonly (readonly [apiKey: number, authorizer: Authorizer])[]
