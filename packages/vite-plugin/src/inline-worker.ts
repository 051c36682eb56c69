/**
 * `import text from './node-worker.ts?shoal-inline'` gives the entry and everything it imports as the text of one classic
 * script, in dev and build alike. For workers made from a blob: at an opaque origin a module worker does not start, and a
 * sandbox without network can import nothing, so the text must be whole.
 *
 * An inlined entry may inline others: the inner bundle uses the same plugin.
 */
import path from 'node:path'
import { rolldown, type Plugin as RolldownPlugin } from 'rolldown'
import type { Plugin } from 'vite'
import { pageDefines } from './page-defines.ts'
import { stripQuery } from './strip-query.ts'
import { trimmedAcorn } from './trim-acorn.ts'

const QUERY = '?shoal-inline'

export interface InlineOptions {
  /** Absolute path of the entry. */
  readonly entry: string
  readonly isProduction: boolean
  readonly minify: boolean
  readonly define?: Readonly<Record<string, string>>
}

export interface InlinedScript {
  /** One classic, strict script that leaves no name behind. */
  readonly code: string
  /** Absolute paths of every file that went in, nested scripts' too. */
  readonly watchFiles: readonly string[]
}

/** Bundles an entry into one classic script. Rejects when anything stays outside, for nothing could load it there. */
export async function bundleInlineScript(options: InlineOptions): Promise<InlinedScript> {
  const nested: string[] = []
  const problems: string[] = []
  const build = await rolldown({
    input: options.entry,
    platform: 'browser',
    resolve: { conditionNames: ['browser', options.isProduction ? 'production' : 'development'] },
    transform: {
      target: 'es2022',
      define: {
        'process.env.NODE_ENV': JSON.stringify(options.isProduction ? 'production' : 'development'),
        ...options.define,
      },
    },
    // Which folder a module came from is no part of the text.
    experimental: { attachDebugInfo: 'none' },
    treeshake: { propertyReadSideEffects: false },
    plugins: [nestedScripts(options, nested), trimmedAcorn()],
    onLog: (level, log, forward) => {
      if (log.code === 'EMPTY_IMPORT_META')
        throw new Error(`${options.entry}: import.meta does not exist in a classic script`)
      if (level === 'warn') forward('debug', log)
    },
  })
  try {
    const { output } = await build.generate({
      format: 'iife',
      minify: options.minify,
      strict: true,
      codeSplitting: false,
    })
    const [chunk] = output
    const foreign = [...chunk.imports, ...chunk.dynamicImports].map((id) => `imports ${id}, which cannot be inlined`)
    const problem = problems[0] ?? foreign[0]
    if (problem !== undefined) throw new Error(`${path.basename(options.entry)}: ${problem}`)
    const own = (await build.watchFiles).map(stripQuery).filter((id) => path.isAbsolute(id))
    return { code: chunk.code, watchFiles: [...new Set([options.entry, ...own, ...nested])] }
  } finally {
    await build.close()
  }
}

function nestedScripts(options: InlineOptions, watchFiles: string[]): RolldownPlugin {
  return {
    name: 'shoal:inline-script',
    async resolveId(source, importer) {
      if (!source.endsWith(QUERY)) return undefined
      const found = await this.resolve(source.slice(0, -QUERY.length), importer)
      return found && found.id + QUERY
    },
    async load(id) {
      if (!id.endsWith(QUERY)) return undefined
      const inlined = await bundleInlineScript({ ...options, entry: id.slice(0, -QUERY.length) })
      watchFiles.push(...inlined.watchFiles)
      return { code: `export default ${JSON.stringify(inlined.code)}`, moduleType: 'js' }
    },
  }
}

/** The Vite plugin for `?shoal-inline`. Types: reference `@shoal/vite-plugin/inline-worker`. */
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
      if (!source.endsWith(QUERY)) return undefined
      const found = await this.resolve(source.slice(0, -QUERY.length), importer, { skipSelf: true })
      return found ? stripQuery(found.id) + QUERY : undefined
    },
    async load(id) {
      if (!id.endsWith(QUERY)) return undefined
      const inlined = await bundleInlineScript({ entry: stripQuery(id), isProduction, minify, define })
      for (const file of inlined.watchFiles) this.addWatchFile(file)
      return { code: `export default ${JSON.stringify(inlined.code)}`, map: { mappings: '' }, moduleType: 'js' }
    },
  }
}
