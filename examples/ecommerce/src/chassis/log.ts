import type { FastifyBaseLogger } from 'fastify'

/** fastify's own logger (JSON lines on stdout), used outside of requests too. */
export type Log = FastifyBaseLogger
