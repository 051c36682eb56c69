/**
 * The Vite plugin: a file `*.remote.ts` imported from ordinary code becomes a stub, and its bundle a module of its own that
 * is loaded when a task first needs it. Works alike in dev, build and Vitest. Within a bundle no stub is made: remote
 * modules that reach each other are ordinary code there.
 *
 * In dev the stub replaces itself after a change, and no page needs to reload.
 */
import path from 'node:path'
import type { Plugin as RolldownPlugin } from 'rolldown'
import type { Plugin, ResolvedConfig } from 'vite'
import type { BundleOptions, RemoteBundle } from './bundle-remote-module.ts'
import { pageDefines } from './page-defines.ts'
import { RemoteModuleError } from './remote-module-error.ts'
import { isRemoteModule, REMOTE_FILE, RemoteModules } from './remote-modules.ts'
import { stripQuery } from './strip-query.ts'
import { writeStub } from './write-stub.ts'

export interface ShoalPluginOptions {
  /** Further rolldown plugins for the bundles, for file types that rolldown does not know by itself. */
  readonly plugins?: readonly RolldownPlugin[]
}

const PART = /[?&]shoal-(source|map)=([0-9a-f]{64})(?:&|$)/

export function shoal(options: ShoalPluginOptions = {}): Plugin[] {
  let config: ResolvedConfig | undefined
  const modules = new RemoteModules((entry) => bundleOptions(entry, config, options))

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
          modules.isKnown(stripQuery(source))
          ? source
          : undefined
      },
      async load(id) {
        const file = stripQuery(id)
        if (/[?&](?:raw|url|worker|sharedworker)\b/.test(id) || !(await isRemoteModule(file))) return undefined
        const [, part, hash = ''] = PART.exec(id) ?? []
        if (part !== undefined) {
          const version = modules.version(hash)
          // After a restart of the server.
          if (version === undefined) return this.error(`${path.basename(file)} has changed since; reload the page`)
          return {
            code: `export default ${JSON.stringify(part === 'source' ? version.code : version.map)}`,
            map: { mappings: '' },
          }
        }
        try {
          const bundle = await modules.bundle(file)
          for (const watched of bundle.watchFiles) if (watched !== file) this.addWatchFile(watched)
          return {
            code: writeStub(bundle, { ...partsOf(file, bundle, config), isHot: config?.command === 'serve' }),
            map: { mappings: '' },
            moduleSideEffects: false,
          }
        } catch (error) {
          if (!(error instanceof RemoteModuleError)) throw error
          for (const watched of error.watchFiles) if (watched !== file) this.addWatchFile(watched)
          return this.error({ message: error.message, id: file, cause: error.cause })
        }
      },
      hotUpdate({ file, type, modules: nodes }) {
        // The texts of versions never change, and nobody imports those of old ones: a change there would reload the page.
        const changed = nodes.filter(({ id }) => id === null || !PART.test(id))
        // A new file may be the one that was missing.
        const waiting = [...modules.failed]
          .filter(([, files]) => type === 'create' || files.includes(file))
          .map(([entry]) => entry)
        if (waiting.length === 0 && changed.length === nodes.length) return undefined
        const graph = this.environment.moduleGraph
        return [...new Set([...changed, ...waiting.flatMap((entry) => [...(graph.getModulesByFile(entry) ?? [])])])]
      },
    },
  ]
}

function bundleOptions(entry: string, config: ResolvedConfig | undefined, options: ShoalPluginOptions): BundleOptions {
  return {
    entry,
    root: config?.root ?? process.cwd(),
    minify: config?.command === 'build' && config.build.minify !== false,
    isProduction: config?.isProduction ?? false,
    define: config ? pageDefines(config) : {},
    plugins: [...(options.plugins ?? []), ...aliasPlugin(config)],
  }
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
