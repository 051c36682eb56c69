import { expect, test } from './support/room-test.ts'

test('custom resources take tasks and actors to the tab that has them; SPREAD takes them to both', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{}, { workers: 2, resources: { camera: 1 }, labels: { region: 'eu' } }] })
  const [driver, camera] = tabs
  const seen = await driver.page.evaluate(async () => {
    const { actor, get, remote, wait } = window.shoalTest.sdk
    const where = remote({}, async ({ context }, ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return context().nodeId
    })
    const half = where.options({ resources: { camera: 0.5 } })
    const places = await get([half.remote(0), half.remote(0), half.remote(0)])
    const Host = actor(
      class Host {
        twice(n: number): number {
          return 2 * n
        }
      },
      { resources: { camera: 0.7 } },
    )
    const four = await get(Host.remote().twice.remote(2))
    const late = half.remote(0)
    const none = where.options({ resources: { microphone: 1 } }).remote(0)
    const [ready] = await wait([late, none], { timeoutMs: 200 })
    const { infeasible, members } = await window.shoalTest.until((status) => status.infeasible.length > 0)
    const spread = where.options({ schedulingStrategy: 'SPREAD' })
    const round = await get(Array.from({ length: 6 }, () => spread.remote(150)))
    const labelled = await get([
      where.options({ labelSelector: { region: 'eu' } }).remote(0),
      where.options({ labelSelector: { region: '!eu' } }).remote(0),
    ])
    const { rows } = await window.shoalTest.sdk.listNodes()
    const labels = rows.map((row) => row.labels)
    return {
      labelled,
      labels,
      places,
      four,
      ready: ready.length,
      infeasible,
      round,
      lent: members.map(({ resources }) => resources),
    }
  })
  expect(seen.places).toEqual([camera?.nodeId, camera?.nodeId, camera?.nodeId])
  expect(seen.labelled).toEqual([camera?.nodeId, driver.nodeId])
  // Beside what each says of its device.
  expect(seen.labels.map(({ region }) => region).sort()).toEqual(['eu', undefined])
  expect(seen.four).toBe(4)
  // The actor leaves less than half a camera, and nobody has a microphone.
  expect(seen.ready).toBe(0)
  expect(seen.infeasible).toEqual([{ shape: '1 CPU, 1 microphone', tasks: 1 }])
  expect(seen.lent).toMatchObject([{ CPU: 1 }, { CPU: 2, camera: 1 }])
  expect(new Set(seen.round)).toEqual(new Set(tabs.map(({ nodeId }) => nodeId)))
})
