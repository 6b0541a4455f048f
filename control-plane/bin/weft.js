#!/usr/bin/env node
// The `weft` command: plain JavaScript, so that any Node can begin. Weft itself needs Node 24, which is installed as a
// package beside it: a Node that is too old hands over to that one.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const main = new URL('../src/cli/main.ts', import.meta.url)

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  process.removeAllListeners('warning')
  const { runProcess } = await import(main.href)
  await runProcess()
} else handOver()

/** Runs the same command line under the pinned Node; signals go there, its exit code comes back. */
function handOver() {
  const node = pinnedNode()
  const child = spawn(
    node,
    ['--disable-warning=ExperimentalWarning', fileURLToPath(main), ...process.argv.slice(2)],
    {
      stdio: 'inherit',
      // The `node` of this shell is too old for what Weft starts as well: commands of a weft.yaml that say `node` mean the same one.
      env: { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) },
    },
  )
  // Ctrl-C at a terminal reaches the child by itself, because it is in the same group: this one only has to outlive it.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('error', (error) => fail(`${node} cannot be started (${error.code})`))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

/** bin/node of the package `node`, wherever npm has put it. */
function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json')
    return join(dirname(manifest), 'bin', 'node')
  } catch {
    return fail(
      `Weft needs Node ${NEEDED}; this is ${process.version}, and the package "node" is not installed.\nRun npm install first.`,
    )
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
