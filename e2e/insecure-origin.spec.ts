import { chromiumLaunchOptions } from '../scripts/lib/find-chromium.mjs'
import { expect, test } from './support/room-test.ts'

// A phone joins at an address of the local network, which is no secure origin; on one machine a made-up name is none.
const { args, ...launchOptions } = chromiumLaunchOptions()
test.use({
  host: 'lan.test',
  launchOptions: { ...launchOptions, args: [...args, '--host-resolver-rules=MAP lan.test 127.0.0.1'] },
})

test('a room on an insecure origin: tasks in both tabs, an actor and 20 MB', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, { workers: 2 }] })
  const [driver, helper] = tabs
  const seen = await driver.page.evaluate(async () => {
    const { sdk, work, madeBytes, contentHash } = window.shoalTest
    const there = { numCpus: 2 }
    const places = await sdk.get(Array.from({ length: 40 }, (_, index) => work.busy.remote(index, 30)))
    const counter = work.Counter.remote(1)
    const inline = sdk.remote((a: number, b: number) => a * b, there)
    const bytes = madeBytes(17, 20_000_000)
    const read = await sdk.get(work.hashOf.options(there).remote(sdk.put(bytes)))
    const made = await sdk.get(work.makeBytes.options(there).remote(18, 20_000_000))
    return {
      isSecureContext,
      hasSubtle: crypto.subtle !== undefined,
      nodes: [...new Set(places.map(({ nodeId }) => nodeId))].sort(),
      counted: await sdk.get(counter.add.remote('a', 0, 1)),
      product: await sdk.get(inline.remote(6, 7)),
      read,
      hashes: [contentHash(bytes), contentHash(made), contentHash(madeBytes(18, 20_000_000))],
    }
  })
  expect(seen).toMatchObject({ isSecureContext: false, hasSubtle: false, counted: 2, product: 42 })
  expect(seen.nodes).toEqual([driver.nodeId, helper?.nodeId].sort())
  expect(seen.read).toEqual({ hash: seen.hashes[0], length: 20_000_000, nodeId: helper?.nodeId })
  expect(seen.hashes[1]).toBe(seen.hashes[2])
})
