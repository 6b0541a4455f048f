import type { Api } from '../../../wire/api.ts'
import type { AnswerHook, Exchange } from '../../exchange.ts'
import { inClientOrder } from './merge.ts'

interface Named {
  readonly name: string
}

interface TopicList {
  topics: readonly Named[]
}

interface Split<Request extends TopicList, Response extends TopicList> {
  readonly isAllowed: (topic: string) => boolean
  readonly refuse: (topic: Request['topics'][number]) => Response['topics'][number]
}

/**
 * For messages that are a list of topics both ways: the permitted ones go to the broker, the answer is merged in the
 * client's order, and where nothing is left to ask the answer is made here.
 */
export function splitTopics<Request extends TopicList, Response extends TopicList>(
  exchange: Exchange,
  api: Api<Request, Response>,
  split: Split<Request, Response>,
): AnswerHook | undefined {
  const request = exchange.read(api)
  const kept = request.topics.filter((topic) => split.isAllowed(topic.name))
  if (kept.length === request.topics.length) return undefined
  const refused = request.topics.filter((topic) => !kept.includes(topic)).map(split.refuse)
  if (kept.length === 0) {
    exchange.answer(api, { ...api.response.absent, topics: refused })
    return undefined
  }
  const names = request.topics.map(({ name }) => name)
  exchange.write(api, { ...request, topics: kept })
  return (answer) => {
    const message = answer.message(api)
    message.topics = inClientOrder(names, [...message.topics, ...refused], ({ name }) => name)
    answer.changed()
    return undefined
  }
}
