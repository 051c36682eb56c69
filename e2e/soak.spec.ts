import { placeOf, runSoak } from './soak/run-soak.ts'
import { expect, test } from './support/room-test.ts'
import { join, untilLinked } from './support/tab.ts'

test('actors are made, called, killed and dropped at random in three tabs: every count is right, nothing is left', async ({
  openRoom,
  newTab,
}) => {
  test.setTimeout(180_000)
  const options = (tab: number) => ({ workers: 2, resources: { [placeOf(tab)]: 100 }, warnBeforeClose: false })
  const { tabs, ownerLink } = await openRoom({ tabs: [options(0)] })
  const others = [await newTab(), await newTab()]
  const all = [
    ...tabs,
    ...(await Promise.all(
      others.map(async (tab, i) => ({ ...tab, nodeId: await join(tab, { ...options(i + 1), room: ownerLink }) })),
    )),
  ]
  await Promise.all(all.map((tab) => untilLinked(tab, 2)))
  const { summary, faults } = await runSoak(all, { seed: 1, warmUpMs: 8_000, ms: 16_000, say: console.log })
  console.log(summary.join('\n'))
  expect(faults).toEqual([])
})
