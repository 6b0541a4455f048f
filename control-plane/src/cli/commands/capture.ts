import { type Command, InvalidArgumentError } from 'commander'
import { CaptureError, captureTool } from '../../capture/apply.ts'
import { type CaptureOptions, iptablesText } from '../../capture/rules.ts'
import { document } from '../document.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'

interface Flags {
  readonly outboundPort: number
  readonly inboundPort: number
  readonly inbound: boolean
  readonly uid: number
  readonly excludeOutboundPorts: readonly number[]
  readonly excludeRanges: readonly string[]
  readonly excludeInboundPorts: readonly number[]
  readonly dryRun?: boolean
}

/** The user of the sidecar's image has it, and no app should. */
const DEFAULT_UID = 1337
/** The admin port of the sidecar: probes and scrapers are not of the mesh. */
const DEFAULT_EXCLUDED_INBOUND_PORTS = [15_020]

export function addCapture(program: Command, io: Io): void {
  const capture = program.command('capture')
  document(capture, {
    description:
      'Lead the TCP traffic of this machine, container or namespace through its sidecar (iptables, or nft).',
    examples: [['weft capture apply --uid 1337', 'everything but the sidecar’s own traffic']],
  })
  addApplyRules(capture, io)
  const show = capture.command('show').action(() => {
    const rules = explained(() => captureTool().show())
    io.out.write(rules === '' ? 'nothing is captured\n' : `${rules.trim()}\n`)
  })
  document(show, {
    description: 'Print the rules that are in force.',
    examples: [['weft capture show', 'or that nothing is captured']],
  })
  const remove = capture.command('remove').action(() => explained(() => captureTool().remove()))
  document(remove, {
    description: 'Take the rules away.',
    examples: [['weft capture remove', 'also where there are none']],
  })
}

function addApplyRules(capture: Command, io: Io): void {
  const apply = capture
    .command('apply')
    .option('--outbound-port <port>', 'outbound port of the sidecar', parsePort, 15_001)
    .option('--inbound-port <port>', 'inbound port of the sidecar', parsePort, 15_006)
    .option('--no-inbound', 'leave what comes in as it is')
    .option('--uid <uid>', 'user id of the sidecar, whose own traffic is left out', parseUid, DEFAULT_UID)
    .option(
      '--exclude-outbound-ports <ports>',
      'ports that go by the sidecar, separated by commas',
      parsePorts,
      [],
    )
    .option('--exclude-ranges <ranges>', 'address ranges that go by it, separated by commas', parseRanges, [])
    .option(
      '--exclude-inbound-ports <ports>',
      'ports of the app that are reached directly',
      parsePorts,
      DEFAULT_EXCLUDED_INBOUND_PORTS,
    )
    .option('--dry-run', 'print the rules and change nothing')
    .action((flags: Flags) => {
      const options: CaptureOptions = {
        outboundPort: flags.outboundPort,
        inboundPort: flags.inbound ? flags.inboundPort : undefined,
        uid: flags.uid,
        excludedOutboundPorts: flags.excludeOutboundPorts,
        excludedRanges: flags.excludeRanges,
        excludedInboundPorts: flags.excludeInboundPorts,
      }
      if (flags.dryRun === true)
        io.out.write(`${iptablesText(options, 'ipv4')}\n# IPv6\n${iptablesText(options, 'ipv6')}`)
      else explained(() => captureTool().apply(options))
    })
  document(apply, {
    description: 'Write the rules; where there are some already, replace them.',
    examples: [
      ['weft capture apply --uid 1337', 'everything but the sidecar’s own traffic'],
      ['weft capture apply --exclude-ranges 10.1.0.0/16,fd00::/8 --exclude-outbound-ports 22', 'not these'],
      ['weft capture apply --dry-run', 'print them'],
    ],
  })
}

function explained<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof CaptureError) throw new CliError(error.message)
    throw error
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^[0-9]{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('expected a port from 1 to 65535')
  return port
}

const parsePorts = (text: string): readonly number[] => text.split(',').map((part) => parsePort(part.trim()))

function parseUid(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('expected a numeric user id')
  return Number(text)
}

/** `10.0.0.0/8` or `fd00::/8`: nothing else may reach the text of a rule. */
const parseRanges = (text: string): readonly string[] =>
  text.split(',').map((part) => {
    const range = part.trim()
    if (
      !/^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:\/[0-9]{1,2})?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:\/[0-9]{1,3})?)$/.test(
        range,
      )
    )
      throw new InvalidArgumentError(
        `expected an address range such as 10.0.0.0/8 or fd00::/8; ${range} came`,
      )
    return range
  })
