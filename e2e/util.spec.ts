import { expect, test } from './support/room-test.ts'

// What asks for this lives in the second tab.
const THERE = { resources: { there: 1 }, numCpus: 0 }

interface Answer {
  readonly value: number
  readonly nodeId: string
}

test('[U1, U7, U10, U11, U12, U14, U20, U21, U22] pools and queues are used in two tabs', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{ workers: 2 }, { workers: 2, resources: { there: 8 } }] })
  const [driver, other] = tabs
  const both = new Set(tabs.map(({ nodeId }) => nodeId))
  const squares = Array.from({ length: 40 }, (_, n) => n * n)

  await test.step('a pool of actors gives results in order, and each actor its share', async () => {
    const answers = await driver.page.evaluate(async (there) => {
      const { util, crew } = window.shoalTest
      const actors = [crew.Squarer.remote(), crew.Squarer.options(there).remote()]
      const pool = new util.ActorPool<ReturnType<typeof crew.Squarer.remote>, Answer>(actors)
      const values = Array.from({ length: 40 }, (_, n) => n)
      const all: Answer[] = []
      for await (const answer of pool.map((actor, n: number) => actor.of.remote(n), values)) all.push(answer)
      return all
    }, THERE)
    expect(answers.map(({ value }) => value)).toEqual(squares)
    expect(new Set(answers.map(({ nodeId }) => nodeId))).toEqual(both)
  })

  await test.step('a queue is one queue for tasks of both tabs and the page', async () => {
    const { taken, isEmpty } = await driver.page.evaluate(async (there) => {
      const { sdk, util, crew } = window.shoalTest
      const queue = new util.Queue<Answer>({ maxSize: 4, actorOptions: there })
      const makers = [
        crew.produce.options({ ...there, numCpus: 1 }).remote(queue.actor, 0, 50),
        crew.produce.remote(queue.actor, 100, 50),
      ]
      const taker = crew.consume.options({ ...there, numCpus: 1 }).remote(queue.actor, 60)
      const own: Answer[] = []
      for (let n = 0; n < 40; n += 1) own.push(await queue.get())
      await sdk.get(makers)
      const taken = [...own, ...(await sdk.get(taker))]
      const isEmpty = await queue.getNowait().catch((error: unknown) => error instanceof util.Empty)
      queue.shutdown()
      return { taken, isEmpty }
    }, THERE)
    expect(isEmpty).toBe(true)
    expect(taken.map(({ value }) => value).sort((a, b) => a - b)).toEqual(
      [0, 100].flatMap((from) => Array.from({ length: 50 }, (_, n) => from + n)),
    )
    for (const { value, nodeId } of taken) if (value < 50) expect(nodeId).toBe(other?.nodeId)
  })

  await test.step('map and imap use both tabs, and a loop that is left cancels the rest', async () => {
    const seen = await driver.page.evaluate(async () => {
      const { util, crew, until } = window.shoalTest
      const pool = new util.Pool()
      const values = Array.from({ length: 40 }, (_, n) => n)
      const mapped = await pool.map(crew.square, values)
      const ordered: number[] = []
      for await (const { value } of pool.imap(crew.square, values)) ordered.push(value)
      let asked = 0
      const endless = function* (): Generator<number, void, undefined> {
        for (;;) yield asked++
      }
      const first: number[] = []
      for await (const { value } of pool.imapUnordered(crew.square, endless())) if (first.push(value) === 10) break
      await until(({ running, queued, hasUnfinishedTasks }) => running + queued === 0 && !hasUnfinishedTasks)
      return { mapped, ordered, asked, processes: pool.processes }
    })
    expect(seen.processes).toBe(4)
    expect(seen.mapped.map(({ value }) => value)).toEqual(squares)
    expect(new Set(seen.mapped.map(({ nodeId }) => nodeId))).toEqual(both)
    expect(seen.ordered).toEqual(squares)
    // Ten were taken, four were under way, and one was at hand.
    expect(seen.asked).toBeLessThanOrEqual(15)
  })
})

test('[U30, U31, U32, U33, U38] bars of two tabs are shown in the page as they count, and lost with their tab', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{}, { resources: { there: 4 } }] })
  const [driver, other] = tabs

  await test.step('a task that computes without a pause is seen while it does, ten times a second at most', async () => {
    const { told, steps, tookMs } = await driver.page.evaluate(async (there) => {
      const { sdk, util, crew } = window.shoalTest
      const told: { count: number; state: string }[] = []
      const startedAtMs = performance.now()
      let closed: () => void = () => undefined
      const isClosed = new Promise<void>((resolve) => (closed = resolve))
      const stop = util.onProgress(([bar]) => {
        if (bar === undefined) return
        told.push({ count: bar.count, state: bar.state })
        if (bar.state === 'closed') closed()
      })
      const steps = await sdk.get(crew.countBusily.options(there).remote(1_500))
      await isClosed
      stop()
      return { told, steps, tookMs: performance.now() - startedAtMs }
    }, THERE)
    expect(told.filter(({ count }) => count > 0 && count < steps).length).toBeGreaterThan(3)
    expect(told.length).toBeLessThanOrEqual(tookMs / 100 + 1)
    expect(told.at(-1)).toEqual({ count: steps, state: 'closed' })
  })

  const rows = (): Promise<string[]> =>
    driver.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.shoal-progress > div')]
        .map((row) => {
          const meter = row.querySelector('progress')
          return `${row.dataset['state']} ${row.textContent?.trim().split(',')[0]}: ${meter?.value} of ${meter?.max}`
        })
        .sort(),
    )
  await driver.page.evaluate((there) => {
    const { sdk, util, crew } = window.shoalTest
    util.showProgress({ element: document.body })
    const [gate, shut] = [crew.Gate.remote(), crew.Gate.remote()]
    const far = crew.countThrough.options({ ...there, maxRetries: 0 })
    const refs = [
      crew.countThrough.remote(gate, 'here', 10),
      far.remote(gate, '<b>there</b>', 20),
      far.remote(shut, 'never', 30),
    ]
    for (const ref of refs) sdk.get(ref).catch(() => undefined)
    Object.assign(window, { gate, refs })
  }, THERE)
  await expect
    .poll(rows)
    .toEqual([
      'running <b>there</b>: 10 of 20: 10 of 20',
      'running here: 5 of 10: 5 of 10',
      'running never: 15 of 30: 15 of 30',
    ])
  const ran = await driver.page.evaluate(async () => {
    const { gate, refs } = window as unknown as {
      gate: ReturnType<typeof window.shoalTest.crew.Gate.remote>
      refs: readonly Parameters<typeof window.shoalTest.sdk.get>[0][]
    }
    gate.open.remote()
    return Promise.all(refs.slice(0, 2).map((ref) => window.shoalTest.sdk.get(ref)))
  })
  expect(ran).toEqual([driver.nodeId, other?.nodeId])
  await expect
    .poll(rows)
    .toEqual([
      'closed <b>there</b> again: 10 of 10: 10 of 10',
      'closed <b>there</b>: 20 of 20: 20 of 20',
      'closed here again: 5 of 5: 5 of 5',
      'closed here: 10 of 10: 10 of 10',
      'running never: 15 of 30: 15 of 30',
    ])
  await other?.close()
  await expect.poll(rows, { timeout: 20_000 }).toContain('lost never: 15 of 30: 15 of 30')
})
