import { join } from 'node:path'
import { choosePort } from '@weft/control-plane/cli/free-port'
import type { Contestant } from '../contestant.ts'
import { TOPIC } from '../suites/backend.ts'
import { startSingle } from './single.ts'

const PROGRAM = join(import.meta.dirname, '../programs/fastify-publish.ts')

export const nodePublish = async (): Promise<Contestant> => ({
  name: 'node-pub',
  about: 'fastify with kafkajs, a send per request',
  async start(broker) {
    const port = await choosePort()
    const words = [PROGRAM, String(port), `127.0.0.1:${broker.port}`, TOPIC]
    return startSingle([process.execPath, '--disable-warning=ExperimentalWarning', ...words], port)
  },
})
