import { expect, test } from 'vitest'
import { findLayerFaults } from './check-layers.ts'
import { createTempTree } from './testing/temp-tree.ts'

/** package.json of a workspace that exports its index and, if asked, more. */
function manifest(name: string, dependencies: readonly string[] = [], entries: Record<string, string> = {}): string {
  return JSON.stringify({
    name: `@shoal/${name}`,
    exports: { '.': './src/index.ts', ...entries },
    dependencies: Object.fromEntries(dependencies.map((dependency) => [`@shoal/${dependency}`, '*'])),
  })
}

const SOUND = {
  'package.json': JSON.stringify({ name: 'shoal', devDependencies: { vitest: '4' } }),
  'packages/base/package.json': manifest('base'),
  'packages/base/src/index.ts': "export { must } from './must.ts'\n",
  'packages/base/src/must.ts': 'export const must = 1\n',
  'packages/scheduler/package.json': manifest('scheduler', ['base']),
  'packages/scheduler/src/index.ts': "export { step } from './step.ts'\n",
  'packages/scheduler/src/step.ts': "import { must } from '@shoal/base'\nexport const step = must\n",
  'packages/scheduler/src/step.test.ts': "import { test } from 'vitest'\nimport { room } from '@shoal/testing'\n",
  'packages/object-store/package.json': manifest('object-store', ['base']),
  'packages/object-store/src/index.ts': "export { store } from './store.ts'\n",
  'packages/object-store/src/store.ts': 'export const store = 1\n',
  'packages/sdk/package.json': manifest('sdk', ['base'], { './internal': './src/internal.ts' }),
  'packages/sdk/src/index.ts': "export { init } from './init.ts'\n",
  'packages/sdk/src/init.ts': 'export const init = 1\n',
  'packages/sdk/src/internal.ts': 'export const inside = 1\n',
  'packages/rl/package.json': manifest('rl', ['sdk', 'base']),
  'packages/rl/src/index.ts': "export { train } from './train.ts'\n",
  'packages/rl/src/train.ts': "import { init } from '@shoal/sdk'\nexport const train = init\n",
  'packages/testing/package.json': manifest('testing', ['scheduler']),
  'packages/testing/src/index.ts': "export { room } from './room.ts'\n",
  'packages/testing/src/room.ts': "import { step } from '@shoal/scheduler'\nexport const room = step\n",
  'signaling-server/package.json': manifest('signaling-server', ['base', 'sdk']),
  'signaling-server/src/index.ts': "import { must } from '@shoal/base'\nexport const server = must\n",
}

function faultsWith(changes: Readonly<Record<string, string>>): string[] {
  using tree = createTempTree({ ...SOUND, ...changes })
  return findLayerFaults(tree.root)
}

test('a sound tree has no faults', () => {
  expect(faultsWith({})).toEqual([])
})

const lines = (count: number): string => 'export {}\n'.repeat(count)

test.each<[fault: string, path: string, text: string, expected: RegExp]>([
  [
    'an upward import',
    'packages/base/src/must.ts',
    "import '@shoal/sdk'\n",
    /upward from packages\/sdk \(layer 0 to 6\)/,
  ],
  ['a type imported upward', 'packages/base/src/up.test.ts', "import type { A } from '@shoal/sdk'\n", /upward/],
  ['a lazy import upward', 'packages/scheduler/src/step.ts', "\nvoid import('@shoal/sdk')\n", /step\.ts:2:.*upward/],
  ['an undeclared dependency', 'packages/scheduler/src/step.ts', "import 'yjs'\n", /yjs is not declared/],
  [
    'a dependency for tests in a source',
    'packages/scheduler/src/step.ts',
    "import 'vitest'\n",
    /vitest is not declared/,
  ],
  ['a sideways import', 'packages/scheduler/src/step.ts', "import '../../object-store/src/store.ts'\n", /leaves/],
  ['a deep import', 'packages/scheduler/src/step.ts', "import '@shoal/base/src/must.ts'\n", /inside packages\/base/],
  ['its own index', 'packages/base/src/must.ts', "export { x } from './index.ts'\n", /own entry/],
  ['its own name', 'packages/base/src/must.ts', "export { x } from '@shoal/base'\n", /own entry/],
  ['testing in a source', 'packages/scheduler/src/step.ts', "import '@shoal/testing'\n", /for tests only/],
  ['a library below the sdk', 'packages/rl/src/train.ts', "import '@shoal/base'\n", /from @shoal\/sdk alone/],
  ['an entry that is not public', 'packages/rl/src/train.ts', "import '@shoal/sdk/internal'\n", /not public/],
  [
    'a server that knows tasks',
    'signaling-server/src/index.ts',
    "import '@shoal/sdk'\n",
    /may not import packages\/sdk/,
  ],
  ['a package in no layer', 'packages/extra/src/index.ts', 'export {}\n', /packages\/extra: is in no layer/],
  ['a file called utils', 'packages/base/src/utils.ts', 'export {}\n', /named after what it exports/],
  ['a long file', 'packages/base/src/long.ts', lines(351), /351 lines; past 350/],
  ['a reason past the header', 'packages/base/src/long.ts', `${lines(351)}// Long because\n`, /352 lines; past 350/],
  ['a file past any reason', 'packages/base/src/long.ts', `// Long because it is.\n${lines(800)}`, /800 is the most/],
])('reports %s', (_, path, text, expected) => {
  // Some of these close a cycle as well, which has its own test.
  const faults = faultsWith({ [path]: text }).filter((fault) => !fault.includes('import cycle'))
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(expected)
  expect(faults[0]).toContain(path.split('/').slice(0, 2).join('/'))
})

test('a declaration in package.json does not make a sideways import right', () => {
  const changes = {
    'packages/scheduler/package.json': manifest('scheduler', ['base', 'object-store']),
    'packages/scheduler/src/step.ts': "import '@shoal/object-store'\n",
  }
  expect(faultsWith(changes)).toEqual([
    'packages/scheduler/src/step.ts:1: packages/scheduler and packages/object-store are introduced by node only',
  ])
})

test('reports a cycle of value imports once, and none of types or lazy imports', () => {
  const ring = (kind: (path: string) => string): Record<string, string> => ({
    'packages/base/src/a.ts': kind('./b.ts'),
    'packages/base/src/b.ts': kind('./c.ts'),
    'packages/base/src/c.ts': kind('./a.ts'),
  })
  const path = (name: string): string => `packages/base/src/${name}.ts`
  expect(faultsWith(ring((to) => `import { x } from '${to}'\n`))).toEqual([
    `${path('a')}: import cycle ${['a', 'b', 'c', 'a'].map(path).join(' -> ')}`,
  ])
  expect(faultsWith(ring((to) => `export { x } from '${to}'\n`))).toHaveLength(1)
  expect(faultsWith(ring((to) => `import { type X } from '${to}'\n`))).toHaveLength(1)
  expect(faultsWith(ring((to) => `import type { X } from '${to}'\n`))).toEqual([])
  expect(faultsWith(ring((to) => `void import('${to}')\n`))).toEqual([])
})

test('accepts a long file that says why, before or after its imports', () => {
  const header = '/** Long because the table is one thing. */\n'
  const path = 'packages/base/src/long.ts'
  expect(faultsWith({ [path]: header + lines(400) })).toEqual([])
  expect(faultsWith({ [path]: `import { must } from './must.ts'\n\n${header}${lines(400)}` })).toEqual([])
})

test('accepts an entry whose file depends on conditions', () => {
  const changes = {
    'packages/scheduler/src/step.ts': "import '@shoal/base/inline'\n",
    'packages/base/package.json': JSON.stringify({
      name: '@shoal/base',
      exports: { '.': './src/index.ts', './inline': { types: './src/inline.d.ts' } },
    }),
  }
  expect(faultsWith(changes)).toEqual([])
})

test('accepts a config file that loads another package by the path of its entry', () => {
  const config = "import { init } from './packages/sdk/src/index.ts'\n"
  expect(faultsWith({ 'vite.config.ts': config })).toEqual([])
  expect(faultsWith({ 'vite.config.ts': config.replace('index', 'init') })[0]).toMatch(/leaves the root/)
})
