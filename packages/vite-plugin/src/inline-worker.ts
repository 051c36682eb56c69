/**
 * `import text from './node-worker.ts?shoal-inline'` gives the entry and everything it imports as the text of one classic
 * script, in dev and build alike. For workers made from a blob: at an opaque origin a module worker does not start, and a
 * sandbox without network can import nothing, so the text must be whole.
 *
 * An inlined entry may inline others: the inner bundle uses the same plugin. `x.ts?shoal-first` and `x.ts?shoal-second` are
 * the texts of a script of two stages (staged-script.ts); `x.ts?shoal-second-chunk` is the second one as a script of its own.
 */
import path from 'node:path'
import type { Plugin as RolldownPlugin } from 'rolldown'
import type { Plugin } from 'vite'
import { buildScript } from './bundle-script.ts'
import type { InlineOptions } from './bundle-script.ts'
import { pageDefines } from './page-defines.ts'
import { asChunk, bundleStagedScript } from './staged-script.ts'
import { stripQuery } from './strip-query.ts'

export type { InlineOptions } from './bundle-script.ts'

const QUERY = /\?shoal-(inline|first|second|second-chunk)$/

export interface InlinedScript {
  /** One classic, strict script that leaves no name behind. */
  readonly code: string
  /** Absolute paths of every file that went in, nested scripts' too. */
  readonly watchFiles: readonly string[]
}

/** Bundles an entry into one classic script. Rejects when anything stays outside, for nothing could load it there. */
export async function bundleInlineScript(options: InlineOptions): Promise<InlinedScript> {
  const inner: string[] = []
  const { chunks, watchFiles } = await buildScript(
    { [path.parse(options.entry).name]: options.entry },
    options,
    { format: 'iife', codeSplitting: false },
    nestedScripts(options, inner),
  )
  return { code: chunks[0]?.code ?? '', watchFiles: [...new Set([options.entry, ...watchFiles, ...inner])] }
}

/** The text that an import with one of our queries stands for. `request` is the file's absolute path and the query. */
export async function bundleRequested(
  request: string,
  options: Omit<InlineOptions, 'entry'>,
): Promise<InlinedScript | undefined> {
  const kind = QUERY.exec(request)?.[1]
  if (kind === undefined) return undefined
  const entry = request.replace(QUERY, '')
  if (kind === 'inline') return bundleInlineScript({ ...options, entry })
  const inner: string[] = []
  const staged = await bundleStagedScript({ ...options, entry }, nestedScripts(options, inner))
  return {
    code: kind === 'first' ? staged.first : kind === 'second' ? staged.second : asChunk(staged),
    watchFiles: [...new Set([...staged.watchFiles, ...inner])],
  }
}

/** The same for rolldown, which users' bundles of ours and nested scripts are built with. */
export function inlineScripts(
  options: Omit<InlineOptions, 'entry'>,
  onFiles: (files: readonly string[]) => void,
): RolldownPlugin {
  return {
    name: 'shoal:inline-script',
    async resolveId(source, importer) {
      const [query] = QUERY.exec(source) ?? []
      if (query === undefined) return undefined
      const found = await this.resolve(source.slice(0, -query.length), importer)
      return found && found.id + query
    },
    async load(id) {
      const inlined = await bundleRequested(id, options)
      if (inlined === undefined) return undefined
      onFiles(inlined.watchFiles)
      return { code: `export default ${JSON.stringify(inlined.code)}`, moduleType: 'js' }
    },
  }
}

function nestedScripts(options: Omit<InlineOptions, 'entry'>, watchFiles: string[]): RolldownPlugin {
  return inlineScripts(options, (files) => watchFiles.push(...files))
}

/** The Vite plugin for the queries. Types: reference `@shoal/vite-plugin/inline-worker`. */
export function inlineWorker(): Plugin {
  let isProduction = false
  let minify = false
  let define: Record<string, string> = {}
  return {
    name: 'shoal:inline-worker',
    enforce: 'pre',
    configResolved(config) {
      isProduction = config.isProduction
      define = pageDefines(config)
      minify = config.command === 'build' && config.build.minify !== false
    },
    async resolveId(source, importer) {
      const [query] = QUERY.exec(source) ?? []
      if (query === undefined) return undefined
      const found = await this.resolve(source.slice(0, -query.length), importer, { skipSelf: true })
      return found ? stripQuery(found.id) + query : undefined
    },
    async load(id) {
      const [query] = QUERY.exec(id) ?? []
      if (query === undefined) return undefined
      const request = stripQuery(id) + query
      const inlined = await bundleRequested(request, { isProduction, minify, define })
      if (inlined === undefined) return undefined
      for (const file of inlined.watchFiles) this.addWatchFile(file)
      return { code: `export default ${JSON.stringify(inlined.code)}`, map: { mappings: '' }, moduleType: 'js' }
    },
  }
}
