import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Snapshots } from '../../process/workload.ts'
import {
  type Bridge,
  committed,
  createTopic,
  denies,
  eventually,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  streamEntry,
  topicEntry,
  type World,
} from './world.ts'

interface Sent {
  readonly id: string
  readonly record: {
    readonly topic: string
    readonly offset: string
    readonly attempt: number
    readonly key?: string
    readonly headers: Readonly<Record<string, string>>
    readonly event?: Readonly<Record<string, unknown>>
    readonly contentType?: string
    readonly data?: unknown
    readonly data_base64?: string
  }
}

const TOPICS = ['shown', 'window', 'buried', 'auto', 'gone', 'flipped', 'unread']

/** One connection to the event stream of a subscription. */
class EventSource implements AsyncDisposable {
  readonly got: Sent[] = []
  readonly #abort = new AbortController()
  readonly #response: Response
  readonly ended: Promise<void>
  #onMore = (): void => {}

  private constructor(response: Response, abort: AbortController) {
    this.#response = response
    this.#abort = abort
    this.ended = this.#read().catch(() => {})
  }

  static async open(url: string): Promise<EventSource> {
    const abort = new AbortController()
    const response = await fetch(url, { signal: abort.signal })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    return new EventSource(response, abort)
  }

  async #read(): Promise<void> {
    let text = ''
    for await (const chunk of this.#response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (text + chunk).split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const [, id = '', data = ''] = /^id: (.*)\ndata: (.*)$/.exec(event) ?? []
        if (id !== '') this.got.push({ id, record: JSON.parse(data) as Sent['record'] })
      }
      this.#onMore()
    }
  }

  async until(count: number): Promise<readonly Sent[]> {
    while (this.got.length < count)
      await new Promise<void>((resolve) => {
        this.#onMore = resolve
      })
    return this.got
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.ended
  }
}

describe('taking the records of a subscription as server-sent events', () => {
  let world: World
  let bridge: Bridge
  let snapshots: Snapshots

  const url = (name: string, query = '') => `${bridge.url}/v1/subscriptions/${name}/events${query}`
  const publish = async (topic: string, values: readonly string[], headers: Record<string, string> = {}) => {
    for (const body of values)
      await fetch(`${bridge.url}/v1/topics/${topic}/events`, { method: 'POST', body, headers })
  }
  const settle = async (name: string, settlements: unknown) => {
    const body = typeof settlements === 'string' ? settlements : JSON.stringify(settlements)
    const path = `${bridge.url}/v1/subscriptions/${name}/settlements`
    const response = await fetch(path, { method: 'POST', body })
    return { status: response.status, body: (await response.json()) as { late?: string[]; detail?: string } }
  }
  const isCommitted = (topic: string, offset: number) => async () =>
    (await committed(world, `${topic}-group`, topic)).get(0) === offset

  before(async () => {
    world = await startWorld()
    for (const topic of TOPICS) {
      await createTopic(world, topic)
      await createTopic(world, `${topic}.dlt`)
    }
    snapshots = snapshotOf(world.broker.bootstrapServers, {
      topics: TOPICS.map((name) => topicEntry(name)),
      subscriptions: TOPICS.map((topic) => streamEntry(topic)),
    })
    bridge = await startBridge(snapshots)
  })
  after(async () => {
    await bridge[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })

  it('shows CloudEvents in their JSON format, and anything else with its type', async () => {
    const attributes = { 'ce-id': '1', 'ce-source': '/t', 'ce-type': 'T', 'ce-specversion': '1.0' }
    const json = { 'content-type': 'application/json' }
    await publish('shown', ['{"n":"ü\\n"}'], {
      ...attributes,
      ...json,
      'weft-key': 'k',
      'weft-header-tenant': 'blue',
    })
    await publish('shown', ['{"n":2}'], json)
    await publish('shown', ['no json'], json)
    await publish('shown', [''], { 'weft-tombstone': 'true', 'weft-key': 'k2' })
    await using source = await EventSource.open(url('shown'))
    const got = await source.until(4)
    const [event, plain, broken, tombstone] = got
      .toSorted((a, b) => Number(a.record.offset) - Number(b.record.offset))
      .map(({ record }) => record)
    assert.deepEqual(event?.event, {
      id: '1',
      source: '/t',
      type: 'T',
      specversion: '1.0',
      datacontenttype: 'application/json',
      data: { n: 'ü\n' },
    })
    assert.deepEqual([event?.key, event?.headers.tenant, event?.attempt], ['k', 'blue', 1])
    assert.deepEqual([plain?.contentType, plain?.data], ['application/json', { n: 2 }])
    assert.equal(Buffer.from(broken?.data_base64 ?? '', 'base64').toString(), 'no json')
    assert.ok(tombstone !== undefined && !('data' in tombstone) && !('data_base64' in tombstone))

    const { status, body } = await settle(
      'shown',
      got.map(({ id }) => ({ id, action: 'acknowledge' })),
    )
    assert.deepEqual([status, body], [200, { late: [] }])
    await eventually(isCommitted('shown', 4))
    const first = got[0]?.id ?? ''
    assert.deepEqual((await settle('shown', [{ id: first, action: 'acknowledge' }])).body, { late: [first] })
    assert.deepEqual((await settle('window', [{ id: first, action: 'acknowledge' }])).body, { late: [first] })
  })

  it('sends as many as are not settled, and then waits', async () => {
    const values = Array.from({ length: 10 }, (_, at) => `${at}`)
    await publish('window', values)
    await using source = await EventSource.open(url('window', '?window=3'))
    const got = [...(await source.until(3))]
    for (let at = 0; at < 10; at++) {
      assert.ok(source.got.length <= at + 3)
      const { id } = (await source.until(at + 1))[at] as Sent
      await settle('window', [{ id, action: 'acknowledge' }])
    }
    assert.equal(got.length, 3)
    await eventually(isCommitted('window', 10))
  })

  it('retries, drops and buries as it is told', async () => {
    await publish('buried', ['retry', 'drop', 'bury'], { 'weft-key': 'one', 'content-type': 'text/plain' })
    await using source = await EventSource.open(url('buried'))
    const actions = [{ action: 'retry', retryAfterMs: 1 }, { action: 'acknowledge' }]
    for (const [at, action] of [...actions, { action: 'drop' }, { action: 'dead-letter' }].entries())
      await settle('buried', [{ id: (await source.until(at + 1))[at]?.id, ...action }])
    await eventually(isCommitted('buried', 3))
    assert.deepEqual(
      source.got.map(({ record }) => record.attempt),
      [1, 2, 1, 1],
    )
    const letters = await readTopic(world, 'buried.dlt')
    assert.deepEqual(
      letters.map(({ value }) => value),
      ['bury'],
    )
  })

  it('needs no settling where the caller wants none', async () => {
    await publish(
      'auto',
      Array.from({ length: 40 }, (_, at) => `${at}`),
    )
    await using source = await EventSource.open(url('auto', '?settle=auto'))
    await source.until(40)
    await eventually(isCommitted('auto', 40))
  })

  it('delivers to the next one what the last one left unsettled', async () => {
    await publish('gone', ['a'])
    {
      await using first = await EventSource.open(url('gone'))
      await first.until(1)
    }
    await using second = await EventSource.open(url('gone'))
    const [again] = await second.until(1)
    assert.equal(again?.record.attempt, 2)
    await settle('gone', [{ id: again?.id, action: 'acknowledge' }])
    await eventually(isCommitted('gone', 1))
  })

  it('holds what a caller does not read, and no more', async () => {
    await publish(
      'unread',
      Array.from({ length: 60 }, () => 'x'.repeat(500_000)),
    )
    const socket = connect(Number(new URL(bridge.url).port), '127.0.0.1')
    socket.pause()
    socket.write(
      'GET /v1/subscriptions/unread/events?settle=auto&window=1024 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    )
    const place = async () => (await committed(world, 'unread-group', 'unread')).get(0) ?? -1
    await eventually(async () => (await place()) > 0)
    // Others are served in the meantime.
    await publish(
      'auto',
      Array.from({ length: 200 }, () => 'y'),
    )
    assert.ok((await place()) < 50, `${await place()} records were taken`)
    socket.destroy()
  })

  it('refuses what is no such request, with all that is expected', async () => {
    const refused = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${bridge.url}${path}`, init)
      return [response.status, ((await response.json()) as { detail: string }).detail] as const
    }
    const events = '/v1/subscriptions/shown/events'
    assert.deepEqual((await refused('/v1/subscriptions/nobody/events'))[0], 404)
    assert.deepEqual((await refused('/v1/subscriptions/shown'))[0], 404)
    assert.deepEqual((await refused('/v1/subscriptions/..%2f/events'))[0], 404)
    assert.deepEqual((await refused(events, { method: 'POST' }))[0], 405)
    assert.deepEqual((await refused(events, { headers: { origin: 'http://evil' } }))[0], 403)
    for (const query of ['settle=maybe', 'window=0', 'window=1025', 'window=x'])
      assert.match((await refused(`${events}?${query}`)).join(' '), /^400 (settle|window): expected/)
    for (const [body, expected] of [
      ['no json', /expected a JSON list/],
      ['{}', /expected a JSON list/],
      ['[1]', /^\[0\]: expected/],
      ['[{"id":"x","action":"acknowledge"}]', /^\[0\]\.id/],
      ['[{"id":"abcdefghijkl.1","action":"toString"}]', /^\[0\]\.action/],
      ['[{"id":"abcdefghijkl.1","action":"retry","retryAfterMs":-1}]', /^\[0\]\.retryAfterMs/],
    ] as const) {
      const { status, body: problem } = await settle('shown', body)
      assert.equal(status, 400)
      assert.match(problem.detail ?? '', expected)
    }
    assert.equal((await settle('shown', ' '.repeat(70_000))).status, 413)
    const unknown = await settle('shown', [{ id: 'abcdefghijkl.1', action: 'acknowledge' }])
    assert.deepEqual(unknown.body, { late: ['abcdefghijkl.1'] })
  })

  it('ends when the policy that allowed it has changed, and at a stop', async () => {
    await using source = await EventSource.open(url('flipped'))
    snapshots.change({ policies: [denies('flipped')] })
    await source.ended
    assert.equal((await fetch(url('flipped'))).status, 403)
    snapshots.change({ policies: [] })

    const other = await startBridge(snapshots)
    await using last = await EventSource.open(`${other.url}/v1/subscriptions/flipped/events`)
    await other.drain(5_000)
    await last.ended
  })
})
