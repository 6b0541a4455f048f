import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { it } from 'node:test'
import { promisify } from 'node:util'

it('loads the Kafka library when it is needed, and not with the event API', async () => {
  const program = `
    import { registerHooks } from 'node:module'
    let isLoaded = false
    registerHooks({
      load(url, context, next) {
        isLoaded ||= url.includes('@platformatic/kafka')
        return next(url, context)
      },
    })
    await import(${JSON.stringify(import.meta.resolve('./events/index.ts'))})
    const before = isLoaded
    const { kafkaClient } = await import(${JSON.stringify(import.meta.resolve('./kafka-client.ts'))})
    console.log(JSON.stringify({ before, what: typeof kafkaClient().Consumer, after: isLoaded }))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  assert.deepEqual(JSON.parse(stdout), { before: false, what: 'function', after: true })
})
