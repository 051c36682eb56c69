/**
 * From the text of `Function.prototype.toString` to an expression that can be evaluated anywhere, and its syntax tree.
 * Methods and accessors (`run(a) {…}`, `get x() {…}`, `async *[key]() {…}`) are no expressions by themselves: they become
 * a method of an object literal, keeping their name where it stands in the text.
 */
import { parse, type AnyNode, type Class, type Function as FunctionNode, type Options } from 'acorn'

export interface ParsedFunction {
  readonly expression: string
  readonly root: FunctionNode | Class
  /** Subtract this from a node's offset to get its offset in the text that was given. */
  readonly offset: number
  readonly isMethod: boolean
}

export interface UnparsedFunction {
  readonly message: string
  /** Offset in the text that was given. */
  readonly at: number
}

// The text is parsed inside of a function, so that a `new.target` or `super` of the code around it is found rather than
// a syntax error, and as a module, since what ships was written in one: strict, with import.meta.
const BEFORE_EXPRESSION = '(function(){return('
const AFTER_EXPRESSION = '\n)})'
const BEFORE_METHOD = '({'
const AFTER_METHOD = '\n})'

const OPTIONS: Options = {
  ecmaVersion: 'latest',
  sourceType: 'module',
  allowSuperOutsideMethod: true,
  allowAwaitOutsideFunction: false,
}

/** Parses one whole function, arrow, class, method or accessor. Text with anything beside it is not accepted. */
export function parseFunction(source: string): ParsedFunction | UnparsedFunction {
  const asExpression = tryParse(BEFORE_EXPRESSION + source + AFTER_EXPRESSION)
  if ('tree' in asExpression) {
    const root = rootOfExpression(asExpression.tree, source.length)
    if (root) return { expression: source, root, offset: BEFORE_EXPRESSION.length, isMethod: false }
    return { message: 'this is not one function or class', at: 0 }
  }
  const asMethod = tryParse(BEFORE_METHOD + source + AFTER_METHOD)
  const method = 'tree' in asMethod ? methodOf(asMethod.tree, source) : undefined
  if (method) return { ...method, offset: BEFORE_METHOD.length, isMethod: true }
  // Of the two errors the one further on belongs to the shape that the text has.
  const first = asExpression.at - BEFORE_EXPRESSION.length
  const second = 'tree' in asMethod ? 0 : asMethod.at - BEFORE_METHOD.length
  return second > first && 'message' in asMethod
    ? { message: asMethod.message, at: second }
    : { message: asExpression.message, at: first }
}

function tryParse(text: string): { tree: AnyNode } | { message: string; at: number } {
  try {
    return { tree: parse(text, OPTIONS) }
  } catch (error) {
    // acorn throws a SyntaxError with the offset in `pos`; anything else is a bug.
    if (!(error instanceof SyntaxError)) throw error
    return { message: error.message.replace(/ \(\d+:\d+\)$/, ''), at: (error as SyntaxError & { pos: number }).pos }
  }
}

/** The function or class, when it is all there is between what we put around it: `1), (()=>2` must not pass. */
function rootOfExpression(tree: AnyNode, length: number): FunctionNode | Class | undefined {
  if (tree.type !== 'Program' || tree.body.length !== 1) return undefined
  const [statement] = tree.body
  if (statement?.type !== 'ExpressionStatement' || statement.expression.type !== 'FunctionExpression') return undefined
  const { body } = statement.expression.body
  const [only] = body
  if (body.length !== 1 || only?.type !== 'ReturnStatement' || !only.argument) return undefined
  const root = only.argument
  if (root.start !== BEFORE_EXPRESSION.length || root.end !== BEFORE_EXPRESSION.length + length) return undefined
  if (root.type === 'ClassExpression') return root as Class
  if (root.type === 'FunctionExpression' || root.type === 'ArrowFunctionExpression') return root as FunctionNode
  return undefined
}

function methodOf(tree: AnyNode, source: string): Pick<ParsedFunction, 'expression' | 'root'> | undefined {
  if (tree.type !== 'Program' || tree.body.length !== 1) return undefined
  const [statement] = tree.body
  if (statement?.type !== 'ExpressionStatement' || statement.expression.type !== 'ObjectExpression') return undefined
  const { properties } = statement.expression
  const [property] = properties
  if (properties.length !== 1 || property?.type !== 'Property') return undefined
  if (!property.method && property.kind === 'init') return undefined
  if (property.start !== BEFORE_METHOD.length || property.end !== BEFORE_METHOD.length + source.length) return undefined
  const root = property.value as FunctionNode
  const at = (node: AnyNode): string => source.slice(node.start - BEFORE_METHOD.length, node.end - BEFORE_METHOD.length)
  // A computed key names things outside and is not needed to call the function.
  const key = property.computed ? 'method' : at(property.key)
  const isName = property.computed || property.key.type === 'Identifier'
  const shorthand = (root.async ? 'async ' : '') + (root.generator ? '*' : '') + key + at(root as AnyNode)
  return { expression: `({ ${shorthand} })${isName ? `.${key}` : `[${key}]`}`, root }
}
