export { type GrpcOptions, type GrpcServer, startGrpc } from './server.ts'
export type { SidecarRegistry, SidecarStatus } from './sidecar-registry.ts'
export type { OnReport, SnapshotProvider } from './sidecar-stream.ts'
