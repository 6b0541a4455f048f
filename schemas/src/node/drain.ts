import type { Log } from './log.ts'

/**
 * Runs `stop` once on SIGTERM or SIGINT and then exits 0; 1 if it threw or took longer than `deadlineMs`.
 * A second signal exits at once. The caller's `stop` ends its parts in order, each awaited.
 */
export function stopOnSignal(log: Log, deadlineMs: number, stop: () => Promise<void>): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.error({ deadlineMs }, 'did not stop in time')
      process.exit(1)
    }, deadlineMs).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}
