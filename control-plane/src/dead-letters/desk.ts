/**
 * Dead letters of a subscription: what is open, and what a person decides of it. A decision is a record in the redrive topic of the
 * group, which its sidecars read: the same record sends the letter back and says that it is dealt with, so nothing has to be kept in step.
 */
import { type BaseOptions, ProduceAcks, Producer } from '@platformatic/kafka'
import { MeshError } from '@weft/schemas/error'
import { redriveTopic, type SubscriptionResource } from '@weft/schemas/resources'
import {
  type Decision,
  decidedLetter,
  dropped,
  type Letter,
  letterId,
  letterOf,
  redriven,
  type WholeLetter,
  wholeLetterOf,
} from './letter.ts'
import { readTopic, type StoredRecord } from './read-topic.ts'

export interface OpenLetters {
  readonly topic: string
  /** How many are open; `letters` may be fewer of them. */
  readonly open: number
  readonly letters: readonly Letter[]
}

export interface Decided {
  /** Ids, in the order in which they were dealt with. */
  readonly decided: readonly string[]
  /** Ids that are not open: there is no such letter, or somebody was faster. */
  readonly absent: readonly string[]
  /** Open ones that were too much for one call. */
  readonly left: number
}

/** Of one call; the broker takes them as batches. */
const MAX_AT_ONCE = 100
/** What is held of letters while they are looked for. */
const MAX_HELD_BYTES = 64 * 1024 * 1024

export class DeadLetterDesk {
  readonly #connection: () => Promise<BaseOptions | undefined>
  /** Two decisions at once would both find the letter open. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(connection: () => Promise<BaseOptions | undefined>) {
    this.#connection = connection
  }

  /** The oldest `limit` of those that are open. */
  async list(subscription: SubscriptionResource, limit: number): Promise<OpenLetters> {
    const connection = await this.#connected()
    const letters: Letter[] = []
    let open = 0
    await this.#eachOpen(connection, subscription, (record) => {
      open++
      if (letters.length < limit) letters.push(letterOf(record))
    })
    return { topic: subscription.spec.deadLetterTopic, open, letters }
  }

  /** Rejects with `not_found` where it is not open. */
  async show(subscription: SubscriptionResource, id: string): Promise<WholeLetter> {
    let found: StoredRecord | undefined
    await this.#eachOpen(await this.#connected(), subscription, (record) => {
      if (letterId(record) === id) found = record
    })
    if (found === undefined)
      throw new MeshError('not_found', `there is no open dead letter ${id} of ${subscription.metadata.name}`)
    return wholeLetterOf(found)
  }

  /** `ids` undefined: all that are open now. */
  decide(
    subscription: SubscriptionResource,
    ids: readonly string[] | undefined,
    what: 'redrive' | 'drop',
  ): Promise<Decided> {
    const done = this.#last.then(() => this.#decide(subscription, ids, what === 'drop' ? dropped : redriven))
    this.#last = done.catch(() => {})
    return done
  }

  async #decide(
    subscription: SubscriptionResource,
    ids: readonly string[] | undefined,
    decisionOf: (letter: StoredRecord) => Decision,
  ): Promise<Decided> {
    const connection = await this.#connected()
    const wanted = ids === undefined ? undefined : new Set(ids)
    const found: StoredRecord[] = []
    let held = 0
    let left = 0
    await this.#eachOpen(connection, subscription, (record) => {
      if (wanted?.has(letterId(record)) === false) return
      held += record.value?.length ?? 0
      if (held > MAX_HELD_BYTES && found.length > 0) left++
      else found.push(record)
    })
    const { topic, group } = subscription.spec
    const producer = new Producer({ ...connection, idempotent: true })
    try {
      for (let at = 0; at < found.length; at += MAX_AT_ONCE)
        await producer.send({
          acks: ProduceAcks.ALL,
          messages: found
            .slice(at, at + MAX_AT_ONCE)
            .map((letter) => messageOf(redriveTopic(topic, group), decisionOf(letter))),
        })
    } finally {
      await producer.close()
    }
    const decided = found.map(letterId)
    const known = new Set(decided)
    return { decided, absent: left > 0 ? [] : [...(wanted ?? [])].filter((id) => !known.has(id)), left }
  }

  async #eachOpen(
    connection: BaseOptions,
    { spec: { topic, group, deadLetterTopic } }: SubscriptionResource,
    each: (record: StoredRecord) => void,
  ): Promise<void> {
    const decided = new Set<string>()
    await readTopic(connection, redriveTopic(topic, group), (record) => {
      const id = decidedLetter(record)
      if (id !== undefined) decided.add(id)
    })
    await readTopic(connection, deadLetterTopic, (record) => {
      if (!decided.has(letterId(record))) each(record)
    })
  }

  async #connected(): Promise<BaseOptions> {
    const connection = await this.#connection()
    if (connection === undefined)
      throw new MeshError(
        'unavailable',
        'expected spec.kafka in the Mesh resource: there is no cluster to ask',
      )
    return connection
  }
}

const messageOf = (topic: string, { key, value, headers }: Decision) => ({
  topic,
  partition: 0,
  ...(key !== null && { key }),
  ...(value !== null && { value }),
  headers: new Map([...headers].map(([name, bytes]) => [Buffer.from(name), bytes])),
})
