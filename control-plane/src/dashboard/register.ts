import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fastifyStatic } from '@fastify/static'
import type { FastifyInstance } from 'fastify'

export interface DashboardOptions {
  /** The built page; default `control-plane/dist/dashboard`, where `npm run build:dashboard` puts it. */
  readonly dist?: string
}

const DIST = join(import.meta.dirname, '../../dist/dashboard')

/** Nothing but our own files: no inline script or style, no frame around it, no form, no other host. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The pages that the script in index.html knows. */
const PAGES = ['/', '/traces', '/traces/:id']

/**
 * Serves the dashboard's page and its assets, in a scope of its own. A page that has not been built answers 503
 * with the command that builds it; one that is built while the process runs is served from then on.
 */
export function registerDashboard(app: FastifyInstance, options: DashboardOptions = {}): void {
  const dist = options.dist ?? DIST
  void app.register(async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => {
      void reply.headers({
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
    })
    // Vite names assets by their content: a name never means other bytes.
    await scope.register(fastifyStatic, {
      root: join(dist, 'assets'),
      prefix: '/assets/',
      decorateReply: false,
      suppressWarning: true,
      index: false,
      immutable: true,
      maxAge: '1y',
    })
    for (const page of PAGES) {
      scope.get(page, async (_request, reply) => {
        const html = await readBuilt(join(dist, 'index.html'))
        void reply.header('cache-control', 'no-cache')
        if (html !== undefined) return reply.type('text/html; charset=utf-8').send(html)
        return reply
          .code(503)
          .type('text/plain; charset=utf-8')
          .send('The dashboard has not been built. Run: npm run build:dashboard\n')
      })
    }
    scope.get('/favicon.svg', async (_request, reply) => {
      const icon = await readBuilt(join(dist, 'favicon.svg'))
      void reply.header('cache-control', 'max-age=3600')
      return icon === undefined ? reply.code(404).send() : reply.type('image/svg+xml').send(icon)
    })
  })
}

async function readBuilt(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file)
  } catch {
    return undefined
  }
}
