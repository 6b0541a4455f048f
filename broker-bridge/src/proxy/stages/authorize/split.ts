import type { Api } from '../../../wire/api.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Answer, Exchange } from '../../exchange.ts'
import { inClientOrder } from './merge.ts'

type Entry<Message, List extends keyof Message> = Message[List] extends readonly (infer E)[] | null
  ? E
  : never

interface Split<Request, Response, Asked extends keyof Request, Answered extends keyof Response> {
  /** The list in the request, and the one in the answer. */
  readonly asked: Asked
  readonly answered: Answered
  /** What an entry of either list is about. */
  readonly keyOf: (entry: Entry<Request, Asked> | Entry<Response, Answered>) => string | null
  /** What the answer says of an entry that is refused; undefined where it is permitted. */
  readonly refuse: (entry: Entry<Request, Asked>) => Entry<Response, Answered> | undefined
  /** For a request that the broker judges as a whole, even when nothing is left of it: its error stands alone. */
  readonly wholeError?: (response: Response) => number
}

/**
 * For messages that are a list both ways: the permitted entries go to the broker, the answer is merged in the client's
 * order, and where nothing is left to ask the answer is made here.
 */
export function splitEntries<Request, Response, Asked extends keyof Request, Answered extends keyof Response>(
  exchange: Exchange,
  api: Api<Request, Response>,
  split: Split<Request, Response, Asked, Answered>,
): ((answer: Answer) => undefined) | undefined {
  const request = exchange.read(api)
  const asked = request[split.asked] as readonly Entry<Request, Asked>[]
  const kept: Entry<Request, Asked>[] = []
  const refused: Entry<Response, Answered>[] = []
  for (const entry of asked) {
    const refusal = split.refuse(entry)
    if (refusal === undefined) kept.push(entry)
    else refused.push(refusal)
  }
  if (refused.length === 0) return undefined
  if (kept.length === 0 && split.wholeError === undefined) {
    exchange.answer(api, { ...api.response.absent, [split.answered]: refused })
    return undefined
  }
  exchange.write(api, { ...request, [split.asked]: kept })
  const order = asked.map(split.keyOf)
  return (answer) => {
    const message = answer.message(api)
    if ((split.wholeError?.(message) ?? KAFKA_ERROR.none) !== KAFKA_ERROR.none) return undefined
    const came = message[split.answered] as readonly Entry<Response, Answered>[]
    Object.assign(message as object, {
      [split.answered]: inClientOrder(order, [...came, ...refused], split.keyOf),
    })
    answer.changed()
    return undefined
  }
}
