/**
 * The fixture matrix: what real tools make of one and the same source, and whether the checker names it right. TypeScript
 * and rolldown run here; texts of esbuild, Istanbul and webpack were emitted by those tools and are kept as they came.
 */
import vm from 'node:vm'
import { rolldown } from 'rolldown'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { checkFunctionSource } from './check-function-source.ts'
import { checkFunctionValue } from './check-function-value.ts'

const SOURCE = `
  import { help, Base } from './help'
  const LIMIT = 5 + Math.random()
  export const arrow = (x: number) => { const inner = (y: number) => y + 1; return inner(x) }
  export const asynchronous = async (x?: number) => { await null; return x ?? 1 }
  export const generator = async function* (xs: AsyncIterable<number>) { for await (const x of xs) yield x }
  export const captures = (x: number) => x + LIMIT
  export const imports = (x: number) => help(x)
  export const dynamic = () => import('./help')
  export const rest = ({ a, ...others }: { a: number }) => [a, others]
  export const Counter = class { #n = 0; inc() { return ++this.#n } }
  export class WithStatic { static limit = 5; run() { return WithStatic.limit } }
  export class Derived extends Base {}
`

type Exports = Record<string, unknown>

function verdicts(exports: Exports): Record<string, string> {
  const verdict = (value: unknown): string => {
    const source = Function.prototype.toString.call(value)
    const kind = source.startsWith('class') ? 'class' : 'function'
    const report = checkFunctionSource(source, { kind, hasUses: false })
    const refused = report.ok ? checkFunctionValue(value, source) : report
    if (refused) return `${refused.reason} ${refused.identifier}`
    return 'ok'
  }
  return Object.fromEntries(Object.entries(exports).map(([name, value]) => [name, verdict(value)]))
}

function evaluateCommonJs(code: string): Exports {
  const exports: Exports = {}
  const evaluate = vm.runInThisContext(`(function (exports, require) {${code}\n})`) as (
    e: Exports,
    r: () => Exports,
  ) => void
  evaluate(exports, () => ({ help: () => 1, Base: class {} }))
  return { ...exports }
}

function emitTypeScript(target: ts.ScriptTarget): Record<string, string> {
  const { outputText } = ts.transpileModule(SOURCE, { compilerOptions: { target, module: ts.ModuleKind.CommonJS } })
  return verdicts(evaluateCommonJs(outputText))
}

async function emitRolldown(minify: boolean, target: string): Promise<Record<string, string>> {
  const build = await rolldown({
    input: 'entry.ts',
    platform: 'browser',
    external: ['./help'],
    transform: { target },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry.ts' ? id : null),
        load: (id) => (id === 'entry.ts' ? SOURCE : null),
      },
    ],
  })
  const { output } = await build.generate({ format: 'cjs', exports: 'named', minify })
  await build.close()
  return verdicts(evaluateCommonJs(output[0].code))
}

const ALL_FINE = { arrow: 'ok', asynchronous: 'ok', generator: 'ok', rest: 'ok', Counter: 'ok', WithStatic: 'ok' }

describe('TypeScript', () => {
  test('ES2022 ships what stands alone', () => {
    const found = emitTypeScript(ts.ScriptTarget.ES2022)
    expect(found).toMatchObject(ALL_FINE)
    expect(found).toMatchObject({ captures: 'captured LIMIT', imports: 'imported help', Derived: 'base-class Base' })
  })

  test('ES2020 lowers private names and statics', () => {
    const found = emitTypeScript(ts.ScriptTarget.ES2020)
    expect(found.Counter).toMatch(/^compiled-helper /)
    expect(found).toMatchObject({ arrow: 'ok', asynchronous: 'ok', WithStatic: 'hidden-member static limit' })
  })

  test('ES2017 lowers generators and rest too', () => {
    const found = emitTypeScript(ts.ScriptTarget.ES2017)
    expect(found).toMatchObject({ arrow: 'ok', asynchronous: 'ok', rest: 'compiled-helper __rest' })
    expect(found.generator).toMatch(/^compiled-helper __async/)
  })

  test('ES2015 lowers async functions', () => {
    expect(emitTypeScript(ts.ScriptTarget.ES2015)).toMatchObject({ asynchronous: 'compiled-helper __awaiter' })
  })
})

describe('rolldown, which is Vite 8’s build', () => {
  test('as it is', async () => {
    const found = await emitRolldown(false, 'es2022')
    expect(found).toMatchObject(ALL_FINE)
    expect(found).toMatchObject({
      captures: 'captured LIMIT',
      imports: 'imported help',
      dynamic: 'dynamic-import import()',
    })
    expect(found.Derived).toBe('base-class Base')
  })

  test('minified', async () => {
    const found = await emitRolldown(true, 'es2022')
    expect(found).toMatchObject(ALL_FINE)
    expect(found).toMatchObject({ imports: 'imported help', Derived: 'base-class Base' })
    expect(found.captures).toMatch(/^captured \w+$/)
  })

  test('for an older target', async () => {
    const found = await emitRolldown(false, 'es2016')
    for (const name of ['asynchronous', 'generator', 'Counter', 'rest'])
      expect(found[name]).toMatch(/^compiled-helper /)
    expect(found.WithStatic).not.toBe('ok')
  })
})

describe('texts as other tools emitted them', () => {
  test.each<[string, 'function' | 'class', string, string]>([
    [
      'esbuild keepNames',
      'function',
      '(x) => {\n  const inner = /* @__PURE__ */ __name((y) => y + 1, "inner");\n  return inner(x);\n}',
      'ok',
    ],
    [
      'esbuild keepNames',
      'class',
      'class Counter {\n  static {\n    __name(this, "Counter");\n  }\n  #n = 0;\n  static limit = 5;\n  inc() {\n    return ++this.#n;\n  }\n}',
      'ok',
    ],
    ['esbuild keepNames minified', 'function', 't=>r(n=>n+1,"inner")(t)', 'captured r'],
    [
      'esbuild es2019',
      'class',
      'class {\n  constructor() {\n    __privateAdd(this, _n, 0);\n  }\n  inc() {\n    return ++__privateWrapper(this, _n)._;\n  }\n}',
      'compiled-helper __privateAdd',
    ],
    [
      'esbuild es2016',
      'function',
      '(x) => __async(null, null, function* () {\n  yield null;\n  return x != null ? x : 1;\n})',
      'compiled-helper __async',
    ],
    ['esbuild cjs', 'function', '(x) => (0, import_help.help)(x) + LIMIT', 'imported help'],
    [
      'esbuild decorators',
      'class',
      'class A {\n  constructor() {\n    __runInitializers(_init, 5, this);\n  }\n  run() {\n  }\n}',
      'compiled-helper __runInitializers',
    ],
    [
      'Istanbul',
      'function',
      'x=>{cov_bbxiuq5rc().f[0]++;cov_bbxiuq5rc().s[1]++;return x?(cov_bbxiuq5rc().b[0][0]++,1):(cov_bbxiuq5rc().b[0][1]++,2);}',
      'ok',
    ],
    ['webpack', 'function', '(a) => (0,_math__WEBPACK_IMPORTED_MODULE_0__.add)(a, 1)', 'imported add'],
    [
      'webpack import()',
      'function',
      '() => __webpack_require__.e("x").then(__webpack_require__.bind(__webpack_require__, "./x.js"))',
      'dynamic-import import()',
    ],
    ['Vitest', 'function', 'async (a) => await (0,__vite_ssr_import_1__.get)(a)', 'imported get'],
    ['React Fast Refresh', 'function', '() => {\n\t_s();\n\treturn 1;\n}', 'compiled-helper _s'],
  ])('%s %s: %s', (_tool, kind, source, expected) => {
    const report = checkFunctionSource(source, { kind, hasUses: false })
    expect(report.ok ? 'ok' : `${report.reason} ${report.identifier}`).toBe(expected)
  })
})
