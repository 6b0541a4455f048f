import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { billingSettings } from '../billing/settings.ts'
import { orderSettings } from '../order/settings.ts'
import { productSettings } from '../product/settings.ts'

test('the ordinary names win over those that the mesh gives', () => {
  const settings = orderSettings({
    EVENTS_URL: 'http://127.0.0.1:1/',
    WEFT_EVENTS_URL: 'http://127.0.0.1:2',
    WEFT_DATA_DIR: '/mesh',
  })

  assert.equal(settings.eventsUrl, 'http://127.0.0.1:1')
  assert.equal(settings.dataDir, '/mesh')
})

test('without a data folder the database is under the working directory', () => {
  assert.equal(productSettings({}).dataDir, join(process.cwd(), '.data', 'product-service'))
})

test('all faults are reported at once, each with what came', () => {
  assert.throws(() => billingSettings({ PORT: '70000', LOG_LEVEL: 'loud' }), {
    message: [
      'settings:',
      '  PORT: expected a port from 0 to 65535; it is "70000"',
      '  LOG_LEVEL: expected trace, debug, info, warn, error, fatal, silent; it is "loud"',
      '  KAFKA_BROKERS or WEFT_KAFKA_BOOTSTRAP: expected host:port, several separated by commas; it is not set',
    ].join('\n'),
  })
})

test('an events URL that is none is refused', () => {
  assert.throws(() => orderSettings({ EVENTS_URL: '127.0.0.1:15010' }), /expected an http or https URL/)
})

test('an empty variable counts as not set', () => {
  assert.equal(
    productSettings({ DASHBOARD_URL: '', WEFT_DASHBOARD_URL: 'http://d/' }).dashboardUrl,
    'http://d',
  )
})
