/** What one file may import and how long it may be. Each rule gives one sentence; nothing here reads the disk. */
import { builtinModules } from 'node:module'
import {
  layerOf,
  LIBRARIES_LAYER,
  PEERS_LAYER,
  SIGNALING_SERVER,
  SIGNALING_SERVER_MAY_IMPORT,
  TESTING_PACKAGE,
  TOOLS,
} from './layers.ts'
import type { Import } from './parse-imports.ts'
import { resolveRelative, workspaceOf } from './tree.ts'
import type { SourceFile, Tree, Workspace } from './tree.ts'

const LONG_LINES = 350
const MAX_LINES = 800
const CATCH_ALL_NAME = /(^|\/)(utils?|helpers?|misc)\.[a-z]+$/
const BUILTINS = new Set(builtinModules)

export function checkFile(tree: Tree, file: SourceFile): string[] {
  const faults = checkSize(file)
  for (const imported of file.imports) {
    const fault = checkImport(tree, file, imported)
    if (fault !== undefined) faults.push(`${file.path}:${String(imported.line)}: ${fault}`)
  }
  return faults
}

/** The file an import means; undefined for what lies outside this repository (npm packages, Node's own modules). */
export function resolveSpecifier(tree: Tree, file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return resolveRelative(tree, file.path, specifier)
  const { name, subpath } = splitBare(specifier)
  return tree.byName.get(name)?.entries.get(subpath)
}

function checkSize(file: SourceFile): string[] {
  const faults: string[] = []
  if (CATCH_ALL_NAME.test(file.path)) faults.push(`${file.path}: a file is named after what it exports`)
  const lines = file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0)
  if (lines > MAX_LINES) {
    faults.push(`${file.path}: ${String(lines)} lines; ${String(MAX_LINES)} is the most`)
  } else if (lines > LONG_LINES && !headerComment(file.text).includes('Long because')) {
    const limit = String(LONG_LINES)
    faults.push(`${file.path}: ${String(lines)} lines; past ${limit} the header comment says "Long because ..."`)
  }
  return faults
}

/** The comments a file begins with, and those between its imports and its first statement. */
function headerComment(text: string): string {
  const imports = /import\s[^;'"]*['"][^'"]+['"];?\s*/
  const comment = /\/\*[\s\S]*?\*\/\s*|\/\/[^\n]*\n\s*/
  return new RegExp(`^\\s*(?:${comment.source}|${imports.source})*`).exec(text)?.[0] ?? ''
}

function checkImport(tree: Tree, file: SourceFile, imported: Import): string | undefined {
  const { specifier } = imported
  if (specifier.startsWith('.')) return checkRelative(tree, file, specifier)
  if (specifier.startsWith('node:') || BUILTINS.has(specifier)) return undefined
  // Names a bundler or our plugin makes up.
  if (specifier.startsWith('virtual:') || specifier.startsWith('\0') || specifier.startsWith('/')) return undefined
  const { name, subpath } = splitBare(specifier)
  const target = tree.byName.get(name)
  if (target === file.workspace && target.name !== '') {
    return file.isTest ? undefined : `a package does not import its own entry ${specifier}`
  }
  const layerFault = target === undefined ? undefined : checkLayer(file, target)
  if (layerFault !== undefined) return layerFault
  if (!isDeclared(tree, file, name)) return `${name} is not declared in ${file.workspace.folder || '.'}/package.json`
  if (target === undefined) return undefined
  if (!target.entries.has(subpath)) return `${specifier} is inside ${target.folder}, not one of its entries`
  return checkEntry(file, target, subpath)
}

function checkRelative(tree: Tree, file: SourceFile, specifier: string): string | undefined {
  const path = resolveRelative(tree, file.path, specifier)
  const target = workspaceOf(tree, path)
  if (target === undefined) return undefined
  if (target !== file.workspace) {
    const isEntry = [...target.entries.values()].includes(path)
    // A config file is loaded by Node before anything resolves our TypeScript packages by name.
    if (file.isConfig && isEntry) return undefined
    // Tests in a browser ask the repository's tools where one is.
    if (target.folder === TOOLS && file.isTest) return undefined
    return `${specifier} leaves ${file.workspace.folder || 'the root'}; import ${target.name || target.folder} by its name`
  }
  const isOwnIndex = [...target.entries.values()].includes(path) && /(^|\/)index\.tsx?$/.test(path)
  if (isOwnIndex && !file.isTest && !file.isConfig) return `${specifier} is this package's own entry; import the file`
  return undefined
}

function checkLayer(file: SourceFile, target: Workspace): string | undefined {
  const from = file.workspace.folder
  const to = target.folder
  if (to === TESTING_PACKAGE) return file.isTest ? undefined : `${to} is for tests only`
  if (from === TESTING_PACKAGE || from === TOOLS || from === '') return undefined
  if (from === SIGNALING_SERVER) {
    return SIGNALING_SERVER_MAY_IMPORT.includes(to) ? undefined : `${from} may not import ${to}`
  }
  const fromLayer = layerOf(from)
  const toLayer = layerOf(to)
  if (to === SIGNALING_SERVER) return file.isTest ? undefined : `${to} is a program, not a library`
  if (fromLayer === undefined || toLayer === undefined) return undefined
  const layers = `(layer ${String(fromLayer)} to ${String(toLayer)})`
  if (toLayer > fromLayer) return `${from} may not import upward from ${to} ${layers}`
  if (toLayer === PEERS_LAYER && fromLayer === PEERS_LAYER) return `${from} and ${to} are introduced by node only`
  if (fromLayer === LIBRARIES_LAYER && to !== 'packages/sdk' && !file.isTest) {
    return `${from} is written from @shoal/sdk alone and may not import ${to}`
  }
  if (from.startsWith('apps/') && to.startsWith('apps/')) return `${from} may not import another app`
  return undefined
}

/** Entries that are not for everybody: suites for tests, and the sdk's doors for its own tools. */
function checkEntry(file: SourceFile, target: Workspace, subpath: string): string | undefined {
  if (subpath.startsWith('./testing') && !file.isTest && file.workspace.folder !== TESTING_PACKAGE) {
    return `${target.name}${subpath.slice(1)} is for tests only`
  }
  const layer = layerOf(file.workspace.folder) ?? 0
  if (subpath.startsWith('./internal') && layer >= LIBRARIES_LAYER && !file.isTest) {
    return `${target.name}${subpath.slice(1)} is not public`
  }
  return undefined
}

/** Tests, configuration and tools may also use what the package and the root declare for development. */
function isDeclared(tree: Tree, file: SourceFile, name: string): boolean {
  const { workspace } = file
  if (workspace.dependencies.has(name)) return true
  const isDevelopment = file.isTest || file.isConfig || workspace.folder === TOOLS || workspace.folder === ''
  // The simulated room is at hand for every test: declared everywhere it would be a cycle of packages.
  if (isDevelopment && tree.byName.get(name)?.folder === TESTING_PACKAGE) return true
  // The root is what declares the workspaces.
  if ((workspace.folder === TOOLS || workspace.folder === '') && tree.byName.has(name)) return true
  const root = tree.workspaces.get('')
  // Types that only describe a JavaScript package come from its @types.
  const names = [name, `@types/${name.replace('@', '').replace('/', '__')}`]
  return (
    isDevelopment && names.some((it) => workspace.devDependencies.has(it) || root?.devDependencies.has(it) === true)
  )
}

function splitBare(specifier: string): { name: string; subpath: string } {
  const parts = specifier.replace(/[?#].*$/, '').split('/')
  const length = specifier.startsWith('@') ? 2 : 1
  const rest = parts.slice(length).join('/')
  return { name: parts.slice(0, length).join('/'), subpath: rest === '' ? '.' : `./${rest}` }
}
