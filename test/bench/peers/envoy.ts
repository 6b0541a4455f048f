/** Envoy as a pair of sidecars, one worker each, as a mesh deploys it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { envoyProgram } from '../tools/index.ts'
import { envoyConfig, type Protocols } from './envoy-config.ts'
import { startPair } from './pair.ts'

interface EnvoyOptions extends Protocols {
  readonly name: string
  readonly about: string
}

const envoy =
  ({ name, about, ...protocols }: EnvoyOptions) =>
  async (): Promise<Contestant> => {
    const program = await envoyProgram()
    return {
      name,
      about,
      start: (app) =>
        startPair(app, async (side) => {
          const file = join(side.pki, `${side.role}.json`)
          await writeFile(file, JSON.stringify(envoyConfig(side, protocols)))
          return [program, '-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error']
        }),
    }
  }

export const envoyH2Hop = envoy({
  name: 'envoy-h2hop',
  about: 'Envoy 1.40, HTTP/2 over mTLS between the two',
  edge: 'HTTP1',
  hop: 'HTTP2',
})

export const envoyH1Hop = envoy({
  name: 'envoy-h1hop',
  about: 'Envoy 1.40, HTTP/1.1 over mTLS between the two',
  edge: 'HTTP1',
  hop: 'HTTP1',
})

export const envoyGrpc = envoy({
  name: 'envoy',
  about: 'Envoy 1.40, HTTP/2 all the way',
  edge: 'HTTP2',
  hop: 'HTTP2',
})
