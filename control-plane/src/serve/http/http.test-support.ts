import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics } from '@weft/schemas/node/metrics'
import { openStore, type ResourceStore } from '../../source/index.ts'
import { policyIndex } from '../../translate/index.ts'
import { openCertificateAuthority, openJoinTokens } from '../ca/index.ts'
import { openAdminToken, startHttp } from './index.ts'

const log = createLog('test')
log.level = 'silent'

/** What the answers of this API hold between them; a test reads the members that its answer has. */
interface Body {
  readonly version: number
  readonly results: readonly { readonly result: string }[]
  readonly items: readonly { readonly status: unknown }[]
  readonly spec: { readonly partitions: number }
  readonly status: { readonly source: unknown }
  readonly faults: readonly Readonly<Record<string, unknown>>[]
  readonly code: string
  readonly type: string
  readonly detail: string
  readonly hint: string
  readonly token: string
  readonly expiresAt: string
  readonly certificatePem: string
  readonly privateKeyPem: string
  readonly allowed: boolean
  readonly policy: string
  readonly reason: string
  readonly explanation: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Empty where the answer is no JSON. */
  readonly body: Body
  readonly text: string
}

interface Call {
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, a text as YAML. */
  readonly body?: unknown
  /** Without the admin token. */
  readonly anonymous?: true
}

export interface Api {
  readonly url: string
  readonly port: number
  readonly token: string
  readonly tokenPath: string
  readonly folder: string
  readonly store: ResourceStore
  call(method: string, path: string, call?: Call): Promise<Answer>
  drain(): Promise<void>
}

/** The real server with real store, authority and tokens on a free port; gone after the test. */
export async function api(t: TestContext): Promise<Api> {
  const root = await mkdtemp(join(tmpdir(), 'weft-http-'))
  const [stateDir, folder] = [join(root, 'state'), join(root, 'resources')]
  await mkdir(stateDir)
  await mkdir(folder)
  const trustDomain = 'weft.local'
  const authority = await openCertificateAuthority({ stateDir, trustDomain, log })
  const token = await openAdminToken(stateDir, log)
  const store = await openStore({ stateDir, folders: [folder], log, rescanMs: 3_600_000 })
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    allowedHosts: ['mesh.example'],
    token,
    store,
    topicStatus: () => ({ state: 'ready' }),
    authority,
    tokens: await openJoinTokens({ stateDir, authority }),
    registry: { list: () => [] },
    policies: () => policyIndex(store.resources(), trustDomain),
    metrics: createMetrics(),
    isReady: () => true,
    log,
  })
  t.after(async () => {
    await server.drain(0)
    await store.close()
    await rm(root, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${server.port}`
  const secret = (await readFile(token.path, 'utf8')).trim()
  return {
    url,
    port: server.port,
    token: secret,
    tokenPath: token.path,
    folder,
    store,
    call: (method, path, call = {}) => send(url, method, path, { secret, ...call }),
    drain: () => server.drain(1000),
  }
}

async function send(
  url: string,
  method: string,
  path: string,
  call: Call & { readonly secret: string },
): Promise<Answer> {
  const { body, anonymous, headers, secret } = call
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(anonymous !== true && { authorization: `Bearer ${secret}` }),
      ...(body !== undefined && {
        'content-type': typeof body === 'string' ? 'application/yaml' : 'application/json',
      }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson ? JSON.parse(text) : {}) as Body,
  }
}

/** As `fetch`, with a Host header of one's own, which fetch forbids. */
export async function withHost(port: number, host: string, path = '/healthz'): Promise<number> {
  return await new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

export const topic = (name: string, spec = '{}'): string =>
  `apiVersion: mesh.weft.dev/v1\nkind: Topic\nmetadata: { name: ${name} }\nspec: ${spec}\n`
