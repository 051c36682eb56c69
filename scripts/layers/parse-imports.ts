import ts from 'typescript'

export interface Import {
  readonly specifier: string
  /** 1-based. */
  readonly line: number
  /**
   * value: loaded before the file runs; type: erased; lazy: `import()`, loaded when it is reached. Under
   * verbatimModuleSyntax `import { type X }` still loads the module, so it is a value import.
   */
  readonly kind: 'value' | 'type' | 'lazy'
}

/** Every import, re-export and `import()` of a file, as written. */
export function parseImports(path: string, text: string): Import[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, false)
  const imports: Import[] = []
  const add = (node: ts.Node, specifier: ts.Node | undefined, kind: Import['kind']): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
    imports.push({ specifier: specifier.text, line, kind })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? 'type' : 'value')
    } else if (ts.isExportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.isTypeOnly ? 'type' : 'value')
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, node.argument.literal, 'type')
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], 'lazy')
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return imports
}
