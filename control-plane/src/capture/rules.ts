/**
 * The rules that lead an app's traffic through its sidecar, as text for iptables-restore or nft. Pure: who runs them is apply.ts.
 *
 *   app ──▶ OUTPUT ──▶ own traffic of the sidecar, loopback, what is excluded: as it was
 *                 └──▶ everything else of TCP: to the outbound port of the sidecar
 *   network ──▶ PREROUTING ──▶ ports of the sidecar, what is excluded: as it was
 *                         └──▶ everything else of TCP: to its inbound port
 */
export interface CaptureOptions {
  readonly outboundPort: number
  /** Undefined: what comes in is left as it is. */
  readonly inboundPort: number | undefined
  /** User id of the sidecar, whose own connections must not come back to it. */
  readonly uid: number
  readonly excludedOutboundPorts: readonly number[]
  /** Address ranges of either family; each family takes its own. */
  readonly excludedRanges: readonly string[]
  readonly excludedInboundPorts: readonly number[]
}

export type Family = 'ipv4' | 'ipv6'

export const OUTPUT_CHAIN = 'WEFT_OUTPUT'
export const INBOUND_CHAIN = 'WEFT_INBOUND'

const LOOPBACK = { ipv4: '127.0.0.0/8', ipv6: '::1/128' } as const

const familyOf = (range: string): Family => (range.includes(':') ? 'ipv6' : 'ipv4')

/** For `iptables-restore --noflush`, which replaces both chains in one step and leaves all others alone. */
export function iptablesText(options: CaptureOptions, family: Family): string {
  const outbound = [
    `-m owner --uid-owner ${options.uid} -j RETURN`,
    ...rangesOf(options, family).map((range) => `-d ${range} -j RETURN`),
    ...options.excludedOutboundPorts.map((port) => `-p tcp --dport ${port} -j RETURN`),
    `-p tcp -j REDIRECT --to-ports ${options.outboundPort}`,
  ]
  const inbound =
    options.inboundPort === undefined
      ? []
      : [
          ...inboundPortsOf(options).map((port) => `-p tcp --dport ${port} -j RETURN`),
          `-p tcp -j REDIRECT --to-ports ${options.inboundPort}`,
        ]
  return [
    '*nat',
    `:${OUTPUT_CHAIN} - [0:0]`,
    `:${INBOUND_CHAIN} - [0:0]`,
    ...outbound.map((rule) => `-A ${OUTPUT_CHAIN} ${rule}`),
    ...inbound.map((rule) => `-A ${INBOUND_CHAIN} ${rule}`),
    'COMMIT',
    '',
  ].join('\n')
}

/** For `nft -f -`: one table of both families, made anew in one step. */
export function nftText(options: CaptureOptions): string {
  const ranges = (family: Family): string[] =>
    rangesOf(options, family).map((range) => `    ${family === 'ipv4' ? 'ip' : 'ip6'} daddr ${range} return`)
  const inbound =
    options.inboundPort === undefined
      ? []
      : [
          '  chain inbound {',
          '    type nat hook prerouting priority dstnat;',
          ...inboundPortsOf(options).map((port) => `    tcp dport ${port} return`),
          `    meta l4proto tcp redirect to :${options.inboundPort}`,
          '  }',
        ]
  return [
    'table inet weft {}',
    'delete table inet weft',
    'table inet weft {',
    '  chain output {',
    '    type nat hook output priority -100;',
    `    meta skuid ${options.uid} return`,
    ...ranges('ipv4'),
    ...ranges('ipv6'),
    ...options.excludedOutboundPorts.map((port) => `    tcp dport ${port} return`),
    `    meta l4proto tcp redirect to :${options.outboundPort}`,
    '  }',
    ...inbound,
    '}',
    '',
  ].join('\n')
}

const rangesOf = ({ excludedRanges }: CaptureOptions, family: Family): readonly string[] => [
  LOOPBACK[family],
  ...excludedRanges.filter((range) => familyOf(range) === family),
]

/** Its own inbound port too: other sidecars call it by that one. */
const inboundPortsOf = ({ inboundPort, excludedInboundPorts }: CaptureOptions): readonly number[] =>
  inboundPort === undefined ? excludedInboundPorts : [inboundPort, ...excludedInboundPorts]
