import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { startPair } from './pair.ts'

const PROGRAM = join(import.meta.dirname, '../programs/fastify-proxy.ts')

export const nodeFastify = async (): Promise<Contestant> => ({
  name: 'node-fastify',
  about: 'fastify with @fastify/reply-from (undici), HTTP/1.1 over mTLS between the two',
  start: (app) =>
    startPair(app, async ({ role, port, upstreamPort, pki }) => [
      ...[process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM],
      ...[role, String(port), String(upstreamPort), pki],
    ]),
})
