/**
 * The code blocks of a Markdown page. A block is TypeScript that is type-checked and then run in a test room; a comment on
 * the line before its fence says what is different about it:
 *
 *     <!-- docs: check, REASON -->        type-checked alone: it needs a page, a bundler or a server
 *     <!-- docs: skip, REASON -->         neither: it is no complete program
 *     <!-- docs: continues -->            goes on where the block before it ended
 *     <!-- docs: file fib.remote.ts -->   a file that later blocks of the page import by that name; not run itself
 */

export interface Block {
  /** The page or source file, relative to the root. */
  readonly file: string
  /** Of its first line of code, 1-based. */
  readonly line: number
  readonly code: string
  readonly mode: 'run' | 'check' | 'file'
  /** With `file`: its name. */
  readonly name: string | undefined
  /** Blocks of one set may import its files. */
  readonly set: string
}

const LANGUAGES = new Set(['ts', 'tsx', 'typescript', 'js', 'javascript'])
const FENCE = /^(\s*)```(\w*)\s*$/
const DIRECTIVE = /^\s*<!--\s*docs:\s*(\w+)(?:[,\s]\s*(.*?))?\s*-->\s*$/

/** @throws Error for a directive that nobody knows, or one without its reason. */
export function readBlocks(file: string, markdown: string): Block[] {
  const blocks: Block[] = []
  const lines = markdown.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = FENCE.exec(lines[at] ?? '')
    if (fence === null) continue
    const [, indent = '', language = ''] = fence
    const end = lines.findIndex((line, index) => index > at && line.trim() === '```')
    if (end === -1) throw new Error(`${file}:${at + 1}: a code block without an end`)
    const directive = DIRECTIVE.exec(previousLine(lines, at))
    const code = lines.slice(at + 1, end).map((line) => line.slice(indent.length))
    if (LANGUAGES.has(language)) add(directive?.[1] ?? 'run', directive?.[2] ?? '', at + 2, code.join('\n'))
    at = end
  }
  return blocks

  function add(word: string, rest: string, line: number, code: string): void {
    const where = `${file}:${line - 1}`
    const last = blocks.at(-1)
    if (word === 'skip' || word === 'check') {
      if (rest === '') throw new Error(`${where}: docs: ${word} takes a reason`)
      if (word === 'check') blocks.push({ file, line, code, mode: 'check', name: undefined, set: file })
    } else if (word === 'file') {
      if (!/^[\w.-]+\.tsx?$/.test(rest)) throw new Error(`${where}: docs: file takes a file's name`)
      blocks.push({ file, line, code, mode: 'file', name: rest, set: file })
    } else if (word === 'continues') {
      if (last === undefined) throw new Error(`${where}: there is no block before it`)
      const gap = '\n'.repeat(line - last.line - last.code.split('\n').length + 1)
      blocks[blocks.length - 1] = { ...last, code: `${last.code}${gap}${code}` }
    } else if (word === 'run') blocks.push({ file, line, code, mode: 'run', name: undefined, set: file })
    else throw new Error(`${where}: docs: ${word} is not known`)
  }
}

/** The nearest line above that is not empty: a formatter may put one between the comment and the fence. */
function previousLine(lines: readonly string[], at: number): string {
  for (let index = at - 1; index >= 0; index--) if (lines[index]?.trim() !== '') return lines[index] ?? ''
  return ''
}
