/** What the SDK's entries export, their docstrings and the examples in them, by the compiler's own reading. */
import path from 'node:path'
import ts from 'typescript'
import type { Block } from './read-blocks.ts'

export interface PublicExport {
  readonly name: string
  /** `@shoal/sdk` and the entry. */
  readonly entry: string
  /** Something that is called, or a class that is no error: it has an example. */
  readonly needsExample: boolean
  readonly isType: boolean
  readonly text: string
  readonly examples: readonly Block[]
  readonly file: string
  /** 1-based. */
  readonly line: number
}

export interface Entry {
  /** As users import it. */
  readonly specifier: string
  /** Absolute path of its source. */
  readonly source: string
}

export function readExports(root: string, program: ts.Program, entries: readonly Entry[]): PublicExport[] {
  const checker = program.getTypeChecker()
  return entries.flatMap(({ specifier, source }) => {
    const file = program.getSourceFile(source)
    const module = file && checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error(`${source} is no module`)
    return checker.getExportsOfModule(module).map((symbol) => describe(root, checker, specifier, symbol))
  })
}

function describe(root: string, checker: ts.TypeChecker, entry: string, exported: ts.Symbol): PublicExport {
  const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
  const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
  const [declaration] = symbol.declarations ?? []
  if (declaration === undefined) throw new Error(`${exported.name} is declared nowhere`)
  const source = declaration.getSourceFile()
  const file = path.relative(root, source.fileName).replaceAll('\\', '/')
  const type = checker.getTypeOfSymbolAtLocation(symbol, declaration)
  const isValue = (symbol.flags & ts.SymbolFlags.Value) !== 0
  const isCalled = isValue && type.getCallSignatures().length > 0
  const isClass = isValue && type.getConstructSignatures().length > 0
  return {
    name: exported.name,
    entry,
    needsExample: isCalled || (isClass && !isError(checker, symbol)),
    isType: !isValue,
    text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    examples: examplesOf(file, source, declaration),
    file,
    line: source.getLineAndCharacterOfPosition(declaration.getStart(source)).line + 1,
  }
}

function isError(checker: ts.TypeChecker, symbol: ts.Symbol): boolean {
  const instance = checker.getDeclaredTypeOfSymbol(symbol)
  return instance.getProperty('stack') !== undefined && instance.getProperty('message') !== undefined
}

/**
 * The docstring's own text, with its lines where they stand in the file: the compiler's copy loses the indentation. An
 * example that begins with `// In a page` is type-checked alone; others are run.
 */
function examplesOf(file: string, source: ts.SourceFile, declaration: ts.Node): Block[] {
  const holder = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const comments = ts.getJSDocCommentsAndTags(holder).filter((node): node is ts.JSDoc => ts.isJSDoc(node))
  return comments.flatMap((comment) => {
    const first = source.getLineAndCharacterOfPosition(comment.getStart(source)).line + 1
    const lines = comment.getText(source).split('\n')
    const blocks: Block[] = []
    for (let at = 0; at < lines.length; at++) {
      if (!/^\s*\*?\s*@example\b/.test(lines[at] ?? '')) continue
      let end = at + 1
      while (
        end < lines.length &&
        !/^\s*\*?\s*(@\w|\*\/)/.test(lines[end] ?? '') &&
        !/^\s*\*\/$/.test(lines[end] ?? '')
      )
        end++
      const code = lines.slice(at + 1, end).map((line) => line.replace(/^\s*\* ?/, ''))
      const mode = /^\s*\/\/ In a page\b/.test(code[0] ?? '') ? 'check' : 'run'
      blocks.push({ file, line: first + at + 1, code: code.join('\n').trimEnd(), mode, name: undefined, set: file })
    }
    return blocks
  })
}
