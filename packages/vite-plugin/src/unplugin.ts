/**
 * Remote modules for webpack, rspack, Rollup and esbuild, by one unplugin. An import of a file `*.remote.ts` is resolved to
 * a module that exists nowhere (`fib.remote.ts.shoal-stub.js`), so that loaders for TypeScript leave our JavaScript alone
 * and a type checker goes on reading the file itself. The bundle's text is a module of its own behind `import()`.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Plugin as RolldownPlugin } from 'rolldown'
import { createUnplugin, type UnpluginContextMeta, type UnpluginInstance } from 'unplugin'
import { RemoteModuleError } from './remote-module-error.ts'
import { isRemoteModule, REMOTE_FILE, RemoteModules } from './remote-modules.ts'
import { writeStub } from './write-stub.ts'

export interface ShoalUnpluginOptions {
  /** What the names of remote modules are relative to. Default: webpack's context, else the working directory. */
  readonly root?: string
  /** Chooses NODE_ENV and packages' conditions. Default: webpack's mode, else whether NODE_ENV is `production`. */
  readonly isProduction?: boolean
  /** Default: as `isProduction`. */
  readonly minify?: boolean
  /** Keeps source maps, for stacks with the user's lines. Default: unless in production. */
  readonly sourcemap?: boolean
  /** Replaced identifiers and member expressions; give what the page's build replaces. */
  readonly define?: Readonly<Record<string, string>>
  /** Rolldown plugins for the bundles: aliases, and file types that rolldown does not know by itself. */
  readonly plugins?: readonly RolldownPlugin[]
}

const STUB = '.shoal-stub.js'
const PART = /\.shoal-(source|map)-([0-9a-f]{64})\.js$/
// What a TypeScript file may be called in an import.
const SOURCES: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx', '.js', '.jsx'],
  '.jsx': ['.tsx', '.jsx'],
  '.mjs': ['.mts', '.mjs'],
  '.cjs': ['.cts', '.cjs'],
}

/** The plugin for every bundler that unplugin knows: `shoalUnplugin.webpack(options)` and so on. */
export const shoalUnplugin: UnpluginInstance<ShoalUnpluginOptions | undefined, false> = createUnplugin(
  (options: ShoalUnpluginOptions | undefined, meta) => {
    const settings = { ...defaultsFor(meta), ...options }
    const { root, isProduction, minify = isProduction, sourcemap = !isProduction, define = {}, plugins = [] } = settings
    const modules = new RemoteModules((entry) => ({ entry, root, isProduction, minify, define, plugins }))
    return {
      name: 'shoal',
      enforce: 'pre',
      async resolveId(source, importer) {
        if (source.endsWith(STUB) || PART.test(source)) return source
        if (!/\.remote(?:$|\.)/.test(source) || importer === undefined) return undefined
        const file = findFile(source, importer)
        return file !== undefined && (await isRemoteModule(file)) ? file + STUB : undefined
      },
      loadInclude: (id) => id.endsWith(STUB) || PART.test(id) || REMOTE_FILE.test(id),
      async load(id) {
        const [, part, hash = ''] = PART.exec(id) ?? []
        if (part !== undefined) {
          const version = modules.version(hash)
          if (version === undefined) throw new Error(`${path.basename(id)} is of an earlier run; build once more`)
          return { code: `export default ${JSON.stringify(part === 'source' ? version.code : version.map)}`, map: null }
        }
        // An alias of the bundler's leads to the file itself.
        const file = id.endsWith(STUB) ? id.slice(0, -STUB.length) : id
        if (!(await isRemoteModule(file))) return undefined
        try {
          const bundle = await modules.bundle(file)
          for (const watched of bundle.watchFiles) this.addWatchFile(watched)
          const name = (kind: string): string => `${file}.shoal-${kind}-${bundle.hash}.js`
          const code = writeStub(bundle, { source: name('source'), ...(sourcemap && { map: name('map') }) })
          return { code, map: null }
        } catch (error) {
          if (error instanceof RemoteModuleError) for (const watched of error.watchFiles) this.addWatchFile(watched)
          throw error
        }
      },
    }
  },
)

/** The file that a relative or absolute import of a remote module means; what else it may be, the bundler resolves. */
function findFile(source: string, importer: string): string | undefined {
  if (!/^\.{0,2}\//.test(source) && !path.isAbsolute(source)) return undefined
  const named = path.resolve(path.dirname(importer), source)
  const extension = path.extname(named)
  const stem = named.slice(0, named.length - extension.length)
  const candidates = [
    ...(SOURCES[extension] ?? []).map((other) => stem + other),
    ...(REMOTE_FILE.test(named) ? [named] : ['.ts', '.tsx', '.mts', '.js', '.jsx', '.mjs'].map((more) => named + more)),
  ]
  // `fib.remote.js` beside `fib.remote.ts` is what a compiler made of it, unless it is what was asked for.
  return [named, ...candidates].find((file) => REMOTE_FILE.test(file) && existsSync(file))
}

function defaultsFor(meta: UnpluginContextMeta): { root: string; isProduction: boolean } {
  const isProduction = process.env['NODE_ENV'] === 'production'
  if (meta.framework !== 'webpack' && meta.framework !== 'rspack') return { root: process.cwd(), isProduction }
  const { context, mode } = (meta.framework === 'webpack' ? meta.webpack : meta.rspack).compiler.options
  return { root: context ?? process.cwd(), isProduction: mode === undefined ? isProduction : mode === 'production' }
}
