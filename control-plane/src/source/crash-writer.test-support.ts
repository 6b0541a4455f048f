/** A process for crash.test.ts: puts two resources together, again and again, until it is killed; says each version that it was told is durable. */
import { createLog } from '@weft/schemas/node/log'
import { openStore } from './index.ts'
import { request, topic } from './source.test-support.ts'

const [stateDir = '', folder = '', from = '1'] = process.argv.slice(2)
const log = createLog('writer')
log.level = 'silent'
const store = await openStore({ stateDir, folders: [folder], log })
for (let partitions = Number(from); ; partitions++) {
  const spec = `{ partitions: ${partitions} }`
  await store.put(request(`${topic('own', spec)}---\n${topic('watched', spec)}`))
  process.stdout.write(`${partitions}\n`)
}
