import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { METADATA } from '../wire/03-metadata.ts'
import { decodeResponse, encodeRequest, responseBodyAt } from '../wire/api.ts'
import { FrameSplitter } from '../wire/frames.ts'
import type { TopicRef } from './topic-ids.ts'

/** The first version that takes ids (KIP-516): brokers have it since 3.1. */
const VERSION = 12
const ANSWER_TIMEOUT_MS = 5_000

/** Asks a broker for the names of topics, over a connection of its own. Throws `upstream_reset` or `upstream_timeout`. */
export async function topicsById(
  connect: () => Promise<Socket>,
  ids: readonly Buffer[],
): Promise<readonly TopicRef[]> {
  const socket = await connect()
  try {
    const message = {
      topics: ids.map((topicId) => ({ topicId, name: null, tags: [] })),
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
      tags: [],
    }
    socket.write(encodeRequest(METADATA, { version: VERSION, correlationId: 0, clientId: 'weft', message }))
    const frame = await nextFrame(socket)
    const bodyAt = responseBodyAt(frame, METADATA, VERSION)
    return decodeResponse(METADATA, frame, { version: VERSION, bodyAt }).topics
  } finally {
    socket.destroy()
  }
}

function nextFrame(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const frames = new FrameSplitter()
  const timer = setTimeout(
    () => reject(new MeshError('upstream_timeout', `no metadata of a broker within ${ANSWER_TIMEOUT_MS} ms`)),
    ANSWER_TIMEOUT_MS,
  )
  socket.on('data', (chunk: Buffer) => {
    frames.push(chunk)
    try {
      const frame = frames.next()
      if (frame !== undefined) resolve(frame)
    } catch (error) {
      reject(MeshError.from(error))
    }
  })
  socket.on('error', () => {}) // 'close' follows
  socket.on('close', () => reject(new MeshError('upstream_reset', 'the Kafka broker closed the connection')))
  return promise.finally(() => clearTimeout(timer))
}
