import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import type {
  Fields,
  RequestHandler,
  RequestHead,
  ResponseHandler,
  Service,
} from '../../transport/exchange.ts'
import { headOf } from '../request-head.test-support.ts'
import { MirrorBudget, mirror } from './mirror.ts'
import { RecordedResponse } from './recorded.test-support.ts'

/** Takes a request and leaves the answer to the test. */
class Upstream implements Service {
  readonly calls: {
    head: RequestHead
    response: ResponseHandler
    body: string
    isEnded: boolean
    error?: MeshError
  }[] = []

  call(head: RequestHead, response: ResponseHandler): RequestHandler {
    const call: Upstream['calls'][number] = { head, response, body: '', isEnded: false }
    this.calls.push(call)
    return {
      data(chunk) {
        call.body += chunk.toString()
      },
      end() {
        call.isEnded = true
      },
      cancel(error) {
        call.error = error
        response.onFail(error, 'unanswered')
      },
      pause() {},
      resume() {},
    }
  }
}

function given(share = 1) {
  const main = new Upstream()
  const copy = new Upstream()
  const outcomes: string[] = []
  const budget = new MirrorBudget((name, outcome) => outcomes.push(`${name} ${outcome}`))
  const service = mirror(main, { service: copy, name: 'copy', share }, budget)
  const send = (head = headOf({})) => {
    const response = new RecordedResponse()
    return { response, handler: service.call(head, response) }
  }
  return { main, copy, outcomes, send }
}

const answer = ({ response }: Upstream['calls'][number], status = 200, fields: Fields = []): void => {
  response.onHead({ status, fields, length: 0 })
  response.onEnd(undefined)
}

describe('a mirror', () => {
  it('gets head and body of the request; its answer is heard by nobody', () => {
    const { main, copy, outcomes, send } = given()
    const { response, handler } = send(headOf({ method: 'POST', fields: ['a', 'b'] }))
    handler.data(Buffer.from('x'))
    handler.end(undefined)
    const [copied, own] = [copy.calls[0], main.calls[0]]
    assert.ok(copied && own)

    answer(copied, 500)
    assert.equal(response.status, 0)
    answer(own, 201)

    assert.deepEqual(
      [copied.head.method, copied.head.fields, copied.body, copied.isEnded],
      ['POST', ['a', 'b'], 'x', true],
    )
    assert.notEqual(copied.head.fields, own.head.fields)
    assert.notEqual(copied.head.notes, own.head.notes)
    assert.deepEqual([response.status, response.isEnded, outcomes], [201, true, ['copy answered']])
  })

  it('that fails, or throws, is not noticed', () => {
    const { main, copy, outcomes, send } = given()
    const { response, handler } = send()
    handler.end(undefined)
    copy.calls[0]?.response.onFail(new MeshError('connect_failed', 'x'), 'unsent')
    assert.ok(main.calls[0])
    answer(main.calls[0])
    assert.deepEqual([response.status, outcomes], [200, ['copy failed']])

    const thrower = mirror(
      main,
      {
        name: 'copy',
        share: 1,
        service: {
          call() {
            throw new MeshError('no_endpoint', 'x')
          },
        },
      },
      new MirrorBudget(() => {}),
    )
    const other = new RecordedResponse()
    thrower.call(headOf({}), other).end(undefined)
    assert.ok(main.calls[1])
    answer(main.calls[1])
    assert.equal(other.status, 200)
  })

  it('that cannot take more waits a little, and is then given up while the request goes on', () => {
    const { main, copy, outcomes, send } = given()
    const { handler } = send()
    copy.calls[0]?.response.onPause()
    handler.data(Buffer.from('a'))
    assert.equal(copy.calls[0]?.body, '')
    copy.calls[0]?.response.onResume()
    assert.equal(copy.calls[0]?.body, 'a')

    copy.calls[0]?.response.onPause()
    for (let n = 0; n < 5; n++) handler.data(Buffer.alloc(64 * 1024))

    assert.equal(copy.calls[0]?.error?.code, 'overloaded')
    assert.equal(main.calls[0]?.body.length, 1 + 5 * 64 * 1024)
    assert.deepEqual(outcomes, ['copy failed'])
  })

  it('is given up when the request ends before its body does', () => {
    const { main, copy, send } = given()
    const { handler } = send(headOf({ method: 'POST' }))
    handler.cancel(new MeshError('cancelled', 'the caller went away'))
    assert.equal(main.calls[0]?.error?.code, 'cancelled')
    assert.equal(copy.calls[0]?.error?.code, 'cancelled')
  })

  it('is left out where a hundred run', () => {
    const { main, copy, outcomes, send } = given()
    for (let n = 0; n < 101; n++) send().handler.end(undefined)
    assert.deepEqual([main.calls.length, copy.calls.length, outcomes], [101, 100, ['copy left-out']])

    assert.ok(copy.calls[0])
    answer(copy.calls[0])
    send()

    assert.equal(copy.calls.length, 101)
  })

  it('is made of its share of the requests', () => {
    const { copy, send } = given(0.25)
    for (let n = 0; n < 10_000; n++) {
      send().handler.end(undefined)
      const open = copy.calls.at(-1)
      if (open !== undefined) answer(open)
    }
    // Five standard deviations and more.
    assert.ok(Math.abs(copy.calls.length - 2_500) < 250, String(copy.calls.length))
  })
})
