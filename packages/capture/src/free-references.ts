/**
 * Scope analysis of one shipped function: which names are free in it, and which of `this`, `arguments`, `super`,
 * `new.target`, `import()` and `import.meta` reach outside. It knows ECMAScript's scopes and nothing of which names are
 * allowed, nor of compilers: check-function-source judges.
 *
 * The walk is one pass: entering a scope first collects what it declares (var and function declarations hoisted), so a
 * reference is decided when it is met. Parameters have a scope of their own, because a default value cannot see the
 * body's variables. Strict code throughout: no `with`, no functions leaking out of blocks.
 */
import type { AnyNode, Class, Expression, Function as FunctionNode, Pattern, Statement } from 'acorn'
import { collectLexical, collectPattern, collectVars } from './declared-names.ts'

/** A name or construct that reaches outside of the root. */
export type OuterUse =
  | {
      readonly kind: 'name'
      readonly name: string
      readonly start: number
      readonly end: number
      /** `get` in `name.get`, when the free name is only read for that property. */
      readonly property?: string
      /** The name is the base of a class, or the object that the base is read from. */
      readonly isBaseClass: boolean
      /** Spelled `(0, name.get)`, as compilers call what was imported. */
      readonly isDetachedCall: boolean
    }
  | {
      readonly kind: 'this' | 'arguments' | 'super' | 'new-target' | 'dynamic-import' | 'import-meta'
      readonly start: number
      readonly end: number
    }

interface Scope {
  readonly parent: Scope | undefined
  readonly names: Set<string>
}

/** Whose `this`, `arguments`, `super` and `new.target` a place sees. */
interface Reach {
  /** `root`: of the shipped function itself, which is called without one. */
  readonly thisOf: 'outside' | 'root' | 'inside'
  readonly hasArguments: boolean
  readonly hasSuper: boolean
  readonly hasNewTarget: boolean
}

const OUTSIDE: Reach = { thisOf: 'outside', hasArguments: false, hasSuper: false, hasNewTarget: false }
const IN_CLASS: Reach = { thisOf: 'inside', hasArguments: true, hasSuper: true, hasNewTarget: true }

/** Every use of something outside of `root`, in the order of the text. `root` is a function, arrow or class expression. */
export function findOuterUses(root: FunctionNode | Class): readonly OuterUse[] {
  const walk = new Walk()
  if (root.type === 'ClassExpression' || root.type === 'ClassDeclaration')
    walk.visitClass(root as Class, rootScope(), OUTSIDE)
  else walk.visitFunction(root as FunctionNode, rootScope(), OUTSIDE, 'root')
  return walk.uses.sort((a, b) => a.start - b.start)
}

function rootScope(): Scope {
  return { parent: undefined, names: new Set() }
}

function inner(parent: Scope, names: Iterable<string> = []): Scope {
  return { parent, names: new Set(names) }
}

class Walk {
  readonly uses: OuterUse[] = []

  visitFunction(node: FunctionNode, scope: Scope, reach: Reach, role: 'root' | 'method' | 'plain'): void {
    const isArrow = (node as AnyNode).type === 'ArrowFunctionExpression'
    const own: Reach = isArrow
      ? reach
      : {
          thisOf: role === 'root' ? 'root' : 'inside',
          hasArguments: true,
          hasSuper: role === 'method',
          hasNewTarget: true,
        }
    // The name of a function expression is visible inside of it only; a declaration's stands in the scope around.
    const named = (node as AnyNode).type === 'FunctionExpression' && node.id ? inner(scope, [node.id.name]) : scope
    const params = inner(named)
    for (const param of node.params) collectPattern(param, params.names)
    for (const param of node.params) this.#visitPattern(param, params, own)
    if (node.body.type !== 'BlockStatement') return this.visit(node.body, params, own)
    const body = inner(params)
    collectVars(node.body.body, body.names)
    this.#visitStatements(node.body.body, body, own)
  }

  visitClass(node: Class, scope: Scope, reach: Reach): void {
    const named = node.id ? inner(scope, [node.id.name]) : scope
    if (node.superClass) this.#visitBase(node.superClass, named, reach)
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock') {
        const body = inner(named)
        collectVars(member.body, body.names)
        this.#visitStatements(member.body, body, IN_CLASS)
        continue
      }
      if (member.computed) this.visit(member.key, named, reach)
      if (!member.value) continue
      if (member.type === 'MethodDefinition')
        this.visitFunction(member.value as FunctionNode, named, IN_CLASS, 'method')
      else this.visit(member.value, named, IN_CLASS)
    }
  }

  visit(node: AnyNode, scope: Scope, reach: Reach): void {
    switch (node.type) {
      case 'Identifier':
        return this.#name(node, scope, reach, {})
      case 'ThisExpression':
        if (reach.thisOf !== 'inside') this.#outer('this', node)
        return
      case 'Super':
        if (!reach.hasSuper) this.#outer('super', node)
        return
      case 'MetaProperty':
        if (node.meta.name === 'import') this.#outer('import-meta', node)
        else if (!reach.hasNewTarget) this.#outer('new-target', node)
        return
      case 'ImportExpression':
        this.#outer('dynamic-import', node)
        return this.#visitChildren(node, scope, reach)
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return this.visitFunction(node as FunctionNode, scope, reach, 'plain')
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.visitClass(node as Class, scope, reach)
      case 'MemberExpression':
        return this.#visitMember(node.object, node, scope, reach)
      case 'SequenceExpression':
        return this.#visitSequence(node.expressions, scope, reach)
      case 'Property':
        if (node.computed) this.visit(node.key, scope, reach)
        if (node.method || node.kind !== 'init')
          return this.visitFunction(node.value as FunctionNode, scope, reach, 'method')
        return this.visit(node.value, scope, reach)
      case 'BlockStatement':
        return this.#visitStatements(node.body, inner(scope), reach)
      case 'SwitchStatement': {
        this.visit(node.discriminant, scope, reach)
        const cases = inner(scope)
        for (const { consequent } of node.cases) collectLexical(consequent, cases.names)
        for (const { test, consequent } of node.cases) {
          if (test) this.visit(test, cases, reach)
          for (const statement of consequent) this.visit(statement, cases, reach)
        }
        return
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement': {
        const head = inner(scope)
        const declared = node.type === 'ForStatement' ? node.init : node.left
        if (declared?.type === 'VariableDeclaration') collectLexical([declared], head.names)
        return this.#visitChildren(node, head, reach)
      }
      case 'CatchClause': {
        const caught = inner(scope)
        if (node.param) {
          collectPattern(node.param, caught.names)
          this.#visitPattern(node.param, caught, reach)
        }
        return this.visit(node.body, caught, reach)
      }
      case 'VariableDeclarator':
        this.#visitPattern(node.id, scope, reach)
        if (node.init) this.visit(node.init, scope, reach)
        return
      case 'LabeledStatement':
        return this.visit(node.body, scope, reach)
      case 'BreakStatement':
      case 'ContinueStatement':
        return
      default:
        return this.#visitChildren(node, scope, reach)
    }
  }

  #visitStatements(statements: readonly Statement[], scope: Scope, reach: Reach): void {
    collectLexical(statements, scope.names)
    for (const statement of statements) this.visit(statement, scope, reach)
  }

  /** A binding pattern: its names are declared, but its defaults and computed keys are ordinary expressions. */
  #visitPattern(pattern: Pattern, scope: Scope, reach: Reach): void {
    switch (pattern.type) {
      case 'Identifier':
        return
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.#visitPattern(property.argument, scope, reach)
          else {
            if (property.computed) this.visit(property.key, scope, reach)
            this.#visitPattern(property.value, scope, reach)
          }
        }
        return
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.#visitPattern(element, scope, reach)
        return
      case 'RestElement':
        return this.#visitPattern(pattern.argument, scope, reach)
      case 'AssignmentPattern':
        this.#visitPattern(pattern.left, scope, reach)
        return this.visit(pattern.right, scope, reach)
      case 'MemberExpression':
        return this.visit(pattern, scope, reach)
    }
  }

  #visitBase(base: Expression, scope: Scope, reach: Reach): void {
    const [object, property] = plainMember(base)
    if (object?.type === 'Identifier') return this.#name(object, scope, reach, { property, isBaseClass: true })
    this.visit(base, scope, reach)
  }

  #visitMember(object: AnyNode, member: AnyNode, scope: Scope, reach: Reach): void {
    const [, property] = plainMember(member)
    if (object.type === 'Identifier' && property !== undefined) this.#name(object, scope, reach, { property })
    else this.#visitChildren(member, scope, reach)
  }

  #visitSequence(expressions: readonly Expression[], scope: Scope, reach: Reach): void {
    const [first, second] = expressions
    if (expressions.length === 2 && first?.type === 'Literal' && first.value === 0 && second) {
      const [object, property] = plainMember(second)
      if (object?.type === 'Identifier' && property !== undefined)
        return this.#name(object, scope, reach, { property, isDetachedCall: true })
    }
    for (const expression of expressions) this.visit(expression, scope, reach)
  }

  #visitChildren(node: AnyNode, scope: Scope, reach: Reach): void {
    const isMember = node.type === 'MemberExpression' && !node.computed
    for (const [key, value] of Object.entries(node) as [string, unknown][]) {
      if (isMember && key === 'property') continue
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (isNode(child)) this.visit(child, scope, reach)
      }
    }
  }

  #name(
    node: { name: string; start: number; end: number },
    scope: Scope,
    reach: Reach,
    how: { property?: string | undefined; isBaseClass?: boolean; isDetachedCall?: boolean },
  ): void {
    for (let at: Scope | undefined = scope; at; at = at.parent) if (at.names.has(node.name)) return
    if (node.name === 'arguments') {
      if (!reach.hasArguments) this.#outer('arguments', node)
      return
    }
    this.uses.push({
      kind: 'name',
      name: node.name,
      start: node.start,
      end: node.end,
      isBaseClass: how.isBaseClass ?? false,
      isDetachedCall: how.isDetachedCall ?? false,
      ...(how.property === undefined ? {} : { property: how.property }),
    })
  }

  #outer(kind: Exclude<OuterUse['kind'], 'name'>, { start, end }: { start: number; end: number }): void {
    this.uses.push({ kind, start, end })
  }
}

/** `[object, 'get']` for `object.get`, `[node]` for anything else. */
function plainMember(node: AnyNode): [AnyNode, string?] {
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return [node]
  return [node.object, node.property.name]
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}
