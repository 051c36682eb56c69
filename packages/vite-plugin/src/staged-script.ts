/**
 * A script of two stages: `x.ts` runs at once, `x-second.ts` in the same place once its text was brought there. What both
 * import is in the first stage alone, so a class is one class in both. For sandbox workers, which can import nothing, and for
 * the node worker, which is a classic script.
 *
 * In the first stage the name `shoalStages` stands for what belongs to this build (`StageLink`): its `mark`, with which
 * the second stage's text begins, and what the second stage needs of the first. The second stage's text is the body of a
 * function with the parameter `shoalStages` that returns the exports of `x-second.ts`.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { OutputChunk, Plugin } from 'rolldown'
import { buildScript } from './bundle-script.ts'
import type { InlineOptions } from './bundle-script.ts'

export interface StagedScript {
  /** What the second stage's text begins with. */
  readonly mark: string
  readonly first: string
  readonly second: string
  /** Absolute paths of every file that went in. */
  readonly watchFiles: readonly string[]
}

/** The file of an entry's second stage. */
export function secondStageOf(entry: string): string {
  return entry.replace(/(?=\.[cm]?[jt]s$)/, '-second')
}

/** Bundles both stages; the same files and options always give the same texts. */
export async function bundleStagedScript(options: InlineOptions, nested: Plugin): Promise<StagedScript> {
  const second = secondStageOf(options.entry)
  const alone = await buildScript({ first: options.entry }, options, { format: 'esm', codeSplitting: false }, nested)
  const inFirst = new Set(alone.chunks.flatMap((chunk) => Object.keys(chunk.modules)))
  const groups = [{ name: 'first', test: (id: string) => inFirst.has(id) }]
  const output = { format: 'esm', entryFileNames: '[name].js', codeSplitting: { groups } } as const
  const { chunks, watchFiles } = await buildScript({ first: options.entry, second }, options, output, nested)
  const [firstChunk, secondChunk] = ['first.js', 'second.js'].map((name) => chunks.find((c) => c.fileName === name))
  if (firstChunk === undefined || secondChunk === undefined || chunks.length !== 2)
    throw new Error(`${options.entry}: its stages became ${chunks.map(({ fileName }) => fileName).join(', ')}`)
  const name = path.basename(second).replace(/\.[^.]*$/, '')
  return { ...link(firstChunk, secondChunk, name), watchFiles: [...new Set([options.entry, second, ...watchFiles])] }
}

const EXPORTS = /\bexport\s*\{([^}]*)\};?\s*$/
const IMPORTS = /^\s*import\s*\{([^}]*)\}\s*from\s*["']\.\/first\.js["'];?/

/** The second stage as a script, for where texts may not be evaluated: it leaves `{ mark, make }` at `globalThis.shoalChunk`. */
export function asChunk({ mark, second }: Pick<StagedScript, 'mark' | 'second'>): string {
  return `globalThis.shoalChunk={mark:"${mark}",make(shoalStages){${second}\n}};\n`
}

function link(first: OutputChunk, second: OutputChunk, name: string): { mark: string; first: string; second: string } {
  if (first.imports.length > 0) throw new Error('a first stage imports its second one')
  const body = first.code.replace(EXPORTS, (_, names: string) => `shoalStages.shared={${pairs(names, true)}};`)
  // Names in the shared part are short ones, which another build gives to other things.
  const mark = createHash('sha256').update(body).digest('hex').slice(0, 12)
  const imported = second.code.replace(
    IMPORTS,
    (_, names: string) => `const{${pairs(names, false)}}=shoalStages.shared;`,
  )
  const returned = imported.replace(EXPORTS, (_, names: string) => `return{${pairs(names, true)}};`)
  return {
    mark,
    first: `(()=>{"use strict";const shoalStages={mark:"${mark}"};${body}\n})();\n`,
    second: `//${mark}\n"use strict";${returned}\n//# sourceURL=${name}.js`,
  }
}

/** `a as b` of an export list as `b:a`; of an import list as `a:b`. */
function pairs(names: string, isExport: boolean): string {
  const list = names.split(',').map((name) => name.trim())
  return list
    .filter((name) => name !== '')
    .map((name) => {
      const [from = '', to = from] = name.split(/\s+as\s+/)
      return isExport ? `${to}:${from}` : `${from}:${to}`
    })
    .join(',')
}
