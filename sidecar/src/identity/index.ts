export { type Backoff, backoffMs } from './backoff.ts'
export { controlPlaneClient } from './control-plane-client.ts'
export { type IdentityOptions, type IdentityState, type RunningIdentity, startIdentity } from './identity.ts'
