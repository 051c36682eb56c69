/** What each kind of ECMAScript scope declares, for free-references. Strict code: functions do not leak out of blocks. */
import type { AnyNode, BlockStatement, Pattern } from 'acorn'

/** The names that a binding pattern declares. */
export function collectPattern(pattern: Pattern, names: Set<string>): void {
  switch (pattern.type) {
    case 'Identifier':
      names.add(pattern.name)
      return
    case 'ObjectPattern':
      for (const property of pattern.properties)
        collectPattern(property.type === 'RestElement' ? property.argument : property.value, names)
      return
    case 'ArrayPattern':
      for (const element of pattern.elements) if (element) collectPattern(element, names)
      return
    case 'RestElement':
      return collectPattern(pattern.argument, names)
    case 'AssignmentPattern':
      return collectPattern(pattern.left, names)
    case 'MemberExpression':
      return
  }
}

/** What a list of statements declares for its own block: let, const, using, class and function. */
export function collectLexical(statements: readonly AnyNode[], names: Set<string>): void {
  for (const statement of statements) {
    if (statement.type === 'VariableDeclaration') {
      if (statement.kind !== 'var') for (const { id } of statement.declarations) collectPattern(id, names)
    } else if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') {
      if (statement.id) names.add(statement.id.name)
    } else if (statement.type === 'LabeledStatement') collectLexical([statement.body], names)
  }
}

/** The `var` names of a function's body: at any depth, but not inside of nested functions and classes. */
export function collectVars(nodes: readonly AnyNode[], names: Set<string>): void {
  for (const node of nodes) {
    switch (node.type) {
      case 'VariableDeclaration':
        if (node.kind === 'var') for (const { id } of node.declarations) collectPattern(id, names)
        break
      case 'BlockStatement':
        collectVars((node as BlockStatement).body, names)
        break
      case 'IfStatement':
        collectVars(node.alternate ? [node.consequent, node.alternate] : [node.consequent], names)
        break
      case 'ForStatement':
        collectVars(node.init ? [node.init, node.body] : [node.body], names)
        break
      case 'ForInStatement':
      case 'ForOfStatement':
        collectVars([node.left, node.body], names)
        break
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'LabeledStatement':
        collectVars([node.body], names)
        break
      case 'SwitchStatement':
        for (const { consequent } of node.cases) collectVars(consequent, names)
        break
      case 'TryStatement':
        collectVars([node.block], names)
        if (node.handler) collectVars([node.handler.body], names)
        if (node.finalizer) collectVars([node.finalizer], names)
        break
      default:
        break
    }
  }
}
