import { expect, test } from 'vitest'
import type { RemoteExport } from './read-manifest.ts'
import { writeStub } from './write-stub.ts'

function bundleWith(entries: Record<string, RemoteExport>): Parameters<typeof writeStub>[0] {
  const manifest = new Map(Object.entries(entries))
  return { code: '', hash: 'ab'.repeat(32), name: 'dir/a.remote.ts', map: '{}', watchFiles: [], manifest }
}

/** Runs a stub as a module whose imports are data: the SDK's two functions become records of their arguments. */
async function evaluate(stub: string): Promise<Record<string, unknown>> {
  const sdk = dataModule('export const moduleFunction = (...args) => args; export const moduleActor = moduleFunction')
  return (await import(dataModule(stub.replace('@shoal/sdk/internal', sdk)))) as Record<string, unknown>
}

function dataModule(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`
}

test('every export keeps its name, reserved words and strings too', async () => {
  const fn: RemoteExport = { kind: 'function', options: '{ "numCpus": 2 }', isGenerator: true, arity: [1, Infinity] }
  const stub = writeStub(
    bundleWith({
      fib: fn,
      default: fn,
      delete: fn,
      bundle: { kind: 'constant', value: '1' },
      'two words': { kind: 'constant', value: '"x"' },
      Game: {
        kind: 'actor',
        options: '{}',
        methods: ['play'],
        generators: [],
        arity: [0, 0],
        arities: [[1, 2]],
      },
    }),
    { source: dataModule('export default "the text"') },
  )
  const made = await evaluate(stub)
  expect(Object.keys(made).sort()).toEqual(['Game', 'bundle', 'default', 'delete', 'fib', 'two words'])
  expect(made.bundle).toBe(1)
  expect(made['two words']).toBe('x')
  const [bundle, name, details] = made.fib as [
    { hash: string; name: string; source(): Promise<string> },
    string,
    unknown,
  ]
  expect([name, details]).toEqual(['fib', { options: { numCpus: 2 }, generator: true, arity: [1, Infinity] }])
  expect(bundle).toMatchObject({ hash: 'ab'.repeat(32), name: 'dir/a.remote.ts' })
  expect(bundle).not.toHaveProperty('map')
  expect(await bundle.source()).toBe('the text')
  expect((made.Game as unknown[]).slice(1)).toEqual([
    'Game',
    { options: {}, methods: ['play'], arity: [0, 0], arities: [[1, 2]] },
  ])
})

test('a module of constants imports nothing', () => {
  const stub = writeStub(bundleWith({ LIMIT: { kind: 'constant', value: '7' } }), { source: 'source', map: 'map' })
  expect(stub).not.toContain('@shoal/sdk')
  expect(stub).toContain('map: () => import("map")')
})

test('the text may stand in the stub, and the SDK elsewhere', async () => {
  const fn: RemoteExport = { kind: 'function', options: '{}', isGenerator: false, arity: [0, 0] }
  const options = { source: { text: 'its "text"' }, sdk: './shoal.js' }
  const stub = writeStub(bundleWith({ run: fn }), options)
  expect(stub).toContain('from "./shoal.js"')
  const sdk = dataModule('export const moduleFunction = (...args) => args')
  const { run } = (await import(dataModule(stub.replace('./shoal.js', sdk)))) as {
    run: [{ source(): Promise<string> }]
  }
  expect(await run[0].source()).toBe('its "text"')
})

test('a hot stub has one shape as long as what it exports stays the same', () => {
  const shape = (isGenerator: boolean, hash: string): string => {
    const bundle = bundleWith({ run: { kind: 'function', options: '{}', isGenerator, arity: [0, 0] } })
    const stub = writeStub({ ...bundle, hash }, { source: 'source', isHot: true })
    expect(stub).toContain('import.meta.hot.accept(')
    return /shape: "(\w+)"/.exec(stub)?.[1] ?? ''
  }
  expect(shape(true, 'a')).toBe(shape(true, 'b'))
  expect(shape(true, 'a')).not.toBe(shape(false, 'a'))
})
