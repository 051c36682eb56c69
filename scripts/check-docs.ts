/**
 * Keeps what people read true: code blocks of README.md, docs and the packages' READMEs are type-checked, and so are the
 * examples in the docstrings of what `@shoal/sdk` exports; each export has a docstring, and what is called an example.
 * check-docs.test.ts runs them too, in a test room. See check-docs/read-blocks.ts for what a block may say.
 */
import { readdirSync, readFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkBlocks, createDocsProgram } from './check-docs/check-blocks.ts'
import { readBlocks } from './check-docs/read-blocks.ts'
import { readExports } from './check-docs/read-exports.ts'
import type { PublicExport } from './check-docs/read-exports.ts'
import { writeBlocks } from './check-docs/write-blocks.ts'
import type { WrittenBlock } from './check-docs/write-blocks.ts'
import { pageEntries, root, toolEntries } from './pack-sdk/entries.ts'

export interface DocsReport {
  /** One sentence each. */
  readonly faults: readonly string[]
  readonly blocks: readonly WrittenBlock[]
  readonly exports: readonly PublicExport[]
}

/** The doors for stubs that the plugin writes are no part of the reference. */
const NOT_PUBLIC = new Set(['./internal'])

export function checkDocs(): DocsReport {
  const entries = pageEntries().filter(({ key }) => !NOT_PUBLIC.has(key))
  const specifierOf = (key: string): string => `@shoal/sdk${key.slice(1)}`
  const sources = entries.map(({ key, source }) => ({ specifier: specifierOf(key), source }))
  const paths = Object.fromEntries(toolEntries().map(({ key, source }) => [specifierOf(key), source]))
  const pages = pagesOf(root).flatMap((page) => readBlocks(page, readFileSync(path.join(root, page), 'utf8')))
  const first = createDocsProgram(
    root,
    sources.map(({ source }) => source),
    paths,
  )
  const exports = readExports(root, first, sources)
  const known = exports.map(({ name, entry, isType }) => ({ name, specifier: entry, isType }))
  const blocks = writeBlocks(path.join(root, '.shoal/docs'), [...pages, ...uniqueExamples(exports)], known)
  const program = createDocsProgram(
    root,
    blocks.map(({ checkPath }) => checkPath),
    paths,
  )
  return { faults: [...exports.flatMap(missing), ...checkBlocks(program, blocks)], blocks, exports }
}

function missing({ name, entry, text, needsExample, examples, file, line }: PublicExport): string[] {
  if (text.trim() === '') return [`${file}:${line}: ${name} of ${entry} has no docstring`]
  if (needsExample && examples.length === 0) return [`${file}:${line}: ${name} of ${entry} has no @example`]
  return []
}

/** One declaration may be exported by several entries. */
function uniqueExamples(exports: readonly PublicExport[]): PublicExport['examples'] {
  const all = new Map(
    exports.flatMap(({ examples }) => examples).map((block) => [`${block.file}:${block.line}`, block]),
  )
  return [...all.values()]
}

function pagesOf(folder: string): string[] {
  const docs = readdirSync(path.join(folder, 'docs')).filter((name) => name.endsWith('.md'))
  const packages = readdirSync(path.join(folder, 'packages')).map((name) => `packages/${name}/README.md`)
  return ['README.md', ...docs.map((name) => `docs/${name}`), ...packages].filter((page) =>
    existsSync(path.join(folder, page)),
  )
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { faults, blocks } = checkDocs()
  for (const fault of faults) console.error(fault)
  console.log(`${blocks.length} blocks, ${faults.length} faults`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
