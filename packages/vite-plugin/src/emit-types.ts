/**
 * The types of a remote module, as the project's own TypeScript declares them. A module that imports types from files of
 * the project gets a folder with theirs beside its own. TypeScript is the project's: it is not among our dependencies.
 */
import { createRequire } from 'node:module'
import path from 'node:path'
import type * as TypeScript from 'typescript'

export interface EmittedTypes {
  readonly files: ReadonlyMap<string, string>
  /** Why there are no types. */
  readonly note?: string
}

/** Declarations for `<stem>.d.ts`. Errors of types are no reason to fail: the checker of the project tells them. */
export async function emitTypes(entry: string, stem: string): Promise<EmittedTypes> {
  const ts = await findTypeScript(entry)
  if (ts === undefined)
    return { files: new Map(), note: 'no types were written, since typescript is not installed here' }
  const declared = declare(ts, entry)
  const own = declared.get(entry)
  if (own === undefined) return { files: new Map(), note: 'no types were written: TypeScript gave none' }
  const files = new Map<string, string>()
  if (declared.size === 1) {
    files.set(`${stem}.d.ts`, own)
    return { files }
  }
  const above = commonFolder([...declared.keys()])
  const folder = `${stem}.types`
  for (const [source, text] of declared)
    files.set(path.join(folder, declarationName(path.relative(above, source))), text)
  const target = `./${path.basename(folder)}/${path.relative(above, entry).split(path.sep).join('/')}`
  const specifier = JSON.stringify(target.replace(/\.[^./]+$/, '.js'))
  const hasDefault = /\bexport default\b|\bas default\b/.test(own)
  const lines = [`export * from ${specifier}`, ...(hasDefault ? [`export { default } from ${specifier}`] : []), '']
  files.set(`${stem}.d.ts`, lines.join('\n'))
  return { files }
}

async function findTypeScript(entry: string): Promise<typeof TypeScript | undefined> {
  try {
    const file = createRequire(entry).resolve('typescript')
    const module = (await import(file)) as { default: typeof TypeScript }
    return module.default
  } catch {
    return undefined
  }
}

/** Declarations of the entry and of the project's files that it imports, by source file. */
function declare(ts: typeof TypeScript, entry: string): Map<string, string> {
  const configFile = ts.findConfigFile(path.dirname(entry), (file) => ts.sys.fileExists(file))
  const options = configFile === undefined ? {} : optionsOf(ts, configFile)
  const program = ts.createProgram([entry], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    ...options,
    allowJs: true,
    allowImportingTsExtensions: true,
    declaration: true,
    emitDeclarationOnly: true,
    declarationMap: false,
    noEmit: false,
    noEmitOnError: false,
    composite: false,
    incremental: false,
    skipLibCheck: true,
  })
  const declared = new Map<string, string>()
  for (const source of ownSources(ts, program, entry))
    program.emit(source, (_file, text) => declared.set(path.normalize(source.fileName), text))
  return declared
}

/** The entry and what it reaches by relative imports; packages bring their own types. */
function ownSources(ts: typeof TypeScript, program: TypeScript.Program, entry: string): Set<TypeScript.SourceFile> {
  const found = new Set<TypeScript.SourceFile>()
  const visit = (file: string): void => {
    const source = program.getSourceFile(file)
    if (source === undefined || found.has(source) || source.isDeclarationFile) return
    found.add(source)
    for (const { fileName: specifier } of ts.preProcessFile(source.text, true, true).importedFiles) {
      if (!/^\.{1,2}\//.test(specifier)) continue
      const { resolvedModule } = ts.resolveModuleName(specifier, file, program.getCompilerOptions(), ts.sys)
      if (resolvedModule !== undefined) visit(resolvedModule.resolvedFileName)
    }
  }
  visit(entry)
  return found
}

function optionsOf(ts: typeof TypeScript, configFile: string): TypeScript.CompilerOptions {
  const { config } = ts.readConfigFile(configFile, (file) => ts.sys.readFile(file)) as { config?: unknown }
  const { options } = ts.parseJsonConfigFileContent(
    config ?? {},
    { ...ts.sys, readDirectory: () => [] },
    path.dirname(configFile),
  )
  delete options.outDir
  delete options.outFile
  delete options.rootDir
  delete options.declarationDir
  return options
}

function declarationName(source: string): string {
  return source.replace(/\.([cm]?)[jt]sx?$/, '.d.$1ts')
}

function commonFolder(files: readonly string[]): string {
  let folder = path.dirname(files[0] ?? '')
  while (!files.every((file) => file.startsWith(folder + path.sep)) && folder !== path.dirname(folder))
    folder = path.dirname(folder)
  return folder
}
