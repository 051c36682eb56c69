import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { build } from 'vite'

/** Names the built page's folder to Playwright's workers. */
const VARIABLE = 'SHOAL_E2E_SITE'

/** Where the built page lies. */
export function siteDir(): string {
  const folder = process.env[VARIABLE]
  if (folder === undefined) throw new Error(`${VARIABLE} is not set: the global set-up has not run`)
  return folder
}

/** Playwright's global set-up: builds the page of the tests once, as an app would be built, in a folder of its own run. */
export default async function buildPage(): Promise<() => Promise<void>> {
  const outDir = await mkdtemp(join(tmpdir(), 'shoal-e2e-'))
  await build({
    root: join(import.meta.dirname, '../page'),
    configFile: false,
    logLevel: 'warn',
    plugins: [shoal(), inlineWorker()],
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      sourcemap: true,
      // Our plugin's nested builds are most of it.
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  })
  process.env[VARIABLE] = outDir
  return () => rm(outDir, { recursive: true, force: true })
}
