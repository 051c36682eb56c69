import { linkFrame, nodeMessage } from '@shoal/protocol'
import { typesOf } from '@shoal/protocol/testing'
import type { FaultRule } from '@shoal/sdk'
import { expect, test } from './support/room-test.ts'
import type { RoomTab } from './support/room-test.ts'

const TYPES = [
  ...typesOf(nodeMessage),
  ...typesOf(linkFrame).flatMap((type) => (type === 'packet' ? [] : `link.${type}`)),
  'bulk',
]
/** A rule for each type of message and frame; those that the work below has no use for do nothing. */
const everyType = (rule: Omit<FaultRule, 'type'>): FaultRule[] => TYPES.map((type) => ({ type, ...rule }))

/** Faults that really happened, by what the tabs' consoles say. */
function happened(tabs: readonly RoomTab[], action: string): string[] {
  const lines = tabs.flatMap((tab) => tab.lines.map(({ text }) => text))
  const found = lines.flatMap((text) => new RegExp(`first ${action} ([\\w.]+) on purpose`).exec(text)?.[1] ?? [])
  return [...new Set(found)].sort()
}

const USUAL = [
  'actor.call',
  'bulk',
  'credit.grant',
  'directory.vector',
  'link.acknowledge',
  'link.beat',
  'object.pull',
  'task.result',
  'task.submit',
]

for (const [action, rule] of Object.entries({
  // Each costs a link, and a tab has only some 500 in its life.
  drop: { action: 'drop', count: 1 },
  delay: { action: 'delay', count: 20, delayMs: 60 },
  duplicate: { action: 'duplicate', count: 20 },
} satisfies Record<string, Omit<FaultRule, 'type'>>))
  test(`a room of three tabs works while messages of every type are on purpose: ${action}`, async ({ openRoom }) => {
    test.setTimeout(120_000)
    const debug = { faults: everyType(rule) }
    const { tabs } = await openRoom({ tabs: [{ debug }, { debug }, { debug }] })
    const [driver] = tabs
    const missing = (): string[] => USUAL.filter((type) => !happened(tabs, action).includes(type))
    // What goes where is the scheduler's choice: until each usual type has gone wrong once.
    for (let round = 0; round < 3 || (round < 12 && missing().length > 0); round++) {
      const results = await driver.page.evaluate(async () => {
        const { sdk, work, madeBytes, contentHash } = window.shoalTest
        const { get, put } = sdk
        const tasks = Array.from({ length: 60 }, (_, index) => work.busy.remote(index, 40))
        const bytes = madeBytes(5, 1_500_000)
        const ref = put(bytes)
        // In every tab: by itself work may stay where its input is.
        const hashOf = work.hashOf.options({ schedulingStrategy: 'SPREAD' })
        const hashes = Array.from({ length: 6 }, () => hashOf.remote(ref))
        const made = Array.from({ length: 4 }, (_, seed) => work.makeBytes.remote(seed, 700_000))
        const counters = Array.from({ length: 3 }, () => work.Counter.remote(0))
        const calls = counters.flatMap((counter) => [1, 2, 3].map((by) => counter.add.remote('driver', by, by)))
        return {
          places: (await get(tasks)).map(({ index, nodeId }) => ({ index, nodeId })),
          right: contentHash(bytes),
          hashes: (await get(hashes)).map(({ hash }) => hash),
          made: (await get(made)).map(contentHash),
          expected: [0, 1, 2, 3].map((seed) => contentHash(madeBytes(seed, 700_000))),
          counts: await get(calls),
          fib: await get(work.fib.remote(6)),
        }
      })
      expect(results.places.map(({ index }) => index)).toEqual(Array.from({ length: 60 }, (_, index) => index))
      expect(new Set(results.hashes)).toEqual(new Set([results.right]))
      expect(results.made).toEqual(results.expected)
      expect(results.counts).toEqual([1, 3, 6, 1, 3, 6, 1, 3, 6])
      expect(results.fib).toBe(8)
      expect(new Set(results.places.map(({ nodeId }) => nodeId)).size).toBeGreaterThan(1)
    }
    // The workers' consoles reach us a little later.
    await expect.poll(missing).toEqual([])
    test.info().annotations.push({ type: 'happened', description: happened(tabs, action).join(' ') })
  })

test('rules that make no sense are refused by name, and without rules nothing is said', async ({ newTab }) => {
  const tab = await newTab()
  const refusal = (faults: unknown): Promise<string> =>
    tab.page.evaluate(async (rules) => {
      const { sdk } = window.shoalTest
      const error: unknown = await sdk.init({ debug: { faults: rules as never } }).catch((reason: unknown) => reason)
      await sdk.shutdown()
      return String(error)
    }, faults)
  expect(await refusal('drop')).toContain('debug.faults must be an array')
  expect(await refusal([{ type: 'task.results', action: 'drop' }])).toContain('faults[0].type is task.results')
  await tab.page.evaluate(() => window.shoalTest.sdk.init({}))
  expect(tab.lines.filter(({ text }) => text.includes('on purpose'))).toEqual([])
})
