export type { Protocol } from './detect.ts'
export { type AcceptedConnection, DETECTION_TIMEOUT_MS, type Listener, listen } from './listener.ts'
export {
  authorityOf,
  type Destination,
  type DestinationOf,
  notCaptured,
  originalDestination,
} from './original-destination.ts'
