import type { Contestant } from '../contestant.ts'

/** Nothing between client and app: what the other numbers are a part of. */
export const direct = async (): Promise<Contestant> => ({
  name: 'direct',
  about: 'nothing between',
  start: async ({ port }) => ({ door: { port }, pids: [], async [Symbol.asyncDispose]() {} }),
})
