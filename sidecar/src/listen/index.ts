export type { Protocol } from './detect.ts'
export { DETECTION_TIMEOUT_MS, type Listener, listen } from './listener.ts'
