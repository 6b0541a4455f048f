/** A mesh that looks real, behind the real routes: for the tests of the dashboard in a browser, and to look at it. */
import type { AddressInfo } from 'node:net'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics } from '@weft/schemas/node/metrics'
import { spiffeId } from '@weft/schemas/spiffe'
import { fastify } from 'fastify'
import { createTelemetry, registerTelemetryRoutes, type Telemetry } from '../telemetry/index.ts'
import { LAG, meshResources, meshSidecars, PERMITTED, TRAFFIC } from './example-data.test-support.ts'
import { oneSpan, orderTrace } from './example-trace.test-support.ts'
import { registerDashboard } from './register.ts'

export interface ExampleMesh {
  readonly url: string
  readonly telemetry: Telemetry
  /** Every sidecar reports counters that are this many times those of one second. */
  reportTraffic(seconds: number): void
  /** The notification service may consume orders from now on, and does. */
  permitNotification(): void
  /** Sends the spans of one order by OTLP and returns its trace id. */
  sendTrace(trace?: { readonly startUnixMs?: number; readonly isPaid?: boolean }): Promise<string>
  /** Sends one more span of a trace, as a root. */
  sendSpan(traceId: string, name: string): Promise<void>
  close(): Promise<void>
}

const FAULT = {
  file: 'policies/orders.yaml',
  line: 14,
  column: 9,
  path: 'spec.rules[0].to[0]',
  message: 'spec.rules[0].to[0]: expected kafka or http, came "kafak" (did you mean "kafka"?)',
}

/** Listens on a free port of the loopback address, or on `port`. `isEmpty`: a mesh in which nothing has been defined. `dist`: the built page. */
export async function startExampleMesh(
  options: { readonly isEmpty?: boolean; readonly port?: number; readonly dist?: string } = {},
): Promise<ExampleMesh> {
  const isEmpty = options.isEmpty === true
  const resources = isEmpty ? [] : meshResources()
  const sidecars = isEmpty ? [] : meshSidecars()
  const telemetry = createTelemetry({
    log: createLog('example-mesh'),
    metrics: createMetrics(),
    resources: () => resources,
    sidecars: () => sidecars,
    lag: () => LAG,
    version: () => 12,
    faults: () => (isEmpty ? [] : [FAULT]),
  })
  const app = fastify({ forceCloseConnections: true })
  registerTelemetryRoutes(app, telemetry)
  registerDashboard(app, options.dist === undefined ? {} : { dist: options.dist })
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`

  const report = (traffic: typeof TRAFFIC, seconds: number): void => {
    for (const [service, edges] of Object.entries(traffic)) {
      telemetry.report(
        spiffeId('weft.local', 'default', service),
        `${service}-1`,
        edges.map((edge) => ({
          ...edge,
          total: BigInt(edge.total * seconds),
          failed: BigInt(edge.failed * seconds),
          refused: BigInt(edge.refused * seconds),
          durationSeconds: edge.durationSeconds * seconds,
        })),
      )
    }
  }
  const post = async (body: object): Promise<void> => {
    await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }
  return {
    url,
    telemetry,
    reportTraffic: (seconds) => report(TRAFFIC, seconds),
    permitNotification: () => report(PERMITTED, 40),
    sendTrace: async (trace = {}) => {
      const { traceId, body } = orderTrace(trace)
      await post(body)
      return traceId
    },
    sendSpan: (traceId, name) => post(oneSpan(traceId, name)),
    close: () => app.close(),
  }
}
