import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ControlPlaneClient } from './client.ts'
import { findContext, type MeshContext } from './context.ts'
import { usageError } from './errors.ts'
import type { Io } from './io.ts'
import type { OutputFormat } from './output/format.ts'

const DEFAULT_CONTROL_PLANE_URL = 'http://127.0.0.1:15014'
const DEFAULT_GRPC_ADDRESS = '127.0.0.1:15012'
const DEFAULT_TIMEOUT_MS = 10_000

/** The global options, as commander leaves them. */
export interface GlobalOptions {
  readonly output?: OutputFormat
  readonly namespace?: string
  readonly quiet?: true
  readonly verbose?: true
  readonly controlPlane?: string
  readonly tokenFile?: string
  readonly timeout?: number
}

export const globals = (command: Command): GlobalOptions => command.optsWithGlobals<GlobalOptions>()

/** Which control plane a command talks to, and why that one. */
export interface Target {
  readonly url: string
  readonly grpcAddress: string
  readonly tokenFile: string | undefined
  readonly context: MeshContext | undefined
}

/**
 * `--control-plane`, else WEFT_CONTROL_PLANE_URL, else the nearest context file, else the default port. The token
 * of a context goes to the control plane of that context only, never to an address from elsewhere.
 */
export async function findTarget(io: Io, options: GlobalOptions): Promise<Target> {
  const named = options.controlPlane ?? nonEmpty(io.env.WEFT_CONTROL_PLANE_URL)
  if (named !== undefined) checkUrl(named)
  const nearest = await findContext(io.cwd)
  const context = named === undefined || sameOrigin(named, nearest?.controlPlaneUrl) ? nearest : undefined
  const tokenFile =
    options.tokenFile ??
    nonEmpty(io.env.WEFT_ADMIN_TOKEN_FILE) ??
    context?.adminTokenFile ??
    (nonEmpty(io.env.WEFT_STATE_DIR) === undefined
      ? undefined
      : join(io.env.WEFT_STATE_DIR ?? '', 'admin-token'))
  return {
    url: named ?? context?.controlPlaneUrl ?? DEFAULT_CONTROL_PLANE_URL,
    grpcAddress: nonEmpty(io.env.WEFT_CONTROL_PLANE) ?? context?.grpcAddress ?? DEFAULT_GRPC_ADDRESS,
    tokenFile: tokenFile === undefined ? undefined : resolve(io.cwd, tokenFile),
    context,
  }
}

/** A client for the control plane that this command line means. */
export async function connect(io: Io, options: GlobalOptions): Promise<ControlPlaneClient> {
  const target = await findTarget(io, options)
  return clientFor(target, options)
}

export function clientFor(target: Target, options: GlobalOptions): ControlPlaneClient {
  const { tokenFile } = target
  return new ControlPlaneClient({
    url: target.url,
    timeoutMs: options.timeout ?? DEFAULT_TIMEOUT_MS,
    ...(tokenFile !== undefined && { readToken: () => readTokenFile(tokenFile) }),
  })
}

async function readTokenFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw usageError(
      `the token file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'Name the admin token of the control plane with --token-file; `weft up` finds its own.',
    )
  }
}

function checkUrl(url: string): void {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw usageError(`the control plane has to be an http or https URL, this is ${JSON.stringify(url)}`)
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

const sameOrigin = (one: string, other: string | undefined): boolean =>
  other !== undefined && URL.parse(one)?.origin === URL.parse(other)?.origin

/** `--timeout 5s`, `500ms`, `2m` or plain seconds. */
export function parseTimeout(text: string): number {
  const [, digits, unit] = /^(\d{1,6})(ms|s|m)?$/.exec(text) ?? []
  const ms = Number(digits) * (unit === 'ms' ? 1 : unit === 'm' ? 60_000 : 1000)
  if (!(ms >= 1))
    throw usageError(`--timeout: expected a time as 500ms, 5s or 2m, came ${JSON.stringify(text)}`)
  return ms
}
