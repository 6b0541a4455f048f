import { join } from 'node:path'
import { preact } from '@preact/preset-vite'
import { defineConfig } from 'vite'

/** `vite build --config control-plane/src/dashboard/vite.config.ts` from the root of the repository. */
export default defineConfig({
  root: join(import.meta.dirname, 'page'),
  plugins: [preact({ devToolsEnabled: false })],
  build: {
    outDir: join(import.meta.dirname, '../../dist/dashboard'),
    emptyOutDir: true,
    target: 'es2023',
    // The page's policy allows neither inline scripts nor data: fonts; every asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
