import { expect, test } from './support/room-test.ts'

test('[SS3, SS4] init is for one session at a time, and shutdown ends it wherever it is', async ({
  openRoom,
  newTab,
}) => {
  const { helperLink, tabs } = await openRoom({ tabs: [{}] })
  const { page } = await newTab()
  const seen = await page.evaluate(async (room) => {
    const { init, shutdown, currentSession, get, remote } = window.shoalTest.sdk
    const codeOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).message
    // A frame of ours is hidden in the page for each session.
    const frames = (): number => document.querySelectorAll('iframe[title="Shoal sandbox"]').length
    // As a framework that mounts twice does it, at three moments of the way into a room.
    const ended: string[] = []
    for (const wait of [undefined, 0, 60]) {
      const starting = init({ room, workers: 1 }).then(() => 'up', codeOf)
      if (wait !== undefined) await new Promise((resolve) => setTimeout(resolve, wait))
      await shutdown()
      ended.push(await starting)
    }
    const framesAfter = frames()
    const iceServers = [{ urls: 'stun:127.0.0.1:9', username: 'u' }]
    const first = await init({ room, workers: 1, iceServers })
    const again = await init({ iceServers: [{ username: 'u', urls: 'stun:127.0.0.1:9' }], workers: 1, room })
    const others = await init({ room, workers: 1 }).then(() => 'up', codeOf)
    await first.shutdown()
    const current = currentSession()
    const second = await init({ workers: 1 })
    const value = await get(remote(() => 3).remote())
    return {
      ended,
      framesAfter,
      isSame: first === again,
      others,
      current,
      isNew: second !== first,
      value,
      frames: frames(),
    }
  }, helperLink)
  // The last of the three may have been in the room by then.
  expect(seen.ended.slice(0, 2)).toEqual(['shutdown', 'shutdown'])
  expect(['shutdown', 'up']).toContain(seen.ended[2])
  expect(seen).toMatchObject({ framesAfter: 0, isSame: true, current: undefined, isNew: true, value: 3, frames: 1 })
  expect(seen.others).toContain('other options')
  await tabs[0].page.evaluate(() => window.shoalTest.until(({ members }) => members.length === 1))
})

test('[SS2, SS6, SS7] two sessions in one page are in two rooms at once', async ({ openRoom, newTab }) => {
  const first = await openRoom({ tabs: [{}] })
  const second = await openRoom({ tabs: [{}] })
  const tab = await newTab()
  const seen = await tab.page.evaluate(
    async (links) => {
      const { sdk, work } = window.shoalTest
      const [left, right] = await Promise.all(
        links.map((room) => sdk.createSession({ room, lend: false, workers: 1, name: 'between' })),
      )
      if (!left || !right) throw new Error('two sessions')
      const whenTwo = (session: typeof left): Promise<void> =>
        new Promise((resolve) => {
          const look = (): void => {
            if (session.room?.state === 'connected') resolve()
          }
          session.room?.onChange(look)
          look()
        })
      await Promise.all([whenTwo(left), whenTwo(right)])
      const hear = (session: typeof left): Promise<string[]> =>
        new Promise((resolve) => session.room?.onChange((_, { left: gone }) => resolve(gone.map(({ name }) => name))))
      const double = left.remote((n: number) => n * 2)
      const values = [
        await left.get(double.remote(4)),
        await right.get(right.remote(work.add).remote(20, 22)),
        await right.get(right.remote(double).remote(5)),
      ]
      const mixed = await right.get(left.put(1)).catch((error: unknown) => (error as Error).message)
      const rooms = [left.room?.id, right.room?.id]
      const gone = hear(left)
      await left.shutdown()
      return {
        values,
        mixed,
        areTwo: rooms[0] !== rooms[1],
        gone: await gone,
        states: [left.status().state, right.status().state],
        stillThere: await right.get(right.remote(work.add).remote(1, 1)),
        current: sdk.currentSession() === undefined,
      }
    },
    [first.ownerLink, second.ownerLink],
  )
  expect(seen).toEqual({
    values: [8, 42, 10],
    mixed: expect.stringContaining('belongs to another session') as unknown,
    areTwo: true,
    gone: expect.arrayContaining(['between', 'driver']) as unknown,
    states: ['left', 'connected'],
    stillThere: 2,
    current: true,
  })
})

test('[SS8] a driver is asked before it closes while its tasks are unfinished, and not after', async ({ newTab }) => {
  const { page } = await newTab()
  // Browsers ask only where somebody has touched the page.
  await page.locator('body').click({ position: { x: 5, y: 5 }, force: true })
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type())
    void dialog.dismiss()
  })
  await page.evaluate(async () => {
    const { sdk, work, until } = window.shoalTest
    Object.assign(window, { session: await sdk.init({ workers: 1 }), run: work.busy.remote(0, 1500) })
    await until(({ hasUnfinishedTasks }) => hasUnfinishedTasks)
  })
  const asked = page.waitForEvent('dialog')
  await page.close({ runBeforeUnload: true })
  await asked
  expect(dialogs).toEqual(['beforeunload'])
  await page.evaluate(() => window.shoalTest.until(({ hasUnfinishedTasks }) => !hasUnfinishedTasks))
  const closed = page.waitForEvent('close')
  await page.close({ runBeforeUnload: true })
  await closed
  expect(dialogs).toHaveLength(1)
})
