import type { FastifyInstance } from 'fastify'

/** A service that runs: its web app, and what ends it in order. */
export interface Service {
  readonly app: FastifyInstance
  /** Stops taking work, finishes what is under way, closes the database. */
  stop(): Promise<void>
}

/** Longer than any request or publish takes; what is left then is in the outbox and goes after the next start. */
const STOP_DEADLINE_MS = 15_000

/** Starts the service and runs until SIGTERM or SIGINT: exit 0 after an orderly stop, 1 after a failed start or stop. */
export async function runService(start: () => Promise<Service>): Promise<void> {
  let service: Service
  try {
    service = await start()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
  const { log } = service.app
  let stopping = false
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    // Ctrl-C reaches the whole process group, and whoever started us sends SIGTERM as well: one stop serves both.
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.error('did not stop in time')
      process.exit(1)
    }, STOP_DEADLINE_MS).unref()
    try {
      await service.stop()
      process.exit(0)
    } catch (error) {
      log.error({ err: error }, 'stopping failed')
      process.exit(1)
    }
  }
  process.on('SIGTERM', (signal) => void stop(signal))
  process.on('SIGINT', (signal) => void stop(signal))
}
