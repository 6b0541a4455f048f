import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

/** Resolves with the MiB that are held outside of the heap after a gibibyte of reads that nobody keeps. */
async function heldAfterReads(...flags: string[]): Promise<number> {
  const program = `
    const { countRead } = await import(${JSON.stringify(import.meta.resolve('./read-memory.ts'))})
    let most = 0
    for (let read = 0; read < 16 * 1024; read++) {
      countRead(new Uint8Array(64 * 1024).length)
      if (read % 64 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    console.log(most / 1024 / 1024)`
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    '--input-type=module',
    '--eval',
    program,
  ])
  return Number(stdout)
}

describe('memory of reads', () => {
  it('is collected by the bytes that were read', async () => {
    // What came since the last collection, and what that one left to its sweeper; a hundred without it.
    const held = await heldAfterReads('--expose-gc')
    assert.ok(held <= 48, `${held} MiB were held`)
  })

  it('is left to V8 where the process was started without the means', async () => {
    assert.ok((await heldAfterReads()) > 0)
  })

  it('is collected in the image as under weft up', () => {
    const flags = (file: string): string[] =>
      readFileSync(new URL(file, import.meta.url), 'utf8').match(
        /--(?:expose-gc|max-semi-space-size=\d+)/g,
      ) ?? []
    const image = flags('../../../deploy/docker/sidecar.Dockerfile')
    assert.deepEqual(image, ['--max-semi-space-size=4', '--expose-gc'])
    assert.deepEqual(flags('../../../control-plane/src/cli/up/sidecar.ts'), image)
  })
})
