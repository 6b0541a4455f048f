import { NO_TOPIC_ID } from '../wire/codec.ts'

/** A topic as a message speaks of it: by name, or by id (KIP-516), the other one empty. */
export interface TopicRef {
  readonly name: string | null
  readonly topicId: Buffer
}

/** Far more topics than one cluster is run with; the oldest go first. */
const MAX_TOPICS = 100_000

/** Tells topics apart, whichever way they are named. */
export const topicKey = ({ name, topicId }: TopicRef): string =>
  topicId.equals(NO_TOPIC_ID) ? (name ?? '') : topicId.toString('latin1')

/**
 * The names of topics by their ids, learned from the answers of brokers before anything is hidden in them. An id
 * belongs to one topic for ever: what was learned stays true, even when the topic is deleted and made anew.
 */
export class TopicIds {
  readonly #names = new Map<string, string>()
  readonly #ask: (ids: readonly Buffer[]) => Promise<readonly TopicRef[]>

  /** `ask` brings the topics of these ids from a broker. */
  constructor(ask: (ids: readonly Buffer[]) => Promise<readonly TopicRef[]>) {
    this.#ask = ask
  }

  learn({ name, topicId }: TopicRef): void {
    if (name === null || name === '' || topicId.equals(NO_TOPIC_ID)) return
    const key = topicId.toString('latin1')
    if (this.#names.has(key)) return
    this.#names.set(key, name)
    if (this.#names.size <= MAX_TOPICS) return
    for (const oldest of this.#names.keys()) {
      this.#names.delete(oldest)
      break
    }
  }

  /** Undefined where it is an id that no broker has named yet. */
  nameOf({ name, topicId }: TopicRef): string | undefined {
    return topicId.equals(NO_TOPIC_ID) ? (name ?? '') : this.#names.get(topicId.toString('latin1'))
  }

  /** Learns those of these that are not known; undefined where all are. Ids that no topic has stay unknown. */
  resolve(topics: readonly Pick<TopicRef, 'topicId'>[]): undefined | Promise<void> {
    const unknown = topics
      .map(({ topicId }) => topicId)
      .filter((id) => !id.equals(NO_TOPIC_ID) && !this.#names.has(id.toString('latin1')))
    if (unknown.length === 0) return undefined
    return this.#ask(unknown).then((found) => {
      for (const topic of found) this.learn(topic)
    })
  }
}
