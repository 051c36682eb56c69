import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bundleRemoteModule, type RemoteBundle } from './bundle-remote-module.ts'
import { RemoteModuleError } from './remote-module-error.ts'
import { evaluateBundle, hashedText, immediateSdk } from './testing/evaluate-bundle.ts'
import { temporaryProject, type TemporaryProject } from './testing/temporary-project.ts'

const FIB = `
  import { remote, get } from '@shoal/sdk'
  /** Comments do not ship. */
  export const fib = remote(async (n: number): Promise<number> =>
    n < 2 ? n : (await get(fib.remote(n - 1))) + (await get(fib.remote(n - 2))))
  export type Unused = number
`

async function bundle(project: TemporaryProject, entry: string, minify = false): Promise<RemoteBundle> {
  return await bundleRemoteModule({ entry, minify, root: project.root })
}

async function bundled(files: Record<string, string>, entry = 'a.remote.ts', minify = false): Promise<RemoteBundle> {
  await using project = await temporaryProject(files)
  return await bundle(project, entry, minify)
}

async function failure(files: Record<string, string>, entry = 'a.remote.ts'): Promise<RemoteModuleError> {
  const error: unknown = await bundled(files, entry).catch((reason: unknown) => reason)
  if (!(error instanceof RemoteModuleError)) throw new Error('expected a RemoteModuleError')
  return error
}

function call(made: unknown, ...args: unknown[]): unknown {
  return (made as { remote(...values: unknown[]): unknown }).remote(...args)
}

describe.each([
  ['plain', false],
  ['minified', true],
])('%s bundles', (_title, minify) => {
  test('recursion by name', async () => {
    const { code, manifest, name } = await bundled({ 'fib.remote.ts': FIB }, 'fib.remote.ts', minify)
    expect(name).toBe('fib.remote.ts')
    expect([...manifest]).toEqual([['fib', { kind: 'function', options: '{}', isGenerator: false, arity: [1, 1] }]])
    expect(await call(evaluateBundle(code, immediateSdk()).fib, 10)).toBe(55)
    expect(code).toMatch(/^["'`]use strict["'`]/)
    expect(code).toMatch(/\n\/\/# sourceURL=shoal:\/\/\/fib\.remote\.ts\?[0-9a-f]{12}\n$/)
    expect(code).not.toContain('Comments do not ship')
  })

  test('helpers, bases, JSON and another remote module become one text', async () => {
    const { code, manifest, watchFiles } = await bundled(
      {
        'a.remote.ts': `
          import { actor, remote, get } from '@shoal/sdk'
          import * as sdk from '@shoal/sdk'
          import { Board } from './lib/board.ts'
          import { double } from './b.remote.ts'
          import table from './table.json'
          export const Game = actor(class extends Board { play(n: number) { return this.size() + n } #hidden() {} get turn() { return 1 } }, { maxRestarts: -1 })
          export const four = remote(async () => await sdk.get(double.remote(table.two)))`,
        'b.remote.ts': `import { remote } from '@shoal/sdk'; export const double = remote((n: number) => 2 * n)`,
        'lib/board.ts':
          'export class Board { static limit = 8; size() { return Board.limit } *moves() { yield 1 } play() {} }',
        'table.json': '{ "two": 2 }',
      },
      'a.remote.ts',
      minify,
    )
    const exports = evaluateBundle(code, immediateSdk())
    expect((call(exports.Game) as { play(n: number): number }).play(1)).toBe(9)
    expect(await call(exports.four)).toBe(4)
    expect(manifest.get('Game')).toEqual({
      kind: 'actor',
      options: '{ "maxRestarts": -1 }',
      methods: ['play', 'size', 'moves'],
      generators: ['moves'],
      arity: [0, 0],
      arities: [
        [1, 1],
        [0, 0],
        [0, 0],
      ],
    })
    expect(watchFiles.map((file) => file.split('/').at(-1)).sort()).toEqual([
      'a.remote.ts',
      'b.remote.ts',
      'board.ts',
      'table.json',
    ])
  })
})

describe('the manifest', () => {
  test('options as literals, derived handles, generators, constants', async () => {
    const { manifest } = await bundled({
      'a.remote.ts': `
        import { remote, actor, get, TaskError, context } from '@shoal/sdk'
        const CPUS = 1 + 1
        context().anything.at.all()
        class Mine extends TaskError {}
        export const plain = remote((n: number) => n, { numCpus: CPUS, maxRetries: Infinity, resources: { tpu: [1, -0] }, name: undefined })
        export const derived = plain.options({ numCpus: 4 })
        export const stream = remote(async function* (n: number) { yield n })
        export const LIMIT = CPUS * 2
        export const TITLE = 'a "title"'
        export const huge = 12n
        export default remote(() => new Mine())`,
    })
    expect(Object.fromEntries(manifest)).toEqual({
      plain: {
        kind: 'function',
        isGenerator: false,
        arity: [1, 1],
        options: '{ "numCpus": 2, "maxRetries": Infinity, "resources": { "tpu": [1, -0] }, "name": undefined }',
      },
      derived: {
        kind: 'function',
        isGenerator: false,
        arity: [1, 1],
        options: '{ "numCpus": 4, "maxRetries": Infinity, "resources": { "tpu": [1, -0] }, "name": undefined }',
      },
      stream: { kind: 'function', isGenerator: true, options: '{}', arity: [1, 1] },
      LIMIT: { kind: 'constant', value: '4' },
      TITLE: { kind: 'constant', value: '"a \\"title\\""' },
      huge: { kind: 'constant', value: '12n' },
      default: { kind: 'function', isGenerator: false, options: '{}', arity: [0, 0] },
    })
  })

  test('values cannot be handed in by name, as at run time', async () => {
    const module = `import { remote, get } from '@shoal/sdk'; export const f = remote({ get }, ({ get }) => get(1))`
    await expect(bundled({ 'a.remote.ts': module })).rejects.toThrow('import what it needs')
  })

  test('building neither waits nor prints', async () => {
    const { manifest } = await bundled({
      'a.remote.ts': `
        import { remote } from '@shoal/sdk'
        console.log('never seen')
        setInterval(() => {}, 10)
        const canvas = new OffscreenCanvas(1, 1).getContext('2d')
        export const f = remote(() => canvas)`,
    })
    expect([...manifest.keys()]).toEqual(['f'])
  })
})

describe('what cannot be a remote module', () => {
  const SDK = `import { remote, actor } from '@shoal/sdk';`
  test.each<[string, string, RegExp]>([
    [
      'a plain function',
      `${SDK} export function helper() {}`,
      /^a\.remote\.ts: export `helper` is a function or class that neither/,
    ],
    ['a class', `${SDK} export class Board {}`, /export `Board` is a function or class/],
    ['an object', `${SDK} export const table = { a: 1 }`, /export `table` is an object/],
    ['nothing', `${SDK} remote(() => 1)`, /exports nothing/],
    [
      'an option that is no value',
      `${SDK} export const f = remote(() => 1, { when: () => 2 })`,
      /option `when` of `f` is not a plain value/,
    ],
    [
      'an error at module level',
      `${SDK} export const f = remote(() => 1); null.x`,
      /cannot be evaluated while building: TypeError: .*null/,
    ],
    [
      'the page at module level',
      `${SDK} const h = document.title; export const f = remote(() => h)`,
      /document is not defined/,
    ],
    ['remote() of no function', `${SDK} export const f = remote(42)`, /remote\(\) needs a function, not number/],
    ['a missing file', `${SDK} import { x } from './missing.ts'; export const f = remote(() => x)`, /missing\.ts/],
    ['a missing export', `${SDK} import { x } from './b.ts'; export const f = remote(() => x)`, /"x" is not exported/],
    ['a package that is not there', `${SDK} import x from 'not-there'; export const f = remote(() => x)`, /not-there/],
    ['a Node builtin', `${SDK} import fs from 'node:fs'; export const f = remote(() => fs)`, /node:fs/],
    [
      'a part of the SDK',
      `${SDK} import { x } from '@shoal/sdk/internal'; export const f = remote(() => x)`,
      /@shoal\/sdk\/internal/,
    ],
    ['import.meta', `${SDK} export const f = remote(() => import.meta.url)`, /import\.meta/],
    ['top-level await', `${SDK} const x = await 1; export const f = remote(() => x)`, /await/i],
    ['a syntax error', `${SDK} export const f = remote(() => `, /a\.remote\.ts/],
  ])('%s', async (_title, source, message) => {
    const error = await failure({ 'a.remote.ts': source, 'b.ts': 'export const y = 1' })
    expect(error.message).toMatch(/^a\.remote\.ts: /)
    expect(error.message).toMatch(message)
    expect(error.watchFiles.some((file) => file.endsWith('a.remote.ts'))).toBe(true)
  })
})

describe('the hash', () => {
  test('is the text’s own, the same for the same sources, wherever they lie', async () => {
    const first = await bundled({ 'fib.remote.ts': FIB }, 'fib.remote.ts')
    const second = await bundled({ 'fib.remote.ts': `// a comment\n${FIB}` }, 'fib.remote.ts')
    expect(first.hash).toBe(createHash('sha256').update(hashedText(first.code)).digest('hex'))
    expect(second.hash).toBe(first.hash)
    expect((await bundled({ 'other/fib.remote.ts': FIB }, 'other/fib.remote.ts')).name).toBe('other/fib.remote.ts')
  })

  test('changes with a dependency', async () => {
    await using project = await temporaryProject({
      'a.remote.ts': `import { remote } from '@shoal/sdk'; import { x } from './b.ts'; export const f = remote(() => x)`,
      'b.ts': 'export const x = Math.sqrt(1)',
    })
    const before = await bundle(project, 'a.remote.ts')
    await project.write({ 'b.ts': 'export const x = Math.sqrt(2)' })
    expect((await bundle(project, 'a.remote.ts')).hash).not.toBe(before.hash)
  })

  test('neither text nor map names a folder of this machine', async () => {
    await using project = await temporaryProject({ 'src/fib.remote.ts': FIB })
    const { code, map } = await bundle(project, 'src/fib.remote.ts')
    expect(code + map).not.toContain(project.root)
    expect((JSON.parse(map) as { sources: string[] }).sources).toContain('shoal:///src/fib.remote.ts')
  })
})

test('packages resolve as in a browser build: import before require, development beside production', async () => {
  const conditions = {
    'package.json': JSON.stringify({
      name: 'lib',
      type: 'module',
      exports: {
        browser: { import: { development: './dev.js', production: './prod.js' } },
        require: './cjs.cjs',
        default: './node.js',
      },
    }),
    'dev.js': `export const which = 'dev'`,
    'prod.js': `export const which = 'prod'`,
    'cjs.cjs': `exports.which = 'cjs'`,
    'node.js': `export const which = 'node'`,
  }
  const files: Record<string, string> = {
    'a.remote.ts': `import { remote } from '@shoal/sdk'; import { which } from 'lib'; export const f = remote(() => which); export const env = process.env.NODE_ENV`,
  }
  for (const [name, text] of Object.entries(conditions)) files[`node_modules/lib/${name}`] = text
  for (const [minify, which, env] of [
    [false, 'dev', 'development'],
    [true, 'prod', 'production'],
  ] as const) {
    const exports = evaluateBundle((await bundled(files, 'a.remote.ts', minify)).code, immediateSdk())
    expect(call(exports.f)).toBe(which)
    expect(exports.env).toBe(env)
  }
})
