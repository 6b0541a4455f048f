export { type RunningSnapshots, type SnapshotsOptions, startSnapshots } from './snapshots.ts'
