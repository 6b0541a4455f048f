import { type Logger, pino, stdSerializers } from 'pino'

export type Log = Logger

/**
 * A process's log: JSON lines on stderr (stdout is for data), level from WEFT_LOG_LEVEL (default info).
 * Synchronous, so that the last line before a crash is there.
 */
export function createLog(name: string): Log {
  return pino(
    {
      name,
      level: process.env.WEFT_LOG_LEVEL ?? 'info',
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      // pino knows `err`; without this an Error under `error` would be written as {}.
      serializers: { error: stdSerializers.err },
    },
    pino.destination({ fd: 2, sync: true }),
  )
}
