/** One compiler run over every block, its faults told by the line of the page where the code stands. */
import path from 'node:path'
import ts from 'typescript'
import type { WrittenBlock } from './write-blocks.ts'

/** @param paths what users import and this repository has under another name, with the absolute path of its source */
export function createDocsProgram(
  root: string,
  files: readonly string[],
  paths: Readonly<Record<string, string>>,
): ts.Program {
  const config = ts.getParsedCommandLineOfConfigFile(path.join(root, 'tsconfig.json'), {}, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'))
    },
  } as ts.ParseConfigFileHost)
  if (config === undefined) throw new Error('there is no tsconfig.json')
  const aliases = Object.fromEntries(Object.entries(paths).map(([specifier, source]) => [specifier, [source]]))
  // Parameter properties are for users to choose.
  return ts.createProgram(files, { ...config.options, erasableSyntaxOnly: false, paths: aliases })
}

export function checkBlocks(program: ts.Program, blocks: readonly WrittenBlock[]): string[] {
  return blocks.flatMap((block) => {
    const source = program.getSourceFile(block.checkPath)
    if (source === undefined) return [`${block.file}:${block.line}: was not compiled`]
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(({ start = 0, messageText }) => {
      // One line of imports stands before the code.
      const line = block.line + source.getLineAndCharacterOfPosition(start).line - 1
      return `${block.file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  })
}
