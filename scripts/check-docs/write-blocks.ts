/** Writes blocks as modules of their own, once as they are for the compiler and once to be run and looked at. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Block } from './read-blocks.ts'

export interface WrittenBlock extends Block {
  /** Absolute; its code begins in line 2, behind what it may use without importing it. */
  readonly checkPath: string
  /** Absolute; for `mode: 'run'` alone. */
  readonly runPath: string | undefined
}

/** Names that examples in docstrings use without importing them, and where they come from. */
export interface KnownName {
  readonly name: string
  readonly specifier: string
  readonly isType: boolean
}

/** Empties `folder` and writes every block below it. `known` is for the blocks of source files alone. */
export function writeBlocks(folder: string, blocks: readonly Block[], known: readonly KnownName[]): WrittenBlock[] {
  rmSync(folder, { recursive: true, force: true })
  return blocks.map((block) => {
    const set = block.set.replaceAll(/[^\w.-]+/g, '-')
    const [check, run] = ['check', 'run'].map((part) => path.join(folder, part, set))
    const name = block.name ?? `line-${block.line}.ts`
    const isSource = !block.file.endsWith('.md')
    const prelude = isSource ? importsFor(block.code, known) : ''
    const write = (target: string, code: string): string => {
      mkdirSync(target, { recursive: true })
      const file = path.join(target, name)
      writeFileSync(file, `${prelude}export {}\n${code}\n`)
      return file
    }
    const checkPath = write(check ?? '', block.code)
    const runPath = block.mode === 'check' ? undefined : write(run ?? '', watched(block))
    return { ...block, checkPath, runPath: block.mode === 'run' ? runPath : undefined }
  })
}

function importsFor(code: string, known: readonly KnownName[]): string {
  const used = known.filter(({ name }) => {
    const isUsed = new RegExp(`(?<![.\\w$'"])${name}\\b`).test(code)
    const isOwn = new RegExp(`\\b(?:const|let|class|function)\\s+${name}\\b|import\\s[^;'"]*\\b${name}\\b`).test(code)
    return isUsed && !isOwn
  })
  return used
    .map(({ name, specifier, isType }) => `import { ${isType ? 'type ' : ''}${name} } from '${specifier}'; `)
    .join('')
}

/** `console.log(x) // 6` and `await get(ref) // 6` say what they give: in the run it is compared. */
const PRINTED = /^(\s*)console\.log\((.*)\)\s*\/\/\s*(\S.*)$/
const AWAITED = /^(\s*)(await .*?)\s+\/\/\s*(\S.*)$/

function watched({ code, line, mode }: Block): string {
  if (mode !== 'run') return code
  return code
    .split('\n')
    .map((text, index) => {
      const match = PRINTED.exec(text) ?? AWAITED.exec(text)
      if (match === null) return text
      const [, indent = '', expression = '', expected = ''] = match
      if (!isValue(expected)) return text
      return `${indent}shown(${line + index}, ${JSON.stringify(expected)}, ${expression})`
    })
    .join('\n')
    .concat('\ndeclare const shown: (line: number, expected: string, ...values: unknown[]) => void')
}

/** A comment that is a value, not prose. */
function isValue(text: string): boolean {
  try {
    evaluate(text)
    return true
  } catch {
    return false
  }
}

/** @throws SyntaxError or ReferenceError for prose. */
export function evaluate(text: string): unknown {
  return (new Function(`"use strict"; return (${text}\n)`) as () => unknown)()
}
