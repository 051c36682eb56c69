/**
 * The page's side of the tarball: ES modules for bundlers, one file for pages without, and the files that pages with a
 * Content-Security-Policy host. Every @shoal package and every third-party one is inside.
 */
import path from 'node:path'
import { bundleRequested, inlineScripts } from '@shoal/vite-plugin'
import { rolldown } from 'rolldown'
import type { OutputOptions, RolldownOptions, RolldownOutput } from 'rolldown'
import { pageEntries, root } from './entries.ts'

export interface Packed {
  /** Text by file name. */
  readonly files: ReadonlyMap<string, string>
  /** Absolute paths of all modules inside. */
  readonly modules: ReadonlySet<string>
}

/** Scripts that a page under a policy serves from its own origin, and what they are made of. */
const HOSTED_SCRIPTS: Readonly<Record<string, string>> = {
  'node-worker.js': 'packages/node/src/web/node-worker.ts?shoal-first',
  'node-worker-room.js': 'packages/node/src/web/node-worker.ts?shoal-second-chunk',
  'node-worker-capture.js': 'packages/node/src/web/chunk-capture.ts?shoal-inline',
  'node-worker-noble.js': 'packages/node/src/web/chunk-noble.ts?shoal-inline',
  'node-worker-state.js': 'packages/node/src/web/chunk-state.ts?shoal-inline',
  'node-worker-faults.js': 'packages/node/src/web/chunk-faults.ts?shoal-inline',
}

export async function bundlePage(): Promise<Packed> {
  const files = new Map<string, string>()
  const modules = new Set<string>()
  const parts = await Promise.all([esModules(modules), singleFile(modules), sandboxPage(modules), hosted(modules)])
  for (const part of parts) for (const [name, text] of part) files.set(name, text)
  return { files, modules }
}

type Files = [name: string, text: string][]

/** Readable, for users' bundlers minify them; the worker's and the sandbox's texts inside are minified. */
async function esModules(modules: Set<string>): Promise<Files> {
  const input = Object.fromEntries(pageEntries().map(({ name, source }) => [name, source]))
  const output = await bundle(modules, { input }, { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' })
  return output.output.flatMap((file): Files => (file.type === 'chunk' ? [[file.fileName, file.code]] : []))
}

/** For `<script type="module">`: what remote modules' stubs import is in it too, so that both share one session. */
async function singleFile(modules: Set<string>): Promise<Files> {
  const inSingle = pageEntries().filter(({ name }) => name !== 'testing')
  const text = inSingle.map(({ source }) => `export * from ${JSON.stringify(source)}`).join('\n')
  const output = await bundle(
    modules,
    {
      input: 'shoal',
      transform: { target: 'es2022', define: { 'process.env.NODE_ENV': '"production"' } },
    },
    { codeSplitting: false, minify: true },
    { shoal: text },
  )
  return [['shoal.js', output.output[0].code]]
}

async function sandboxPage(modules: Set<string>): Promise<Files> {
  const source = path.join(root, 'packages/executor/src/web/sandbox-document.ts')
  const output = await bundle(modules, { input: source }, {})
  const url = `data:text/javascript,${encodeURIComponent(output.output[0].code)}`
  const { sandboxDocument } = (await import(url)) as { sandboxDocument(): string }
  return [['sandbox.html', sandboxDocument()]]
}

async function hosted(modules: Set<string>): Promise<Files> {
  return Promise.all(
    Object.entries(HOSTED_SCRIPTS).map(async ([name, source]): Promise<Files[number]> => {
      const made = await bundleRequested(path.join(root, source), { isProduction: true, minify: true })
      if (made === undefined) throw new Error(`${source} says not how it is bundled`)
      for (const file of made.watchFiles) modules.add(file)
      return [name, made.code]
    }),
  )
}

async function bundle(
  modules: Set<string>,
  options: RolldownOptions,
  output: OutputOptions,
  virtual: Readonly<Record<string, string>> = {},
): Promise<RolldownOutput> {
  const build = await rolldown({
    platform: 'browser',
    resolve: { conditionNames: ['browser', 'production'] },
    external: /^node:/,
    // Left for users' bundlers to replace.
    transform: { target: 'es2022', define: { 'process.env.NODE_ENV': 'process.env.NODE_ENV' } },
    experimental: { attachDebugInfo: 'none' },
    checks: { pluginTimings: false },
    ...options,
    plugins: [
      {
        name: 'pack:virtual',
        resolveId: (id) => (Object.hasOwn(virtual, id) ? `\0${id}` : undefined),
        load: (id) => (id.startsWith('\0') ? virtual[id.slice(1)] : undefined),
      },
      // Minified, for users' bundlers cannot shorten a text.
      inlineScripts({ isProduction: true, minify: true }, (files) => files.forEach((file) => modules.add(file))),
    ],
    onLog: (level, log, forward) => {
      if (level === 'warn') throw new Error(log.message)
      forward(level, log)
    },
  })
  try {
    const made = await build.generate({ format: 'esm', ...output })
    for (const file of made.output)
      if (file.type === 'chunk') for (const id of Object.keys(file.modules)) modules.add(id)
    return made
  } finally {
    await build.close()
  }
}
