import type { ModuleBundle } from './module-bundles.ts'

/** What a page knows of the code that it sent out. */
export interface StackSources {
  /** The bundle whose hash begins with these digits, if a stub of this page brought it. */
  bundle(version: string): ModuleBundle | undefined
  /** Where `remote()` or `actor()` was called for the inline function of this mark (text-mark), as a stack says it. */
  callSite(mark: string): string | undefined
}

/** What turns positions of a bundle's text into `file:line:column`; undefined for what has no origin. */
export type Locate = (line: number, column: number) => string | undefined

// As the runner writes it: `shoal:src/fib.remote.ts?<version>:12:9`, `shoal:inline:scale?<mark>:1:14`.
const FRAME = /shoal:([^\s()?]+)\?([0-9a-f]+):(\d+):(\d+)/g
const MOST_ERRORS = 50

/**
 * Puts the user's files and lines into the stacks of an error, its causes and the errors it is made of. Errors of code
 * that this page did not send keep the position within their bundle. Never rejects: an error with a poor stack is still
 * the error that has to be seen.
 */
export async function mapStacks(error: unknown, sources: StackSources): Promise<void> {
  const stacks = collectStacks(error)
  if (stacks.length === 0) return
  const texts = stacks.map(({ stack }) => stack)
  const locate = await locatorsFor(texts, sources)
  for (const { owner, stack } of stacks) {
    const value = mapLines(stack, locate, sources)
    Object.defineProperty(owner, 'stack', { value, writable: true, configurable: true })
  }
}

/** The same for a stack inside any text, such as a task's console line; undefined when there is none in it. */
export function mapText(text: string, sources: StackSources): Promise<string> | undefined {
  if (text.search(FRAME) === -1) return undefined
  return locatorsFor([text], sources).then((locate) => mapLines(text, locate, sources))
}

async function locatorsFor(texts: readonly string[], sources: StackSources): Promise<ReadonlyMap<string, Locate>> {
  const versions = new Set(texts.flatMap((text) => [...text.matchAll(FRAME)].map((match) => match[2] ?? '')))
  const locate = new Map<string, Locate>()
  await Promise.all(
    [...versions].map(async (version) => {
      const bundle = sources.bundle(version)
      if (bundle?.map === undefined) return
      const found = await locatorOf(bundle).catch(() => undefined)
      if (found !== undefined) locate.set(version, found)
    }),
  )
  return locate
}

function mapLines(text: string, locate: ReadonlyMap<string, Locate>, sources: StackSources): string {
  const lines = text.split('\n').map((line) => mapLine(line, locate, sources))
  return lines.join('\n')
}

function mapLine(line: string, locate: ReadonlyMap<string, Locate>, sources: StackSources): string {
  return line.replace(FRAME, (_, name: string, version: string, row: string, column: string) => {
    if (name.startsWith('inline:')) return inlinePlace(line, name, version, row, sources)
    const place = locate.get(version)?.(Number(row), Number(column))
    return place ?? `${decode(name)}?${version}:${row}:${column}`
  })
}

/** A frame in an inline function has no file: what can be said is which `remote()` it was given to. */
function inlinePlace(frame: string, name: string, mark: string, row: string, sources: StackSources): string {
  const site = sources.callSite(mark)
  const where = site === undefined ? '' : `, remote() called ${site.replace(/[()]/g, '')}`
  const called = decode(name.slice('inline:'.length))
  const hasName = frame.includes(' (')
  return `${hasName ? '' : `${called} (`}line ${row} of its text${where}${hasName ? '' : ')'}`
}

function collectStacks(error: unknown): { owner: Error; stack: string }[] {
  const found: { owner: Error; stack: string }[] = []
  const seen = new Set<unknown>()
  const look = (value: unknown): void => {
    if (!(value instanceof Error) || seen.has(value) || seen.size >= MOST_ERRORS) return
    seen.add(value)
    if (typeof value.stack === 'string' && value.stack.search(FRAME) !== -1)
      found.push({ owner: value, stack: value.stack })
    look(value.cause)
    if (value instanceof AggregateError) for (const inner of value.errors as unknown[]) look(inner)
  }
  look(error)
  return found
}

const locators = new Map<string, Promise<Locate | undefined>>()

function locatorOf(bundle: ModuleBundle): Promise<Locate | undefined> {
  let locator = locators.get(bundle.hash)
  if (locator === undefined) {
    locator = loadLocator(bundle)
    locators.set(bundle.hash, locator)
    // A server that was away may be back for the next error.
    locator.catch(() => locators.delete(bundle.hash))
  }
  return locator
}

/** The reader of source maps and the map itself are fetched now, when the first error needs them. */
async function loadLocator(bundle: ModuleBundle): Promise<Locate | undefined> {
  const [{ createLocate }, map] = await Promise.all([import('./locate-in-map.ts'), bundle.map?.()])
  return map === undefined ? undefined : createLocate(map)
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
