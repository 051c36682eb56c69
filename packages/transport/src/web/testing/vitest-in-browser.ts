// Stands in for `vitest` where a shared suite runs inside a browser's worker: collects the tests, then runs them one by
// one. A matcher that is not here fails its test.

type Body = () => void | Promise<void>
interface Case {
  readonly title: string
  readonly body: Body
  readonly after: readonly Body[]
}

export interface CaseResult {
  readonly title: string
  /** Undefined when it passed. */
  readonly error: string | undefined
}

const cases: Case[] = []
let path: string[] = []
let hooks: Body[] = []

export function describe(title: string, body: () => void): void {
  const [outerPath, outerHooks] = [path, hooks]
  path = [...path, title]
  hooks = [...hooks]
  body()
  path = outerPath
  hooks = outerHooks
}

export function it(title: string, body: Body): void {
  cases.push({ title: [...path, title].join(' > '), body, after: hooks })
}

export function afterEach(body: Body): void {
  hooks.push(body)
}

interface Matchers {
  toBe(expected: unknown): void
  toEqual(expected: unknown): void
  toBeGreaterThan(expected: number): void
  toBeLessThan(expected: number): void
  readonly not: Pick<Matchers, 'toBe' | 'toEqual'>
}

export function expect(actual: unknown): Matchers {
  const check = (holds: boolean, words: string, expected: unknown): void => {
    if (!holds) throw new Error(`expected ${show(actual)} ${words} ${show(expected)}`)
  }
  return {
    toBe: (expected) => check(Object.is(actual, expected), 'to be', expected),
    toEqual: (expected) => check(show(actual) === show(expected), 'to equal', expected),
    toBeGreaterThan: (expected) => check((actual as number) > expected, 'to be greater than', expected),
    toBeLessThan: (expected) => check((actual as number) < expected, 'to be less than', expected),
    not: {
      toBe: (expected) => check(!Object.is(actual, expected), 'not to be', expected),
      toEqual: (expected) => check(show(actual) !== show(expected), 'not to equal', expected),
    },
  }
}

function show(value: unknown): string {
  return value === undefined
    ? 'undefined'
    : JSON.stringify(ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value)
}

/** Runs everything collected so far; a test that takes longer than `timeoutMs` has failed. */
export async function runCases(timeoutMs: number): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const { title, body, after } of cases) {
    let error = await failureOf(body, timeoutMs)
    for (const hook of after) error ??= await failureOf(hook, timeoutMs)
    results.push({ title, error })
  }
  return results
}

async function failureOf(body: Body, timeoutMs: number): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([body(), late])
    return undefined
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  } finally {
    clearTimeout(timer)
  }
}
