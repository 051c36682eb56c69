import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build as esbuild } from 'esbuild'
import { rollup } from 'rollup'
import { describe, expect, test } from 'vitest'
import { shoal as esbuildPlugin } from './esbuild.ts'
import { shoal as rollupPlugin } from './rollup.ts'
import { evaluateBundle, immediateSdk } from './testing/evaluate-bundle.ts'
import { temporaryProject, type TemporaryProject } from './testing/temporary-project.ts'
import type { ShoalUnpluginOptions } from './unplugin.ts'
import { shoal as webpackPlugin } from './webpack.ts'

const require = createRequire(import.meta.url)

interface Handle {
  readonly bundle: { hash: string; name: string; source(): Promise<string>; map?(): Promise<string> }
  readonly exportName: string
  readonly details: object
}

interface Main {
  readonly fib: Handle
  readonly other: Handle
  readonly LIMIT: number
}

const FILES = {
  'package.json': '{ "type": "module" }',
  'node_modules/@shoal/sdk/package.json': JSON.stringify({
    name: '@shoal/sdk',
    type: 'module',
    sideEffects: false,
    exports: { '.': './index.js', './internal': './internal.js' },
  }),
  'node_modules/@shoal/sdk/index.js': `throw new Error('the remote module ran in the page')`,
  'node_modules/@shoal/sdk/internal.js': `
    export const moduleFunction = (bundle, exportName, details) => ({ bundle, exportName, details })
    export const moduleActor = moduleFunction`,
  'src/fib.remote.ts': `
    import { remote, get } from '@shoal/sdk'
    import { base } from './base.ts'
    import { double } from './other.remote.ts'
    export type Answer = number
    export const LIMIT: number = 7
    export const fib = remote(async (n: number): Promise<Answer> => n < 2 ? base(n) : (await get(fib.remote(n - 1))) + (await get(fib.remote(n - 2))))
    export const mode = remote(async () => MODE + process.env.NODE_ENV + (await get(double.remote(2))))`,
  'src/other.remote.ts': `import { remote } from '@shoal/sdk'; export const double = remote((n: number) => 2 * n)`,
  'src/base.ts': 'export const base = (n: number): number => n',
  // Imports as a TypeScript project may spell them, with, without and with the compiled extension.
  'src/main.js': `import { fib, LIMIT } from './fib.remote.ts'; import { fib as same, mode } from './fib.remote'
    import { double as other } from './other.remote.js'; export { fib, same, mode, LIMIT, other }`,
}

type Bundler = (project: TemporaryProject, options: ShoalUnpluginOptions) => Promise<string>

const webpack: Bundler = async (project, options) => {
  type Compiler = { run(done: (error: Error | null, stats?: Stats) => void): void; close(done: () => void): void }
  type Stats = { hasErrors(): boolean; toString(options: object): string }
  const make = require('webpack') as (configuration: object) => Compiler
  const compiler = make({
    mode: options.isProduction ? 'production' : 'development',
    context: project.root,
    entry: './src/main.js',
    experiments: { outputModule: true },
    output: { path: project.path('dist'), filename: 'main.mjs', library: { type: 'module' }, chunkFormat: 'module' },
    plugins: [webpackPlugin(options)],
    performance: false,
  })
  await new Promise<void>((resolve, reject) =>
    compiler.run((error, stats) => {
      if (error) reject(error)
      else if (stats?.hasErrors()) reject(new Error(stats.toString({ all: false, errors: true })))
      else resolve()
    }),
  )
  await new Promise<void>((resolve) => compiler.close(resolve))
  return project.path('dist/main.mjs')
}

const rollupBundler: Bundler = async (project, options) => {
  const { nodeResolve } = sdkResolver(project)
  const build = await rollup({ input: project.path('src/main.js'), plugins: [rollupPlugin(options), nodeResolve] })
  await build.write({ dir: project.path('dist'), format: 'es', entryFileNames: 'main.mjs' })
  await build.close()
  return project.path('dist/main.mjs')
}

/** What @rollup/plugin-node-resolve would do for the one package there is. */
function sdkResolver(project: TemporaryProject): {
  nodeResolve: { name: string; resolveId(id: string): string | null }
} {
  const internal = project.path('node_modules/@shoal/sdk/internal.js')
  return { nodeResolve: { name: 'resolve', resolveId: (id) => (id === '@shoal/sdk/internal' ? internal : null) } }
}

const esbuildBundler: Bundler = async (project, options) => {
  await esbuild({
    entryPoints: [project.path('src/main.js')],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: project.path('dist'),
    outExtension: { '.js': '.mjs' },
    plugins: [esbuildPlugin(options)],
    logLevel: 'silent',
  })
  return project.path('dist/main.mjs')
}

describe.each<[string, Bundler]>([
  ['webpack', webpack],
  ['Rollup', rollupBundler],
  ['esbuild', esbuildBundler],
])('%s', (_name, bundle) => {
  test.each([true, false])('has the stub in the page and the text beside it (production: %s)', async (isProduction) => {
    await using project = await temporaryProject(FILES)
    const options = { root: project.root, isProduction, define: { MODE: '"m "' } }
    const file = await bundle(project, options)
    const main = (await import(pathToFileURL(file).href)) as Main & { same: Handle; mode: Handle }
    expect(main.LIMIT).toBe(7)
    expect(main.fib).toMatchObject({ exportName: 'fib', details: { options: {}, arity: [1, 1] } })
    expect(main.fib.bundle.name).toBe('src/fib.remote.ts')
    // Two spellings of one import are one module.
    expect(main.same).toBe(main.fib)
    expect(main.other.bundle.name).toBe('src/other.remote.ts')
    const exports = evaluateBundle(await main.fib.bundle.source(), immediateSdk()) as Record<
      string,
      { remote(n?: number): Promise<unknown> }
    >
    expect(await exports['fib']?.remote(10)).toBe(55)
    expect(await exports['mode']?.remote()).toBe(`m ${isProduction ? 'production' : 'development'}4`)
    const map = await main.fib.bundle.map?.()
    if (isProduction) expect(map).toBeUndefined()
    else expect((JSON.parse(map ?? '{}') as { sources: string[] }).sources).toContain('shoal:///src/base.ts')
    // The text is fetched when a task needs it, not with the page.
    expect(await readFile(file, 'utf8')).not.toContain('sourceURL=shoal')
    expect((await readdir(path.dirname(file))).length).toBeGreaterThan(1)
  })

  test('fails with the file’s name and the remedy', async () => {
    await using project = await temporaryProject({
      ...FILES,
      'src/fib.remote.ts': 'export const fib = () => 1; export const LIMIT = 1, mode = 2',
    })
    await expect(bundle(project, { root: project.root })).rejects.toThrow(
      /src\/fib\.remote\.ts: export `fib` is a function or class.*wrap it/s,
    )
  })
})
