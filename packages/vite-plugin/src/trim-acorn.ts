/**
 * Acorn as a tab needs it, a third smaller. What a tab parses is the text of a function that its own engine has compiled, so
 * three things need no checking: the inside of regular expressions, which characters an identifier may have (the engine's
 * `\p{ID_Start}` knows), and imports and exports, which stand in no function. Everything else is left as it is.
 *
 * It names what it takes out, and fails the build when an update of acorn no longer has it. The test beside this file
 * compares trees with the whole parser's.
 */
import { parseAst } from 'rolldown/parseAst'
import type { Plugin } from 'rolldown'

/** Functions and variables, and what stands for them. */
const REPLACED: Readonly<Record<string, string>> = {
  astralIdentifierCodes: '',
  astralIdentifierStartCodes: '',
  nonASCIIidentifierChars: '',
  nonASCIIidentifierStartChars: '',
  nonASCIIidentifierStart: '',
  nonASCIIidentifier: '',
  isInAstralSet: '',
  isIdentifierStart: 'function isIdentifierStart(code) { return /[$_\\p{ID_Start}]/u.test(codePointToString(code)) }',
  isIdentifierChar:
    'function isIdentifierChar(code) { return /[$\\u200c\\u200d\\p{ID_Continue}]/u.test(codePointToString(code)) }',
  buildUnicodeData: '',
  BranchID: '',
  RegExpValidationState: 'function RegExpValidationState() {}',
}

/** Methods of the parser, and what stands for them. */
const REPLACED_METHODS: Readonly<Record<string, string>> = {
  reset: 'RegExpValidationState.prototype.reset = function () {};',
  validateRegExpFlags: 'pp$1.validateRegExpFlags = function () {};',
  validateRegExpPattern: 'pp$1.validateRegExpPattern = function () {};',
  parseExport: '',
  parseExportAllDeclaration: '',
  parseExportDeclaration: '',
  checkExport: '',
  checkPatternExport: '',
  checkVariableExport: '',
  shouldParseExportStatement: '',
  parseExportSpecifier: '',
  parseExportSpecifiers: '',
  parseImport: '',
  parseImportSpecifier: '',
  parseImportDefaultSpecifier: '',
  parseImportNamespaceSpecifier: '',
  parseImportSpecifiers: '',
  parseWithClause: '',
  parseModuleExportName: '',
}

type Statement = ReturnType<typeof parseAst>['body'][number]

/** @throws Error when this is not the acorn that it knows. */
export function trimAcorn(code: string): string {
  const missing = new Set([...Object.keys(REPLACED), ...Object.keys(REPLACED_METHODS)])
  let trimmed = ''
  let end = 0
  for (const statement of parseAst(code).body) {
    const replacement = replacementFor(statement, missing)
    if (replacement === undefined) continue
    trimmed += code.slice(end, statement.start) + replacement
    end = statement.end
  }
  if (missing.size > 0) throw new Error(`acorn has changed; it has no ${[...missing].join(', ')}: see trim-acorn.ts`)
  return trimmed + code.slice(end)
}

/** The plugin for bundles that go to a tab. */
export function trimmedAcorn(): Plugin {
  return {
    name: 'shoal:trim-acorn',
    transform: {
      filter: { id: /[\\/]acorn[\\/]dist[\\/]acorn\.mjs$/ },
      handler: (code) => ({ code: trimAcorn(code), map: null }),
    },
  }
}

function replacementFor(statement: Statement, missing: Set<string>): string | undefined {
  const take = (table: Readonly<Record<string, string>>, name: string): string | undefined => {
    if (!Object.hasOwn(table, name)) return undefined
    missing.delete(name)
    return table[name]
  }
  switch (statement.type) {
    case 'FunctionDeclaration':
      return statement.id ? take(REPLACED, statement.id.name) : undefined
    case 'VariableDeclaration': {
      const id = statement.declarations[0]?.id
      return id?.type === 'Identifier' ? take(REPLACED, id.name) : undefined
    }
    // The loop that builds tables of Unicode properties is the only one at this level.
    case 'ForStatement':
      return ''
    case 'ExpressionStatement': {
      const { expression } = statement
      if (expression.type !== 'AssignmentExpression' || expression.left.type !== 'MemberExpression') return undefined
      const { object, property } = expression.left
      if (property.type !== 'Identifier') return undefined
      const known = take(REPLACED_METHODS, property.name)
      if (known !== undefined) return known
      const isRegexp = property.name.startsWith('regexp_') || ownerOf(object) === 'RegExpValidationState'
      return isRegexp || ownerOf(object) === 'BranchID' ? '' : undefined
    }
    default:
      return undefined
  }
}

/** `X` of `X.prototype`. */
function ownerOf(object: { type: string }): string | undefined {
  if (object.type !== 'MemberExpression') return undefined
  const inner = (object as unknown as { object: { type: string; name?: string } }).object
  return inner.type === 'Identifier' ? inner.name : undefined
}
