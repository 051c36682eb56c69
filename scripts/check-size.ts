// What a tab downloads, gzipped, against a budget; fails past it. Measured on the tarball's own files; the page's modules
// as a bundler minifies them, with what an app may import from the entry all kept.
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundleRequested } from '@shoal/vite-plugin'
import { rolldown } from 'rolldown'
import { bundlePage } from './pack-sdk/bundle-page.ts'
import { root } from './pack-sdk/entries.ts'

const BUDGETS_KB = {
  'page entry': 50,
  'node worker': 100,
  'sandbox, with its worker': 16.6,
  'sandbox, second stage': 24.4,
  'parser and crypto, lazy': 50,
  'second stage, in rooms': 60,
  'state, when asked': 16,
  'faults, for tests': 10,
  'GPU, when there is one': 6.5,
}

const { files } = await bundlePage()
const sizes: Readonly<Record<keyof typeof BUDGETS_KB, number>> = {
  'page entry': await pageEntryKb(),
  'node worker': kbOf('node-worker.js'),
  'sandbox, with its worker': kbOf('sandbox.html'),
  'sandbox, second stage': await secondStageKb(),
  'parser and crypto, lazy': kbOf('node-worker-capture.js') + kbOf('node-worker-noble.js'),
  'second stage, in rooms': kbOf('node-worker-room.js'),
  'state, when asked': kbOf('node-worker-state.js'),
  'faults, for tests': kbOf('node-worker-faults.js'),
  'GPU, when there is one': await gpuKb(),
}
for (const [name, kb] of Object.entries(sizes)) {
  const budget = BUDGETS_KB[name as keyof typeof BUDGETS_KB]
  const isOver = kb > budget
  if (isOver) process.exitCode = 1
  console.log(`${name.padEnd(26)}${kb.toFixed(1).padStart(6)} kB gzipped, budget ${budget} kB${isOver ? '  OVER' : ''}`)
}
console.log(`${'shoal.js, all in one'.padEnd(26)}${kbOf('shoal.js').toFixed(1).padStart(6)} kB gzipped`)

function kbOf(name: string): number {
  const text = files.get(name)
  if (text === undefined) throw new Error(`the tarball has no ${name}`)
  return gzipSync(text).length / 1000
}

/** What the node worker sends to each worker whose tasks do more than compute on plain values; a page loads it once. */
async function secondStageKb(): Promise<number> {
  const entry = path.join(root, 'packages/executor/src/web/sandbox-worker.ts')
  const made = await bundleRequested(`${entry}?shoal-second`, { isProduction: true, minify: true })
  if (made === undefined) throw new Error('the sandbox has no second stage')
  return gzipSync(made.code).length / 1000
}

/** Brought to the sandbox's document where a tab has a GPU, and to each worker that uses it. */
async function gpuKb(): Promise<number> {
  const entry = path.join(root, 'packages/executor/src/web/gpu-script.ts')
  const made = await bundleRequested(`${entry}?shoal-inline`, { isProduction: true, minify: true })
  if (made === undefined) throw new Error('there is no part for the GPU')
  return gzipSync(made.code).length / 1000
}

/** The entry and what it imports at once; what comes by `import()` is not there until it is used. */
async function pageEntryKb(): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'shoal-size-'))
  try {
    for (const [name, text] of files) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      writeFileSync(path.join(folder, name), text)
    }
    const build = await rolldown({ input: path.join(folder, 'index.js'), platform: 'browser' })
    const { output } = await build.generate({ format: 'esm', minify: true })
    await build.close()
    const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])))
    const wanted = new Set([output[0].fileName])
    for (const name of wanted) for (const imported of chunks.get(name)?.imports ?? []) wanted.add(imported)
    return [...wanted].reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? '').length, 0) / 1000
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
