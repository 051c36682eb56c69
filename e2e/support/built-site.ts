import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { build } from 'vite'

/** Playwright's test with the site that people see, apps/room, as it is built for them: once for a process of tests. */
export const test = base.extend<object, { readonly siteFolder: string }>({
  siteFolder: [
    async ({ browserName: _ }, use) => {
      const outDir = await mkdtemp(join(tmpdir(), 'shoal-room-'))
      const root = join(import.meta.dirname, '../../apps/room')
      await build({ root, logLevel: 'warn', build: { outDir, emptyOutDir: true } })
      await use(outDir)
      await rm(outDir, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 180_000 },
  ],
})
