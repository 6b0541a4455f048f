import type { MessageInitShape } from '@bufbuild/protobuf'
import type { EdgeSchema } from './gen/weft/config/v1/config_pb.js'

export {
  ConfigStream,
  type Edge,
  EdgeSchema,
  type SidecarMessage,
  SidecarMessageSchema,
  type Update,
  UpdateSchema,
} from './gen/weft/config/v1/config_pb.js'
export {
  type Delivery,
  DeliverySchema,
  type Event,
  EventSchema,
  Events,
  type PublishBatchRequest,
  PublishBatchRequestSchema,
  type PublishBatchResponse,
  PublishBatchResponseSchema,
  type Published,
  PublishedSchema,
  type PublishResult,
  PublishResultSchema,
  type Settlement,
  Settlement_Action,
  type SubscribeRequest,
  SubscribeRequestSchema,
} from './gen/weft/events/v1/events_pb.js'
export {
  Certificates,
  type SignRequest,
  SignRequestSchema,
  type SignResponse,
  SignResponseSchema,
} from './gen/weft/identity/v1/identity_pb.js'

/** An Edge as a plain object, `$typeName` and zero values left out. */
export type EdgeInit = MessageInitShape<typeof EdgeSchema>
