// What the experiments with whole rooms share: the page of the end-to-end tests, built into a folder of its own, and
// the room's server.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLog } from '@shoal/base'
import { createSignalingServer } from '@shoal/signaling-server'
import type { SignalingServer } from '@shoal/signaling-server'
import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { build } from 'vite'

export interface BuiltPage {
  readonly dir: string
  startServer(port?: number): Promise<SignalingServer>
  remove(): void
}

export async function buildTestPage(): Promise<BuiltPage> {
  const dir = mkdtempSync(join(tmpdir(), 'shoal-experiment-'))
  await build({
    root: fileURLToPath(new URL('../../../e2e/page', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    plugins: [shoal(), inlineWorker()],
    build: { outDir: dir, emptyOutDir: true, target: 'es2022' },
  })
  const log = createLog({ level: 'error', write: (entry) => console.error(entry) })
  return {
    dir,
    startServer: (port = 0) => createSignalingServer({ port, host: '127.0.0.1', siteDir: dir, log }),
    remove: () => rmSync(dir, { recursive: true }),
  }
}

/** `part` of 0 is the least value, 0.5 the median, 1 the greatest. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN
}
