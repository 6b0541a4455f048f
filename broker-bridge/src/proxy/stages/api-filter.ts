import { MeshError } from '@weft/schemas/error'
import { API_VERSIONS } from '../../wire/18-api-versions.ts'
import { APIS } from '../../wire/apis.ts'
import { KAFKA_ERROR } from '../../wire/error-codes.ts'
import type { Answer, Exchange, Stage } from '../exchange.ts'

/**
 * Judges a request by its API key and version, before the rest of it has arrived: what is not Kafka, or not an API
 * that the sidecar can read, ends the connection as it does at a broker. Throws `not_implemented`.
 */
export function checkRequestHead(head: Buffer): void {
  const key = head.readInt16BE(0)
  const version = head.readInt16BE(2)
  const api = APIS.get(key)
  if (api === undefined) throw new MeshError('not_implemented', `an unknown Kafka API came: key ${key}`)
  const [min, max] = api.versions
  // An ApiVersions request of any version gets an answer: it is how a newer client learns to speak older.
  const isKnown = (version >= min && version <= max) || (api === API_VERSIONS && version >= 0)
  if (!isKnown)
    throw new MeshError('not_implemented', `${api.name} version ${version} came, ${min} to ${max} are known`)
}

/** ApiVersions: what broker and sidecar both know. Everything else was judged by its head. */
export const apiFilter: Stage = (exchange) => {
  if (exchange.api !== API_VERSIONS) return undefined
  if (exchange.version <= API_VERSIONS.versions[1]) return intersect
  answerUnsupported(exchange)
  return undefined
}

/** KIP-511: version 0, the error, and the versions of this one API. */
function answerUnsupported(exchange: Exchange): void {
  const [minVersion, maxVersion] = API_VERSIONS.versions
  const message = {
    errorCode: KAFKA_ERROR.unsupportedVersion,
    apiKeys: [{ apiKey: API_VERSIONS.key, minVersion, maxVersion, tags: [] }],
    throttleTimeMs: 0,
    tags: [],
  }
  exchange.answer(API_VERSIONS, message, 0)
}

function intersect(answer: Answer): undefined {
  // A broker older than this request answers in version 0 and says so; it lists nothing but ApiVersions then.
  if (answer.frame().readInt16BE(8) === KAFKA_ERROR.unsupportedVersion) return
  const message = answer.message(API_VERSIONS)
  message.apiKeys = message.apiKeys.flatMap((offered) => {
    const api = APIS.get(offered.apiKey)
    if (api === undefined) return []
    const minVersion = Math.max(offered.minVersion, api.versions[0])
    const maxVersion = Math.min(offered.maxVersion, api.versions[1])
    return minVersion > maxVersion ? [] : [{ ...offered, minVersion, maxVersion }]
  })
  answer.changed()
}
