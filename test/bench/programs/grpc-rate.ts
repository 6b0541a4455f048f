/**
 * Unary gRPC calls at a fixed rate, as an open loop: each has its moment, and its delay counts from there, however late the
 * one before was. Words: port, authority, calls per second, seconds. Writes one line of JSON: `{"delaysMs":[…],"errors":0}`.
 */
import { Client, credentials } from '@grpc/grpc-js'
import { echoMessage } from '../load/echo-message.ts'

const [port = '', authority = '', rate = '', seconds = ''] = process.argv.slice(2)
const CALL_TIMEOUT_MS = 5_000
const READY_TIMEOUT_MS = 20_000
const TICK_MS = 1

const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
  'grpc.default_authority': authority,
})
const bytes = (message: Buffer): Buffer => message
const message = echoMessage()

await new Promise<void>((resolve, reject) => {
  client.waitForReady(Date.now() + READY_TIMEOUT_MS, (error) =>
    error === undefined ? resolve() : reject(error),
  )
})
const total = Number(rate) * Number(seconds)
const intervalMs = 1000 / Number(rate)
const delaysMs: number[] = []
let errors = 0
let sent = 0
const begin = performance.now()

const ticking = setInterval(() => {
  while (sent < total && begin + sent * intervalMs <= performance.now()) call(begin + sent++ * intervalMs)
}, TICK_MS)

function call(dueAt: number): void {
  const options = { deadline: Date.now() + CALL_TIMEOUT_MS }
  client.makeUnaryRequest('/weft.bench.Echo/Say', bytes, bytes, message, options, (error) => {
    if (error === null) delaysMs.push(performance.now() - dueAt)
    else {
      if (errors === 0) process.stderr.write(`${error.message}\n`)
      errors++
    }
    if (delaysMs.length + errors < total) return
    clearInterval(ticking)
    client.close()
    process.stdout.write(`${JSON.stringify({ delaysMs, errors })}\n`)
  })
}
