import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './metrics.ts'

test('what was counted with labels and through a kept number is one count', async () => {
  const metrics = createMetrics()
  const counter = metrics.counter('weft_http_retries_total')
  const kept = counter.labels({ destination: 'app', reason: 'reset' })

  kept.inc()
  kept.inc(2)
  counter.inc({ reason: 'reset', destination: 'app' })
  metrics.counter('weft_http_retries_total').inc({ destination: 'a "b"\n', reason: 'reset' })

  const lines = (await metrics.registry.metrics()).split('\n')
  assert.deepEqual(
    lines.filter((line) => line.startsWith('weft_')),
    [
      'weft_http_retries_total{destination="app",reason="reset"} 4',
      'weft_http_retries_total{destination="a \\"b\\"\\n",reason="reset"} 1',
    ],
  )
})

test('a value at a bound of a histogram is in its bucket, one above all bounds in +Inf only', async () => {
  const metrics = createMetrics()
  const histogram = metrics.histogram('weft_event_publish_duration_seconds')

  histogram.observe({ topic: 'orders' }, 0.0005)
  histogram.labels({ topic: 'orders' }).observe(0.3)
  histogram.observe({ topic: 'orders' }, 60)

  const { values } = await histogram.get()
  const bucket = (le: number | string) => values.find(({ labels }) => labels.le === le)?.value
  assert.equal(bucket(0.0005), 1)
  assert.equal(bucket(0.25), 1)
  assert.equal(bucket(0.5), 2)
  assert.equal(bucket(10), 2)
  assert.equal(bucket('+Inf'), 3)
  const text = await metrics.registry.metrics()
  assert.match(text, /^# TYPE weft_event_publish_duration_seconds histogram$/m)
  assert.match(text, /^weft_event_publish_duration_seconds_bucket\{le="\+Inf",topic="orders"\} 3$/m)
  assert.match(text, /^weft_event_publish_duration_seconds_sum\{topic="orders"\} 60\.3005$/m)
  assert.match(text, /^weft_event_publish_duration_seconds_count\{topic="orders"\} 3$/m)
})
