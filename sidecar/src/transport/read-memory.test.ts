import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

const MODULE = JSON.stringify(import.meta.resolve('./read-memory.ts'))

/** Resolves with the number that `program` prints. */
async function numberOf(program: string, ...flags: string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    '--input-type=module',
    '--eval',
    program,
  ])
  return Number(stdout)
}

/** Resolves with the MiB that are held outside of the heap after a gibibyte of reads that nobody keeps. */
function heldAfterReads(...flags: string[]): Promise<number> {
  const program = `
    const { countRead } = await import(${MODULE})
    let most = 0
    for (let read = 0; read < 16 * 1024; read++) {
      countRead(new Uint8Array(64 * 1024).length)
      if (read % 64 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    console.log(most / 1024 / 1024)`
  return numberOf(program, ...flags)
}

const RELEASED_MIB = 32

/** Resolves with the MiB of heap that a process keeps which had 64 MiB in use: once it was idle for a while, or after 300 reads more. */
function keptAfterWork({ readsOn }: { readsOn: boolean }): Promise<number> {
  const program = `
    const { countRead, releaseWhenIdle } = await import(${MODULE})
    const turn = () => new Promise((resolve) => setTimeout(resolve, 1))
    const heapMib = () => process.memoryUsage().heapTotal / 1024 / 1024
    const read = async (times) => {
      for (; times > 0; times--) {
        countRead(1024 * 1024)
        await turn()
      }
    }
    globalThis.kept = Array.from({ length: 1024 }, () => new Array(8 * 1024).fill(1))
    releaseWhenIdle(20)
    await read(30)
    globalThis.kept = undefined
    if (${readsOn}) await read(300)
    else for (const end = Date.now() + 10_000; heapMib() >= ${RELEASED_MIB} && Date.now() < end; ) await turn()
    console.log(heapMib())`
  return numberOf(program, '--expose-gc')
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

  it('is given back when the process is idle, and not under load', async () => {
    assert.ok((await keptAfterWork({ readsOn: false })) < RELEASED_MIB)
    assert.ok((await keptAfterWork({ readsOn: true })) > 48)
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
