/**
 * The Vite plugin: a file `*.remote.ts` imported from ordinary code becomes a stub, and its bundle a module of its own that
 * is loaded when a task first needs it. Works alike in dev, build and Vitest. Within a bundle no stub is made: remote
 * modules that reach each other are ordinary code there.
 *
 * A bundle is kept as long as none of its files changed (size and time of change), so both of its modules see one text.
 * In dev, older versions are kept too: a page that submitted a task a moment before the file was saved asks for the text
 * of the version that it has. After a change the stub replaces itself, and no page needs to reload.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Plugin as RolldownPlugin } from 'rolldown'
import type { Plugin, ResolvedConfig } from 'vite'
import { bundleRemoteModule, type RemoteBundle } from './bundle-remote-module.ts'
import { pageDefines } from './page-defines.ts'
import { RemoteModuleError } from './remote-module-error.ts'
import { stripQuery } from './strip-query.ts'
import { writeStub } from './write-stub.ts'

export interface ShoalPluginOptions {
  /** Further rolldown plugins for the bundles, for file types that rolldown does not know by itself. */
  readonly plugins?: readonly RolldownPlugin[]
}

const REMOTE_FILE = /\.remote\.(?:[cm]?[jt]s|[jt]sx)$/
/** Versions of all modules together that a dev server still gives out. */
const MOST_VERSIONS = 200
const PART = /[?&]shoal-(source|map)=([0-9a-f]{64})(?:&|$)/

interface Kept {
  readonly bundle: RemoteBundle
  readonly signature: string
}

export function shoal(options: ShoalPluginOptions = {}): Plugin[] {
  let config: ResolvedConfig | undefined
  const kept = new Map<string, Promise<Kept>>()
  // The files of modules that could not be bundled: no importer of theirs is in Vite's graph yet.
  const failed = new Map<string, readonly string[]>()

  const versions = new Map<string, RemoteBundle>()

  const bundleOf = async (file: string): Promise<RemoteBundle> => {
    const before = await kept.get(file)?.catch(() => undefined)
    if (before && before.signature === (await signatureOf(before.bundle.watchFiles))) return before.bundle
    const next = bundle(file, config, options)
    kept.set(file, next)
    const { bundle: made } = await next
    versions.set(made.hash, made)
    const [oldest] = versions.keys()
    if (versions.size > MOST_VERSIONS && oldest !== undefined) versions.delete(oldest)
    return made
  }

  return [
    {
      name: 'shoal:remote-modules',
      enforce: 'pre',
      // The stubs and the app must share one SDK, which a separately optimised copy would break.
      config: () => ({ optimizeDeps: { exclude: ['@shoal/sdk', '@shoal/sdk/internal'] } }),
      configResolved(resolved) {
        config = resolved
      },
      resolveId(source) {
        // Written by our own stub with an absolute path.
        return PART.test(source) &&
          path.isAbsolute(stripQuery(source)) &&
          REMOTE_FILE.test(stripQuery(source)) &&
          isOurs(source, kept)
          ? source
          : undefined
      },
      async load(id) {
        const file = stripQuery(id)
        if (!REMOTE_FILE.test(file) || /[?&](?:raw|url|worker|sharedworker)\b/.test(id)) return undefined
        const [, part, hash = ''] = PART.exec(id) ?? []
        if (part !== undefined) {
          const version = versions.get(hash)
          // After a restart of the server.
          if (version === undefined) return this.error(`${path.basename(file)} has changed since; reload the page`)
          return {
            code: `export default ${JSON.stringify(part === 'source' ? version.code : version.map)}`,
            map: { mappings: '' },
          }
        }
        try {
          const bundle = await bundleOf(file)
          failed.delete(file)
          for (const watched of bundle.watchFiles) if (watched !== file) this.addWatchFile(watched)
          return {
            code: writeStub(bundle, { ...partsOf(file, bundle, config), isHot: config?.command === 'serve' }),
            map: { mappings: '' },
            moduleSideEffects: false,
          }
        } catch (error) {
          if (!(error instanceof RemoteModuleError)) throw error
          failed.set(file, error.watchFiles)
          for (const watched of error.watchFiles) if (watched !== file) this.addWatchFile(watched)
          return this.error({ message: error.message, id: file, cause: error.cause })
        }
      },
      hotUpdate({ file, type, modules }) {
        // The texts of versions never change, and nobody imports those of old ones: a change there would reload the page.
        const changed = modules.filter(({ id }) => id === null || !PART.test(id))
        // A new file may be the one that was missing.
        const waiting = [...failed]
          .filter(([, files]) => type === 'create' || files.includes(file))
          .map(([entry]) => entry)
        if (waiting.length === 0 && changed.length === modules.length) return undefined
        const graph = this.environment.moduleGraph
        return [...new Set([...changed, ...waiting.flatMap((entry) => [...(graph.getModulesByFile(entry) ?? [])])])]
      },
    },
  ]
}

async function bundle(file: string, config: ResolvedConfig | undefined, options: ShoalPluginOptions): Promise<Kept> {
  const made = await bundleRemoteModule({
    entry: file,
    root: config?.root ?? process.cwd(),
    minify: config?.command === 'build' && config.build.minify !== false,
    isProduction: config?.isProduction ?? false,
    define: config ? pageDefines(config) : {},
    plugins: [...(options.plugins ?? []), ...aliasPlugin(config)],
  })
  return { bundle: made, signature: await signatureOf(made.watchFiles) }
}

/** The user's aliases. Vite's own ones stand for its client and are no files. */
function aliasPlugin(config: ResolvedConfig | undefined): RolldownPlugin[] {
  const aliases = (config?.resolve.alias ?? []).filter(({ find }) => !/@vite/.test(String(find)))
  if (aliases.length === 0) return []
  return [
    {
      name: 'shoal:alias',
      async resolveId(source, importer) {
        for (const { find, replacement } of aliases) {
          const isMatch =
            typeof find === 'string' ? source === find || source.startsWith(`${find}/`) : find.test(source)
          if (!isMatch) continue
          return await this.resolve(source.replace(find, replacement), importer, { skipSelf: true })
        }
        return undefined
      },
    },
  ]
}

function partsOf(
  file: string,
  { hash }: RemoteBundle,
  config: ResolvedConfig | undefined,
): { source: string; map?: string } {
  const source = `${file}?shoal-source=${hash}`
  // As with the app's own maps: always in dev, in a build only when asked for.
  const hasMap = config?.command !== 'build' || config.build.sourcemap !== false
  return hasMap ? { source, map: `${file}?shoal-map=${hash}` } : { source }
}

function isOurs(source: string, kept: ReadonlyMap<string, unknown>): boolean {
  return kept.has(stripQuery(source))
}

async function signatureOf(files: readonly string[]): Promise<string> {
  const marks = files.map(async (file) => {
    // A file that was deleted changes the signature, and the next bundle says what is missing.
    const found = await stat(file).catch(() => undefined)
    return found ? `${file}:${found.size}:${found.mtimeMs}` : `${file}:gone`
  })
  return (await Promise.all(marks)).join('\n')
}
