import { type CommonSettings, type Environment, SettingsReader } from '../chassis/settings.ts'

export interface OrderSettings extends CommonSettings {
  /** Where events are published: the event API of the own sidecar. */
  readonly eventsUrl: string
  /** For the test that proves the outbox: the process kills itself between store and publish of the first order. */
  readonly crashAfterStore: boolean
}

/** Throws a SettingsError that lists every fault. */
export function orderSettings(environment: Environment): OrderSettings {
  const reader = new SettingsReader(environment)
  return reader.complete({
    ...reader.common('order-service', 8081),
    eventsUrl: reader.requiredUrl(['EVENTS_URL', 'WEFT_EVENTS_URL']),
    crashAfterStore: reader.text(['CRASH_AFTER_STORE']) === '1',
  })
}
