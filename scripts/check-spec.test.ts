import { expect, test } from 'vitest'
import { findSpecFaults } from './check-spec.ts'
import { createTempTree } from './testing/temp-tree.ts'

function faultsOf(files: Readonly<Record<string, string>>): string[] {
  using tree = createTempTree(files)
  return findSpecFaults(tree.root)
}

const SPEC = 'packages/transport/SPEC.md'
const TEST = 'packages/transport/src/link.test.ts'

test('rules and titles that agree have no faults, however a rule is written', () => {
  const spec = ['# Links', '**T1** order', '- T2 bounds', '- **T3.** close', '### T4 resend', '| T5 | acks |'].join(
    '\n',
  )
  const titles = ["test('[T1] a')", "it('[T2, T3] b')", 'test.each([1])(`[T4] ${1}`)', "describe('[T5][T1] c')"]
  expect(faultsOf({ [SPEC]: spec, [TEST]: titles.join('\n') })).toEqual([])
})

test('a rule may be proven in the simulation or in e2e, not in another package', () => {
  const files = { [SPEC]: '**T1** order\n' }
  expect(faultsOf({ ...files, 'packages/testing/src/room.sim.test.ts': "test('[T1] a')" })).toEqual([])
  expect(faultsOf({ ...files, 'e2e/room.test.ts': "test('[T1] a')" })).toEqual([])
  expect(faultsOf({ ...files, 'packages/node/src/node.test.ts': "test('[T1] a')" })).toEqual([
    `${SPEC}: rule T1 has no test titled [T1]`,
  ])
})

test.each([
  ['no test', ''],
  ['a skipped test', "test.skip('[T1] a')"],
  ['a planned test', "test.todo('[T1] a')"],
  ['a title that only mentions it', "test('not [T1]')"],
  ['a comment', '// [T1] a'],
])('reports a rule with %s', (_, text) => {
  expect(faultsOf({ [SPEC]: '**T1** order\n', [TEST]: text })).toEqual([`${SPEC}: rule T1 has no test titled [T1]`])
})

test('reports an id that no SPEC has, and a rule that stands there twice', () => {
  const files = { [SPEC]: '**T1** order\n**T1** again\n', [TEST]: "test('[T1] a')\ntest('[T9] b')" }
  expect(faultsOf(files)).toEqual([`${SPEC}: rule T1 stands there twice`, `${TEST}: [T9] is a rule of no SPEC.md`])
})

test('packages without SPEC.md are let be', () => {
  expect(faultsOf({ [TEST]: "test('plain')" })).toEqual([])
})
