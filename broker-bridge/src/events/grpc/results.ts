import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { MeshError } from '@weft/schemas/error'
import { type Published, type PublishResult, PublishResultSchema } from '@weft/schemas/proto'

/** What became of the event at `index` of a call. */
export function resultOf(index: number, outcome: Published | MeshError): PublishResult {
  const told: MessageInitShape<typeof PublishResultSchema>['outcome'] =
    outcome instanceof MeshError
      ? {
          case: 'problem',
          value: { code: outcome.row.id, detail: outcome.message, retryable: outcome.row.retryable },
        }
      : { case: 'published', value: outcome }
  return create(PublishResultSchema, { index: BigInt(index), outcome: told })
}
