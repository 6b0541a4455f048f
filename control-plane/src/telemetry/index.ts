export { startLag } from './lag.ts'
export { registerTelemetryRoutes } from './routes.ts'
export { createTelemetry, type Telemetry } from './telemetry.ts'
