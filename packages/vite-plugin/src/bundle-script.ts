/** One build of rolldown for the texts of classic scripts: inline scripts, and scripts of two stages. */
import path from 'node:path'
import { rolldown } from 'rolldown'
import type { OutputChunk, OutputOptions, Plugin } from 'rolldown'
import { stripQuery } from './strip-query.ts'
import { trimmedAcorn } from './trim-acorn.ts'

export interface InlineOptions {
  /** Absolute path of the entry. */
  readonly entry: string
  readonly isProduction: boolean
  readonly minify: boolean
  readonly define?: Readonly<Record<string, string>>
}

export interface ScriptBuild {
  readonly chunks: readonly OutputChunk[]
  /** Absolute paths of what went in. */
  readonly watchFiles: readonly string[]
}

/** Rejects when anything stays outside, for nothing could load it there. */
export async function buildScript(
  input: Readonly<Record<string, string>>,
  options: Omit<InlineOptions, 'entry'>,
  output: OutputOptions,
  nested: Plugin,
): Promise<ScriptBuild> {
  const name = path.basename(Object.values(input)[0] ?? '')
  const build = await rolldown({
    input: { ...input },
    platform: 'browser',
    preserveEntrySignatures: 'allow-extension',
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
    plugins: [nested, trimmedAcorn()],
    onLog: (level, log, forward) => {
      if (log.code === 'EMPTY_IMPORT_META') throw new Error(`${name}: import.meta does not exist in a classic script`)
      if (level === 'warn') forward('debug', log)
    },
  })
  try {
    // A script is never bundled again: what is said to bundlers is of no use in it.
    const comments = { legal: true, annotation: false, jsdoc: false }
    const made = await build.generate({ minify: options.minify, strict: true, comments, ...output })
    const chunks = made.output.filter((file) => file.type === 'chunk')
    const own = new Set(chunks.map(({ fileName }) => fileName))
    for (const chunk of chunks)
      for (const id of [...chunk.imports, ...chunk.dynamicImports])
        if (!own.has(id)) throw new Error(`${name}: imports ${id}, which cannot be inlined`)
    const watchFiles = (await build.watchFiles).map(stripQuery).filter((id) => path.isAbsolute(id))
    return { chunks, watchFiles }
  } finally {
    await build.close()
  }
}
