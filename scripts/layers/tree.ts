/** Reads the workspaces of a repository and the imports of their files into plain data. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { isKnownFolder, TOOLS } from './layers.ts'
import { parseImports } from './parse-imports.ts'
import type { Import } from './parse-imports.ts'

export interface Workspace {
  /** Relative to the root, with `/`; '' is the root itself. */
  readonly folder: string
  /** Name in its package.json, '' if it has none. */
  readonly name: string
  /** What its code may import when shipped. */
  readonly dependencies: ReadonlySet<string>
  /** What its tests and configuration may import as well. */
  readonly devDependencies: ReadonlySet<string>
  /** `exports`: subpath ('.', './web') -> file relative to the root. */
  readonly entries: ReadonlyMap<string, string>
}

export interface SourceFile {
  readonly path: string
  readonly workspace: Workspace
  readonly imports: readonly Import[]
  readonly text: string
  readonly isTest: boolean
  readonly isConfig: boolean
}

export interface Tree {
  readonly workspaces: ReadonlyMap<string, Workspace>
  readonly byName: ReadonlyMap<string, Workspace>
  readonly files: ReadonlyMap<string, SourceFile>
  readonly unknownFolders: readonly string[]
}

interface PackageJson {
  readonly name?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
}

const GROUPS = ['packages', 'apps']
const SINGLES = ['signaling-server', 'e2e', 'bench', TOOLS]
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'fixtures', 'generated', 'test-results', 'playwright-report'])
const SOURCE_NAME = /\.(ts|tsx|mts|mjs)$/
const NOT_SOURCE_NAME = /\.(d\.ts|d\.mts|generated\.ts)$/

/** Tests: by name, and all of e2e, bench and the `testing` folders, which hold suites that tests import. */
const TEST_PATH = /\.(test|spec)\.tsx?$|(^|\/)testing\/|^(e2e|bench)\//

export function readTree(root: string): Tree {
  const folders = [
    ...GROUPS.flatMap((group) => listFolders(join(root, group)).map((name) => `${group}/${name}`)),
    ...SINGLES.filter((name) => existsSync(join(root, name))),
  ]
  const workspaces = new Map<string, Workspace>()
  for (const folder of folders) workspaces.set(folder, readWorkspace(root, folder))
  workspaces.set('', readWorkspace(root, ''))

  const files = new Map<string, SourceFile>()
  for (const workspace of workspaces.values()) {
    for (const path of listSources(root, workspace.folder)) {
      const text = readFileSync(join(root, path), 'utf8')
      files.set(path, {
        path,
        workspace,
        imports: parseImports(path, text),
        text,
        isTest: TEST_PATH.test(path),
        isConfig: /\.config\.[a-z]+$/.test(path),
      })
    }
  }
  const byName = new Map([...workspaces.values()].filter(({ name }) => name !== '').map((it) => [it.name, it]))
  return { workspaces, byName, files, unknownFolders: folders.filter((folder) => !isKnownFolder(folder)) }
}

/** The file a relative import means, as its path in the tree, or where it would be if it existed. */
export function resolveRelative(tree: Tree, from: string, specifier: string): string {
  const target = posix.normalize(posix.join(dirname(from), specifier.replace(/[?#].*$/, '')))
  const candidates = [target, `${target}.ts`, `${target}.tsx`, `${target}/index.ts`, target.replace(/\.js$/, '.ts')]
  return candidates.find((path) => tree.files.has(path)) ?? target
}

/** The workspace whose folder holds a path; the longest folder wins, the root takes the rest. */
export function workspaceOf(tree: Tree, path: string): Workspace | undefined {
  const parts = path.split('/')
  for (let length = 2; length > 0; length--) {
    const found = tree.workspaces.get(parts.slice(0, length).join('/'))
    if (found !== undefined) return found
  }
  return tree.workspaces.get('')
}

function readWorkspace(root: string, folder: string): Workspace {
  const path = join(root, folder, 'package.json')
  const json: PackageJson = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as PackageJson) : {}
  const entries = new Map<string, string>()
  for (const [subpath, target] of Object.entries(json.exports ?? {})) {
    const file = firstTarget(target)
    if (file !== undefined) entries.set(subpath, posix.join(folder, file))
  }
  const shipped = { ...json.dependencies, ...json.peerDependencies, ...json.optionalDependencies }
  return {
    folder,
    name: json.name ?? '',
    dependencies: new Set(Object.keys(shipped)),
    devDependencies: new Set(Object.keys(json.devDependencies ?? {})),
    entries,
  }
}

/** `exports` give a path, or paths by condition (`types`, `browser`, ...). */
function firstTarget(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (typeof target !== 'object' || target === null) return undefined
  return Object.values(target)
    .map(firstTarget)
    .find((file) => file !== undefined)
}

function listFolders(path: string): string[] {
  if (!existsSync(path)) return []
  return readdirSync(path).filter((name) => statSync(join(path, name)).isDirectory())
}

function listSources(root: string, folder: string): string[] {
  const found: string[] = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) {
      // The root's own files are its configuration; its folders are the workspaces.
      if (folder !== '' && !SKIPPED_FOLDERS.has(entry.name)) found.push(...listSources(root, path))
    } else if (SOURCE_NAME.test(entry.name) && !NOT_SOURCE_NAME.test(entry.name)) {
      found.push(path)
    }
  }
  return found
}
