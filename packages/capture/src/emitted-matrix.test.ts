/**
 * The fixture matrix: what real tools make of one and the same source (testing/cases.ts), what the check says of each
 * function, and whether what ships runs and gives the right value. esbuild, tsc, webpack and Vite run here. SWC and
 * Istanbul are no dependencies: what they emitted is kept beside the cases, with the script that makes it anew.
 */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import inspector from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { transform } from 'esbuild'
import ts from 'typescript'
import { build, createServer } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkFunction } from './check-function.ts'
import { describeFunction } from './function-facts.ts'
import * as asVitestHasThem from './testing/cases.ts'

type Exports = Readonly<Record<string, unknown>>
type Callable = (...args: never[]) => unknown

const folder = path.join(import.meta.dirname, 'testing')
let work: string

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'shoal-matrix-'))
  await writeFile(path.join(work, 'help.mjs'), 'export const help = (x) => x; export class Base { size = 1 }')
})

afterAll(() => rm(work, { recursive: true, force: true }))

/** How a shipped function is called, and what it must give. */
const RUNS: Readonly<Record<string, (fn: (...args: unknown[]) => unknown) => unknown>> = {
  arrow: (f) => expect(f(1)).toBe(2),
  declared: (f) => expect(f(1, { c: [3] }, 4, 5)).toEqual([1, 2, 3, 4, 5]),
  asynchronous: async (f) => expect(await Promise.all([f(3), f()])).toEqual([3, 1]),
  generator: (f) => expect([...(f(3) as Iterable<number>)]).toEqual([0, 1, 2]),
  asyncGenerator: async (f) => {
    const got: number[] = []
    for await (const x of f([1, 2]) as AsyncIterable<number>) got.push(x)
    expect(got).toEqual([2, 4])
  },
  objectRest: (f) => expect(f({ a: 1, b: 2 })).toEqual([1, { b: 2 }]),
  objectSpread: (f) => expect(f({ x: 1 })).toEqual({ x: 1, last: 1 }),
  arraySpread: (f) => expect(f([1, 5, 2])).toBe(5),
  tagged: (f) => expect(f(7)).toBe('a\\n7'),
  namedGroups: (f) => expect(f('on 2026-11-24')).toBe('11'),
  big: (f) => expect(f(9)).toBe('81'),
  optional: (f) => expect([f(), f({ a: { b: () => 4 } })]).toEqual(['none', 4]),
  assigned: (f) => expect([f({}), f({ a: 2 })]).toEqual([7, 2]),
  recursive: (f) => expect(f(5)).toBe(120),
  innerRecursion: (f) => expect(f(4)).toBe(10),
  innerClass: (f) => expect(f([1, 2])).toBe(5),
  caught: (f) => expect([f('{'), f('1')]).toEqual(['not JSON', 1]),
  labelled: (f) => expect(f(3)).toBe(6),
  switched: (f) => expect([f('a'), f('b')]).toEqual([1, 0]),
  innerEnum: (f) => expect(f(1)).toBe('Green'),
  accessors: (f) => expect(f(1)).toBe(8),
  globals: (f) => expect(f('k')).toBe('/b'),
  spelledOut: (f) => expect(f(3)).toBe(9000),
  closures: (f) => expect(f(3)).toEqual([0, 1, 2]),
  handedIn: (f) => expect(f({ limit: 3 }, 4)).toBe(7),
  shorthand: (f) => expect(f(1)).toBe(2),
  asyncShorthand: async (f) => expect(await f(1)).toBe(2),
  Counter: (C) => expect((new (C as unknown as new () => { inc(): number })() as { inc(): number }).inc()).toBe(1),
  WithStatic: (C) => expect(new (C as unknown as new () => { run(): number })().run()).toBe(5),
  Plain: (C) => expect(new (C as unknown as new () => { run(n: number): number })().run(2)).toBe(6),
}

const SHIPPING: Record<string, string> = Object.fromEntries(Object.keys(RUNS).map((name) => [name, 'ships']))

const REFUSED: Record<string, string> = {
  captures: 'LIMIT',
  capturesInside: 'LIMIT',
  sibling: 'helpersOf',
  imports: 'help',
  namespace: 'help',
  Derived: 'Base',
  dynamic: 'import()',
  page: 'document',
  network: 'fetch',
  globalName: 'name',
  outerThis: 'this',
  outerArguments: 'arguments',
  bound: 'bound arrow',
  native: 'max',
  superMethod: 'super',
}

const EXPECTED = { ...SHIPPING, ...REFUSED }

// What a minifier renames, it names in the refusal: which function is refused stays the same.
const RENAMED = ['captures', 'capturesInside', 'sibling', 'imports', 'namespace', 'Derived', 'bound']
const MINIFIED = { ...EXPECTED, ...Object.fromEntries(RENAMED.map((name) => [name, /^[\w$ ]+$/])) }

// Where `./help` is bundled too, import() of it has become a promise of a variable.
const BUNDLED = { ...MINIFIED, dynamic: /^\w+$/ }

/** What the check says of each export: `ships`, `older target`, or what stands in the way. */
function verdicts(exports: Exports): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(exports)) {
    if (name === 'default') continue
    const report = judge(name, value)
    found[name] = report.ok ? 'ships' : report.reason === 'compiled-helper' ? 'older target' : report.identifier
    if (report.ok) expect(RUNS, `${name} must not ship`).toHaveProperty(name)
    else {
      expect(report.message).toContain(report.remedy)
      expect(String(value)).toContain(report.excerpt.replace(/^…|…$/g, '').slice(0, 20))
    }
  }
  return found
}

function judge(name: string, value: unknown): ReturnType<typeof checkFunction> {
  const source = Function.prototype.toString.call(value)
  const kind = /^[A-Z]/.test(name) ? 'class' : 'function'
  return checkFunction(source, { kind, hasUses: name === 'handedIn' }, describeFunction(value))
}

/** Evaluates what ships as a worker does and calls it. */
async function runShipping(exports: Exports): Promise<void> {
  for (const [name, run] of Object.entries(RUNS)) {
    const report = judge(name, exports[name])
    if (!report.ok) continue
    const counters = [...new Set(report.expression.match(/\bcov_[A-Za-z0-9_]+/g) ?? [])]
    const make = new Function('__name', ...counters, `"use strict"; return (${report.expression}\n)`) as Callable
    const sink: unknown = new Proxy(() => undefined, {
      get: (_, key) => (key === Symbol.toPrimitive ? () => 0 : sink),
      set: () => true,
      apply: () => sink,
    })
    await run(make(...([(fn: unknown) => fn, ...counters.map(() => sink)] as never[])) as never)
  }
}

let loaded = 0

/** Imports a module's text in Node itself, out of reach of Vitest's own transforms. */
async function load(code: string): Promise<Exports> {
  const file = path.join(work, `m${++loaded}.mjs`)
  await writeFile(file, code.replace(/(["'`])[^"'`]*\/help(?:\.ts)?\1/g, '"./help.mjs"'))
  return (await import(pathToFileURL(file).href)) as Exports
}

async function expectVerdicts(exports: Exports, expected: Readonly<Record<string, string | RegExp>>): Promise<void> {
  const found = verdicts(exports)
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
  for (const [name, verdict] of Object.entries(expected)) {
    if (typeof verdict === 'string') expect(`${name}: ${found[name]}`).toBe(`${name}: ${verdict}`)
    else {
      expect(`${name}: ${found[name]}`).not.toMatch(/: (?:ships|older target)$/)
      expect(found[name], name).toMatch(verdict)
    }
  }
  await runShipping(exports)
}

const source = (): Promise<string> => readFile(path.join(folder, 'cases.ts'), 'utf8')

describe('tsc', () => {
  const emit = async (target: ts.ScriptTarget): Promise<Exports> => {
    const { outputText } = ts.transpileModule(await source(), {
      compilerOptions: { target, module: ts.ModuleKind.ESNext },
    })
    return load(outputText)
  }

  test('ES2022', async () => expectVerdicts(await emit(ts.ScriptTarget.ES2022), EXPECTED))

  test('ES2017', async () =>
    expectVerdicts(await emit(ts.ScriptTarget.ES2017), {
      ...EXPECTED,
      // Statics stand behind the class, where its text does not show them.
      WithStatic: 'static limit',
      objectRest: 'older target',
      asyncGenerator: 'older target',
      Counter: 'older target',
    }))
})

describe('esbuild', () => {
  test('keepNames', async () => {
    const { code } = await transform(await source(), { loader: 'ts', format: 'esm', keepNames: true, target: 'es2022' })
    await expectVerdicts(await load(code), EXPECTED)
  })

  test('minified', async () => {
    const { code } = await transform(await source(), { loader: 'ts', format: 'esm', minify: true, target: 'es2022' })
    await expectVerdicts(await load(code), MINIFIED)
  })

  test('keepNames, minified: the helper loses its name, and functions with named ones inside are refused', async () => {
    const options = { loader: 'ts', format: 'esm', minify: true, keepNames: true, target: 'es2022' } as const
    const { code } = await transform(await source(), options)
    const exports = await load(code)
    const found = verdicts(exports)
    const inside = Object.keys(RUNS).filter((name) => found[name] !== 'ships')
    expect(inside.sort()).toEqual(['Counter', 'Plain', 'WithStatic', 'arrow', 'innerClass', 'innerRecursion'])
    for (const name of Object.keys(REFUSED)) expect(`${name} ${found[name]}`).not.toMatch(/ (?:ships|older target)$/)
    await runShipping(exports)
  })
})

describe('Vite', () => {
  test('its dev server', async () => {
    const server = await createServer({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      appType: 'custom',
      server: { middlewareMode: true, ws: false, watch: null },
      optimizeDeps: { noDiscovery: true },
    })
    try {
      const result = await server.transformRequest('/cases.ts')
      await expectVerdicts(await load(result?.code ?? ''), EXPECTED)
    } finally {
      await server.close()
    }
  })

  test.each([
    ['minified', true],
    ['not minified', false],
  ])('its build, %s', async (_name, minify) => {
    const outDir = path.join(work, `vite-${minify}`)
    await build({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir,
        emptyOutDir: true,
        minify,
        target: 'es2022',
        rolldownOptions: {
          input: path.join(folder, 'cases.ts'),
          preserveEntrySignatures: 'strict',
          output: { entryFileNames: 'main.mjs', minify },
        },
      },
    })
    const exports = (await import(pathToFileURL(path.join(outDir, 'main.mjs')).href)) as Exports
    await expectVerdicts(exports, minify ? BUNDLED : { ...BUNDLED, dynamic: 'import()' })
  })

  test('Vitest, which runs this file', () => expectVerdicts(asVitestHasThem, EXPECTED))

  test('Vitest’s coverage by V8, which counts without a word in the text', async () => {
    const session = new inspector.Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    await expectVerdicts(asVitestHasThem, EXPECTED)
    await session.post('Profiler.stopPreciseCoverage')
    session.disconnect()
  })
})

test('webpack 5 with terser', async () => {
  const context = path.join(work, 'webpack')
  await cp(folder, context, { recursive: true })
  const { outputText } = ts.transpileModule(await source(), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  await writeFile(path.join(context, 'cases.mjs'), outputText.replaceAll('./help', '../help.mjs'))
  type Compiler = { run(done: (error: Error | null) => void): void; close(done: () => void): void }
  const webpack = createRequire(import.meta.url)('webpack') as (configuration: object) => Compiler
  const compiler = webpack({
    mode: 'production',
    context,
    entry: './cases.mjs',
    experiments: { outputModule: true },
    output: {
      path: path.join(context, 'dist'),
      filename: 'main.mjs',
      library: { type: 'module' },
      chunkFormat: 'module',
    },
    performance: false,
  })
  await new Promise<void>((resolve, reject) => compiler.run((error) => (error ? reject(error) : resolve())))
  await new Promise<void>((resolve) => compiler.close(resolve))
  const exports = (await import(pathToFileURL(path.join(context, 'dist/main.mjs')).href)) as Exports
  await expectVerdicts(exports, BUNDLED)
})

describe('as other tools emitted it', () => {
  const OLDER = { objectRest: 'older target', asyncGenerator: 'older target', Counter: 'older target' }
  const BY_HELPERS = { objectSpread: 'older target', namedGroups: 'older target', Plain: 'older target' }

  test.each<[string, Readonly<Record<string, string | RegExp>>]>([
    ['swc-es2022', EXPECTED],
    ['swc-es2022-minified', MINIFIED],
    ['swc-es2017', { ...EXPECTED, ...OLDER, ...BY_HELPERS, WithStatic: 'static limit' }],
    ['istanbul', EXPECTED],
  ])('%s', async (name, expected) => {
    const text = await readFile(path.join(folder, 'emitted', `${name}.txt`), 'utf8')
    const [first = '', ...rest] = text.split('\n')
    // Whoever changes the cases runs scripts/emit-capture-cases.ts.
    expect(first).toBe(
      `// of ${createHash('sha256')
        .update(await source())
        .digest('hex')}`,
    )
    await expectVerdicts(await load(rest.join('\n')), expected)
  })
})
