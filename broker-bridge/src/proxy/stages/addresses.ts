/**
 * Every address in an answer becomes that of the loopback listener which stands for the broker. An answer that names
 * a broker for the first time waits until its listener is open: the client may connect the moment it reads it.
 */
import { NODE_ENDPOINTS, PRODUCE, PRODUCE_NODE_ENDPOINTS_TAG } from '../../wire/00-produce.ts'
import { METADATA } from '../../wire/03-metadata.ts'
import { FIND_COORDINATOR } from '../../wire/10-find-coordinator.ts'
import { DESCRIBE_CLUSTER } from '../../wire/60-describe-cluster.ts'
import { Reader, type Tag } from '../../wire/reader.ts'
import { Writer } from '../../wire/writer.ts'
import type { Answer, AnswerHook, Stage } from '../exchange.ts'
import type { Nodes } from '../nodes.ts'

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
    [PRODUCE.key, (answer) => moveNewLeaders(answer, moveAll)],
  ])
  return (exchange) => hooks.get(exchange.api.key)
}

function edited(answer: Answer): Answer {
  answer.changed()
  return answer
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

/** From version 10, an answer that says "not the leader" says who is, in a tagged field. */
function moveNewLeaders(
  answer: Answer,
  moveAll: (places: readonly Place[]) => undefined | Promise<void>,
): undefined | Promise<void> {
  if (answer.version < 10) return undefined
  const message = answer.message(PRODUCE)
  const tag = message.tags.find((each) => each.tag === PRODUCE_NODE_ENDPOINTS_TAG)
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
