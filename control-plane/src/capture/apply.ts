/** Runs what rules.ts writes: iptables where there is one, nft where only that exists. Applying twice is applying once. */
import { spawnSync } from 'node:child_process'
import {
  type CaptureOptions,
  type Family,
  INBOUND_CHAIN,
  iptablesText,
  nftText,
  OUTPUT_CHAIN,
} from './rules.ts'

/** Expected failures, in words for a person. */
export class CaptureError extends Error {}

interface Tool {
  apply(options: CaptureOptions): void
  remove(): void
  show(): string
}

const HOOKS = [
  ['OUTPUT', OUTPUT_CHAIN],
  ['PREROUTING', INBOUND_CHAIN],
] as const
const TABLES = { ipv4: 'iptables', ipv6: 'ip6tables' } as const

/** The one that this machine has. Throws CaptureError where it has none. */
export function captureTool(): Tool {
  if (isThere('iptables')) return iptables(isThere('ip6tables') ? ['ipv4', 'ipv6'] : ['ipv4'])
  if (isThere('nft')) return nft
  throw new CaptureError('expected iptables or nft; this machine has neither')
}

function iptables(families: readonly Family[]): Tool {
  const remove = (family: Family): void => {
    const table = TABLES[family]
    for (const [hook, chain] of HOOKS) {
      while (succeeds(table, ['-w', '-t', 'nat', '-D', hook, '-p', 'tcp', '-j', chain]));
      if (!succeeds(table, ['-w', '-t', 'nat', '-F', chain])) continue
      run(table, ['-w', '-t', 'nat', '-X', chain])
    }
  }
  return {
    apply(options) {
      for (const family of families) {
        const table = TABLES[family]
        run(`${table}-restore`, ['-w', '--noflush'], iptablesText(options, family))
        for (const [hook, chain] of HOOKS) {
          const jump = [hook, '-p', 'tcp', '-j', chain]
          if (!succeeds(table, ['-w', '-t', 'nat', '-C', ...jump]))
            run(table, ['-w', '-t', 'nat', '-A', ...jump])
        }
      }
    },
    remove() {
      assertPermitted('iptables', ['-w', '-t', 'nat', '-S'])
      for (const family of families) remove(family)
    },
    show: () =>
      families
        .map((family) => run(TABLES[family], ['-w', '-t', 'nat', '-S']))
        .join('')
        .split('\n')
        .filter((line) => line.includes('WEFT_'))
        .join('\n'),
  }
}

const nft: Tool = {
  apply: (options) => void run('nft', ['-f', '-'], nftText(options)),
  remove: () => void run('nft', ['-f', '-'], 'table inet weft {}\ndelete table inet weft\n'),
  show: () =>
    succeeds('nft', ['list', 'table', 'inet', 'weft']) ? run('nft', ['list', 'table', 'inet', 'weft']) : '',
}

const isThere = (command: string): boolean => spawnSync(command, ['--version']).error === undefined

const succeeds = (command: string, words: readonly string[]): boolean =>
  spawnSync(command, words).status === 0

const assertPermitted = (command: string, words: readonly string[]): void => void run(command, words)

/** What it wrote. Throws CaptureError with what it complained of. */
function run(command: string, words: readonly string[], input = ''): string {
  const { status, error, stdout, stderr } = spawnSync(command, words, { input, encoding: 'utf8' })
  if (status === 0) return stdout
  const said = error?.message ?? stderr.trim()
  if (/permission denied|operation not permitted/i.test(said))
    throw new CaptureError(`${command} needs root, or the capability NET_ADMIN: ${said.split('\n')[0] ?? ''}`)
  throw new CaptureError(`${command} failed: ${said}`)
}
