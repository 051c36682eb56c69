/**
 * One self-contained text for a remote module and everything it imports, `@shoal/sdk` excepted, and what it exports.
 * The runner evaluates the text as `new Function('exports', 'require', 'module', text)`. Knows rolldown and Node, not Vite:
 * the plugin and the command line both call it.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { rolldown, type Plugin, type RolldownBuild, type RolldownOutput } from 'rolldown'
import { readManifest, type RemoteManifest } from './read-manifest.ts'
import { RemoteModuleError } from './remote-module-error.ts'
import { stripQuery } from './strip-query.ts'

export interface BundleOptions {
  /** Path of the *.remote.ts file, absolute or relative to `root`. */
  readonly entry: string
  readonly minify: boolean
  /** Chooses the packages' `production` or `development` condition and NODE_ENV. Default: as `minify`. */
  readonly isProduction?: boolean
  /** What the bundle's name is relative to. Two roots give two texts, hence two hashes. */
  readonly root: string
  /** Replaced identifiers and member expressions, as in the page's build. */
  readonly define?: Readonly<Record<string, string>>
  /** Further rolldown plugins, for aliases and file types that the page's build knows. */
  readonly plugins?: readonly Plugin[]
}

export interface RemoteBundle {
  /** A CommonJS script; its last line names it `shoal:///<name>?<first 12 digits of hash>` for stack traces. */
  readonly code: string
  /** SHA-256 of `code` without its last line, in UTF-8, 64 hex digits. */
  readonly hash: string
  /** The file relative to the root with forward slashes; its base name when it lies outside. */
  readonly name: string
  readonly manifest: RemoteManifest
  /** Absolute paths of every file that went in. */
  readonly watchFiles: readonly string[]
  /** Source map of `code`, JSON, version 3, with its sources inside. */
  readonly map: string
}

const SDK = '@shoal/sdk'

/** @throws RemoteModuleError with the file's name, for everything that is wrong with the module or its imports */
export async function bundleRemoteModule(options: BundleOptions): Promise<RemoteBundle> {
  const root = path.resolve(options.root)
  const entry = path.resolve(root, options.entry)
  const name = nameIn(root, entry)
  const problems: string[] = []
  const condition = (options.isProduction ?? options.minify) ? 'production' : 'development'
  const build = await rolldown({
    input: entry,
    cwd: root,
    external: (id) => id === SDK,
    platform: 'browser',
    resolve: { conditionNames: ['browser', condition] },
    transform: {
      target: 'es2022',
      define: {
        'process.env.NODE_ENV': JSON.stringify(condition),
        ...options.define,
      },
    },
    // Which folder a module came from is no part of the text.
    experimental: { attachDebugInfo: 'none' },
    plugins: [...(options.plugins ?? [])],
    onLog: (_level, log) => {
      // `import.meta` is an empty object in a script: wrong values without any error.
      if (log.code === 'EMPTY_IMPORT_META') problems.push('uses import.meta, which a task does not have')
    },
  })
  try {
    const chunk = onlyChunk(await generate(build, options.minify, root), name)
    if (problems[0] !== undefined) throw new Error(problems[0])
    const foreign = [...chunk.imports, ...chunk.dynamicImports].find((id) => id !== SDK)
    if (foreign !== undefined) {
      throw new Error(`imports ${foreign}, which cannot be bundled: a remote module must hold everything it needs`)
    }
    const text = `${chunk.code.trimEnd()}\n`
    const hash = createHash('sha256').update(text).digest('hex')
    // Two versions of a module have one name: the digits tell whose line a stack means.
    const code = `${text}//# sourceURL=shoal:///${encodeName(name)}?${hash.slice(0, 12)}\n`
    const map = JSON.stringify(chunk.map ?? { version: 3, sources: [], mappings: '' })
    return { code, hash, name, map, manifest: readManifest(code, name), watchFiles: await filesOf(build, entry) }
  } catch (cause) {
    const watchFiles = await filesOf(build, entry)
    if (cause instanceof RemoteModuleError)
      throw new RemoteModuleError(name, cause.message.slice(name.length + 2), { cause: cause.cause, watchFiles })
    throw new RemoteModuleError(name, cause instanceof Error ? cause.message : String(cause), { cause, watchFiles })
  } finally {
    await build.close()
  }
}

/** The display name of a module: relative to the root, never a path of this machine. */
export function nameIn(root: string, file: string): string {
  const relative = path.relative(root, file)
  const isInside = relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)
  return isInside ? relative.split(path.sep).join('/') : path.basename(file)
}

function encodeName(name: string): string {
  return encodeURI(name).replace(/[()?]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
}

async function generate(build: RolldownBuild, minify: boolean, root: string): Promise<RolldownOutput> {
  return await build.generate({
    format: 'cjs',
    exports: 'named',
    minify,
    // Names of functions and classes are in stacks, in task names and in `error.name`.
    keepNames: minify,
    // Modules are strict, a function made of text is not.
    strict: true,
    sourcemap: 'hidden',
    sourcemapPathTransform: (source, mapPath) =>
      `shoal:///${nameIn(root, path.resolve(path.dirname(mapPath), source))}`,
    // Comments of the sources are no reason for another hash, nor to ship.
    comments: false,
    codeSplitting: false,
  })
}

function onlyChunk({ output }: RolldownOutput, name: string): RolldownOutput['output'][0] {
  const chunks = output.filter((item) => item.type === 'chunk')
  if (chunks.length !== 1) throw new RemoteModuleError(name, 'does not fit into one bundle')
  return output[0]
}

async function filesOf(build: RolldownBuild, entry: string): Promise<string[]> {
  const files = (await build.watchFiles).map(stripQuery).filter((id) => path.isAbsolute(id))
  return [...new Set([entry, ...files])]
}
