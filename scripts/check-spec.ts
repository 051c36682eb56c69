/**
 * Keeps SPEC.md files and tests honest both ways: a rule has a test that carries its id in the title (`[T3] ...`), in
 * its own package, in the simulation or in e2e; an id in a package's test titles is a rule of some SPEC.
 * Skipped and planned tests count for nothing. A package without SPEC.md is let be.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

/** A rule begins a line: `**T3** ...`, `- T3 ...`, `- **T3.** ...`, `### T3 ...` or `| T3 | ...`. */
const RULE = /^\s*(?:(?:[-*]|#{2,4}|\|)\s+(?:\*\*)?|\*\*)([A-Z]{1,3}\d{1,3})(?:[.:]?\*\*|[.:\s])/gm

/** Ids lead a title: `[T3] ...`, `[T3, T4] ...` or `[T3][T4] ...`. */
const TITLE_IDS = /^(?:\s*\[[A-Z]{1,3}\d{1,3}(?:,\s*[A-Z]{1,3}\d{1,3})*\])+/

const TEST_FUNCTIONS = new Set(['test', 'it', 'describe'])

/** Invariants of the simulation are rules too, kept in one page for all packages. */
const SHARED_RULES = 'docs/invariants.md'

/** Where tests of any package's rules may stand. */
const SHARED_TESTS = ['packages/testing', 'e2e']

interface TitleId {
  readonly id: string
  readonly file: string
}

/** One sentence for each rule without a test and each id without a rule; none when both sides agree. */
export function findSpecFaults(root: string): string[] {
  const folders = [...listFolders(root, 'packages'), ...listFolders(root, 'apps'), 'signaling-server', 'e2e'].filter(
    (folder) => existsSync(join(root, folder)),
  )
  const rules = new Map(folders.map((folder) => [folder, readRules(join(root, folder, 'SPEC.md'))]))
  const titles = new Map(folders.map((folder) => [folder, readTitles(root, folder)]))
  const known = new Set([...[...rules.values()].flat(), ...readRules(join(root, SHARED_RULES))])
  const faults: string[] = []
  for (const [folder, ids] of rules) {
    const tested = new Set([folder, ...SHARED_TESTS].flatMap((it) => (titles.get(it) ?? []).map(({ id }) => id)))
    for (const id of ids) if (!tested.has(id)) faults.push(`${folder}/SPEC.md: rule ${id} has no test titled [${id}]`)
    const repeated = ids.filter((id, index) => ids.indexOf(id) !== index)
    for (const id of repeated) faults.push(`${folder}/SPEC.md: rule ${id} stands there twice`)
  }
  for (const { id, file } of [...titles.values()].flat()) {
    if (!known.has(id)) faults.push(`${file}: [${id}] is a rule of no SPEC.md`)
  }
  return faults
}

function listFolders(root: string, group: string): string[] {
  if (!existsSync(join(root, group))) return []
  return readdirSync(join(root, group), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${group}/${entry.name}`)
}

function readRules(path: string): string[] {
  if (!existsSync(path)) return []
  return [...readFileSync(path, 'utf8').matchAll(RULE)].map((match) => match[1] ?? '')
}

function readTitles(root: string, folder: string): TitleId[] {
  const found: TitleId[] = []
  for (const file of listTests(root, folder)) {
    for (const title of titlesOf(file, readFileSync(join(root, file), 'utf8'))) {
      const lead = TITLE_IDS.exec(title)?.[0] ?? ''
      for (const match of lead.matchAll(/[A-Z]{1,3}\d{1,3}/g)) found.push({ id: match[0], file })
    }
  }
  return found
}

/** Test files, and the contract suites in `testing` folders, whose titles are written there. */
function listTests(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      return ['node_modules', 'dist', 'fixtures'].includes(entry.name) ? [] : listTests(root, path)
    }
    const isTest = /\.(test|spec)\.tsx?$/.test(path) || (/\/testing\//.test(path) && /\.tsx?$/.test(path))
    return isTest ? [path] : []
  })
}

function titlesOf(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, false)
  const titles: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const names = calleeNames(node.expression)
      if (names.includes('skip') || names.includes('todo')) return
      const title = node.arguments[0]
      if (TEST_FUNCTIONS.has(names[0] ?? '') && title !== undefined) titles.push(textOf(title))
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return titles
}

/** `test.each(rows)` -> ['test', 'each']. */
function calleeNames(callee: ts.Expression): string[] {
  if (ts.isIdentifier(callee)) return [callee.text]
  if (ts.isPropertyAccessExpression(callee)) return [...calleeNames(callee.expression), callee.name.text]
  if (ts.isCallExpression(callee)) return calleeNames(callee.expression)
  if (ts.isTaggedTemplateExpression(callee)) return calleeNames(callee.tag)
  return []
}

/** What a title begins with; the rest of a template does not matter, ids stand in front. */
function textOf(title: ts.Expression): string {
  if (ts.isStringLiteralLike(title)) return title.text
  return ts.isTemplateExpression(title) ? title.head.text : ''
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = findSpecFaults(process.cwd())
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length === 0 ? 0 : 1
}
