import { type CommonSettings, type Environment, SettingsReader } from '../chassis/settings.ts'

export interface ProductSettings extends CommonSettings {
  /** The name of order-service in the mesh; an address where there is none. */
  readonly orderServiceUrl: string
  /** Orders link to `<dashboardUrl>/traces/<traceId>`; no links without it. */
  readonly dashboardUrl: string | undefined
}

/** Throws a SettingsError that lists every fault. */
export function productSettings(environment: Environment): ProductSettings {
  const reader = new SettingsReader(environment)
  return reader.complete({
    ...reader.common('product-service', 8080),
    orderServiceUrl: reader.url(['ORDER_SERVICE_URL']) ?? 'http://order-service',
    dashboardUrl: reader.url(['DASHBOARD_URL', 'WEFT_DASHBOARD_URL']),
  })
}
