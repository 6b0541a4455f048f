/**
 * Every address in an answer becomes that of the loopback listener which stands for the broker. An answer that names
 * a broker for the first time waits until its listener is open: the client may connect the moment it reads it.
 */
import { NODE_ENDPOINTS, PRODUCE, PRODUCE_NODE_ENDPOINTS_TAG, producedLayout } from '../../wire/00-produce.ts'
import { FETCH, FETCH_NODE_ENDPOINTS_TAG, fetchedLayout } from '../../wire/01-fetch.ts'
import { METADATA } from '../../wire/03-metadata.ts'
import { FIND_COORDINATOR } from '../../wire/10-find-coordinator.ts'
import { DESCRIBE_QUORUM } from '../../wire/55-describe-quorum.ts'
import { DESCRIBE_CLUSTER } from '../../wire/60-describe-cluster.ts'
import { SHARE_FETCH } from '../../wire/78-share-fetch.ts'
import { SHARE_ACKNOWLEDGE } from '../../wire/79-share-acknowledge.ts'
import type { Api } from '../../wire/api.ts'
import { Reader, type Tag } from '../../wire/reader.ts'
import { Writer } from '../../wire/writer.ts'
import type { Answer, AnswerHook, Stage } from '../exchange.ts'
import type { Nodes } from '../nodes.ts'

/** First versions that name new leaders (KIP-951). */
const LEADERS_IN_PRODUCE = 10
const LEADERS_IN_FETCH = 16

interface Place {
  nodeId: number
  host: string
  port: number
}

/** Builds the stage. `host` is where the loopback listeners are. */
export function addresses(nodes: Nodes, host: string): Stage {
  const moveAll = (places: readonly Place[]): undefined | Promise<void> => {
    const waits = places.flatMap((place) => move(place, nodes, host) ?? [])
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined)
  }
  const moveEndpoints = (answer: Answer, places: readonly Place[]): undefined | Promise<void> => {
    if (places.length === 0) return undefined
    answer.changed()
    return moveAll(places)
  }
  const hooks = new Map<number, AnswerHook>([
    [METADATA.key, (answer) => moveAll(edited(answer).message(METADATA).brokers)],
    [DESCRIBE_CLUSTER.key, (answer) => moveAll(edited(answer).message(DESCRIBE_CLUSTER).brokers)],
    [
      FIND_COORDINATOR.key,
      (answer) => {
        const message = edited(answer).message(FIND_COORDINATOR)
        return moveAll(answer.version >= 4 ? message.coordinators : [message])
      },
    ],
    [
      PRODUCE.key,
      // The layouts are walked anyway, and nothing is decoded unless there is something to move.
      (answer) =>
        answer.version >= LEADERS_IN_PRODUCE && answer.layout(producedLayout).hasTags
          ? moveNewLeaders(answer, PRODUCE, PRODUCE_NODE_ENDPOINTS_TAG, moveAll)
          : undefined,
    ],
    [
      FETCH.key,
      (answer) =>
        answer.version >= LEADERS_IN_FETCH && answer.layout(fetchedLayout).hasTags
          ? moveNewLeaders(answer, FETCH, FETCH_NODE_ENDPOINTS_TAG, moveAll)
          : undefined,
    ],
    [SHARE_FETCH.key, (answer) => moveEndpoints(answer, answer.message(SHARE_FETCH).nodeEndpoints)],
    [
      SHARE_ACKNOWLEDGE.key,
      (answer) => moveEndpoints(answer, answer.message(SHARE_ACKNOWLEDGE).nodeEndpoints),
    ],
    [DESCRIBE_QUORUM.key, hideControllers],
  ])
  return (exchange) => hooks.get(exchange.api.key)
}

function edited(answer: Answer): Answer {
  answer.changed()
  return answer
}

/** Controllers have no listener here: of a quorum's nodes the ids remain, in the voters. */
function hideControllers(answer: Answer): undefined {
  const message = answer.message(DESCRIBE_QUORUM)
  if (message.nodes.length === 0) return
  message.nodes = []
  answer.changed()
}

/** Errors carry node -1 and no host: there is nothing to stand for. */
function move(place: Place, nodes: Nodes, host: string): Promise<void> | undefined {
  if (place.nodeId < 0 || place.host === '') return undefined
  const port = nodes.place(place.nodeId, { host: place.host, port: place.port })
  place.host = host
  if (typeof port === 'number') {
    place.port = port
    return undefined
  }
  return port.then((opened) => {
    place.port = opened
  })
}

/** An answer that says "not the leader" says who is, in a tagged field. */
function moveNewLeaders<Response extends { tags: readonly Tag[] }>(
  answer: Answer,
  api: Api<unknown, Response>,
  endpointsTag: number,
  moveAll: (places: readonly Place[]) => undefined | Promise<void>,
): undefined | Promise<void> {
  const message = answer.message(api)
  const tag = message.tags.find((each) => each.tag === endpointsTag)
  if (tag === undefined) return undefined
  const endpoints = NODE_ENDPOINTS.read(new Reader(tag.bytes), answer.version, true)
  const write = (): undefined => {
    const writer = new Writer()
    NODE_ENDPOINTS.write(writer, endpoints, answer.version, true)
    const moved: Tag = { tag: tag.tag, bytes: writer.bytes() }
    message.tags = message.tags.map((each) => (each === tag ? moved : each))
    answer.changed()
  }
  return moveAll(endpoints)?.then(write) ?? write()
}
