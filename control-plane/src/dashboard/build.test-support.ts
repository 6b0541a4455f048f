import { join } from 'node:path'
import { build } from 'vite'

/** Builds the page into a folder of the test's own, as `npm run build:dashboard` does into dist/dashboard. */
export async function buildDashboard(outDir: string): Promise<void> {
  await build({
    configFile: join(import.meta.dirname, 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir },
  })
}
