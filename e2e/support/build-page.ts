import { join } from 'node:path'
import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { build } from 'vite'

/** Where the built page lies. */
export const SITE_DIR = join(import.meta.dirname, '../../.shoal/e2e-page')

/** Playwright's global set-up: builds the page of the tests once, as an app would be built. */
export default async function buildPage(): Promise<void> {
  await build({
    root: join(import.meta.dirname, '../page'),
    configFile: false,
    logLevel: 'warn',
    plugins: [shoal(), inlineWorker()],
    build: { outDir: SITE_DIR, emptyOutDir: true, target: 'es2022' },
  })
}
