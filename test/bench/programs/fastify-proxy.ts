/** Peer: what one writes in Node in an afternoon, fastify with reply-from. Words: out|in, port, upstream port, folder of certificates. */
import { readFileSync } from 'node:fs'
import replyFrom from '@fastify/reply-from'
import { fastify } from 'fastify'

const [role = '', port = '', upstream = '', pki = ''] = process.argv.slice(2)
const own = {
  ca: readFileSync(`${pki}/ca.crt`),
  cert: readFileSync(`${pki}/${role}.crt`),
  key: readFileSync(`${pki}/${role}.key`),
  minVersion: 'TLSv1.3' as const,
}
const KEEP_ALIVE_MS = 60_000

const app = fastify({
  logger: false,
  keepAliveTimeout: KEEP_ALIVE_MS,
  https: role === 'in' ? { ...own, requestCert: true, rejectUnauthorized: true } : null,
})
await app.register(replyFrom, {
  base: `${role === 'out' ? 'https' : 'http'}://127.0.0.1:${upstream}`,
  undici: {
    connections: 128,
    pipelining: 1,
    ...(role === 'out' && { connect: { ...own, servername: 'in.bench.local' } }),
  },
})
app.all('/*', (request, reply) => reply.from(request.raw.url))
await app.listen({ port: Number(port), host: '127.0.0.1' })
