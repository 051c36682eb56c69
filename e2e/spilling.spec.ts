// A tab whose objects are more than its memory may hold, with the browser's own disk.
import type { Page } from '@playwright/test'
import { expect, test } from './support/room-test.ts'
import { join, openTab } from './support/tab.ts'

const MB = 1_000_000
const TIGHT = { objectStoreBytes: 16 * MB }

const databases = (page: Page): Promise<string[]> =>
  page.evaluate(async () =>
    (await indexedDB.databases()).flatMap(({ name }) => (name?.startsWith('shoal-spill/') === true ? [name] : [])),
  )

/** Puts so many objects of 4 MB, and says what became of them once nothing is over the limit any more. */
const putAll = (page: Page, count: number): Promise<{ spilled: number; total: number; limit: number; disk: string }> =>
  page.evaluate(async (objects) => {
    const { sdk, madeBytes, until } = window.shoalTest
    const refs = Array.from({ length: objects }, (_, seed) => sdk.put(madeBytes(seed, 4_000_000)))
    Object.assign(window, { refs })
    const status = await until(
      ({ objectBytes, spilledBytes, objectStoreBytes, disk }) =>
        objectBytes > 0 && (objectBytes - spilledBytes <= objectStoreBytes || disk !== 'fine'),
    )
    const { objectBytes, spilledBytes, objectStoreBytes, disk } = status
    return { spilled: spilledBytes, total: objectBytes, limit: objectStoreBytes, disk }
  }, count)

/** Of what `putAll` has put: which came back as they went, and the names of the errors of the others. */
const readAll = (page: Page): Promise<{ right: number; errors: string[] }> =>
  page.evaluate(async () => {
    const { sdk, madeBytes, contentHash } = window.shoalTest
    const { refs } = window as unknown as { refs: ReturnType<typeof sdk.put<Uint8Array>>[] }
    let right = 0
    const errors: string[] = []
    for (const [seed, ref] of refs.entries())
      try {
        if (contentHash(await sdk.get(ref)) === contentHash(madeBytes(seed, 4_000_000))) right++
      } catch (error) {
        errors.push((error as Error).name)
      }
    return { right, errors }
  })

test('[OS9] what memory has no room for goes to IndexedDB and comes back, here and in another tab', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [TIGHT, { ...TIGHT, workers: 2 }] })
  const { page } = tabs[0]
  const { spilled, total, limit } = await putAll(page, 12)
  expect([total > 48 * MB, limit]).toEqual([true, 16 * MB])
  expect(spilled).toBeGreaterThanOrEqual(32 * MB)
  expect(await databases(page)).toEqual([`shoal-spill/${tabs[0].nodeId}`])
  expect(await readAll(page)).toEqual({ right: 12, errors: [] })
  const there = await page.evaluate(async () => {
    const { sdk, work, madeBytes, contentHash } = window.shoalTest
    const { refs } = window as unknown as { refs: ReturnType<typeof sdk.put<Uint8Array>>[] }
    const read = await sdk.get(refs.map((ref) => work.hashOf.options({ numCpus: 2 }).remote(ref)))
    return read.filter(({ hash }, seed) => hash === contentHash(madeBytes(seed, 4_000_000))).length
  })
  expect(there).toBe(12)
  await page.evaluate(() => window.shoalTest.sdk.shutdown())
  await expect.poll(() => databases(page)).toEqual([])
})

test('[OS9] a tab wipes what others left, and nothing of those that live', async ({ newTab, browser, server }) => {
  const living = await newTab()
  await join(living, TIGHT)
  await putAll(living.page, 8)
  await living.page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open('shoal-spill/of-a-tab-that-crashed', 1)
        request.onsuccess = () => {
          request.result.close()
          resolve()
        }
        request.onerror = () => reject(new Error('no database'))
      }),
  )
  const other = await living.page.context().newPage()
  await other.goto(`${server.origin}/`)
  await other.waitForFunction(() => 'shoalTest' in window)
  await other.evaluate(() => window.shoalTest.sdk.init())
  await expect.poll(() => databases(other), { timeout: 20_000 }).not.toContain('shoal-spill/of-a-tab-that-crashed')
  expect(await readAll(living.page)).toEqual({ right: 8, errors: [] })
  expect((await putAll(living.page, 8)).disk).toBe('fine')
  expect(await readAll(living.page)).toEqual({ right: 8, errors: [] })
  // Another profile has a disk of its own.
  const stranger = await openTab({ browser, url: `${server.origin}/` })
  expect(await databases(stranger.page)).toEqual([])
  await stranger.close()
})

test('[OS12] past the browser’s quota a put is refused by name, and everything before it is there', async ({
  newTab,
  server,
}) => {
  const tab = await newTab()
  const devtools = await tab.page.context().newCDPSession(tab.page)
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.origin, quotaSize: 10 * MB })
  await join(tab, TIGHT)
  await putAll(tab.page, 1)
  const outcome = await tab.page.evaluate(async () => {
    const { sdk, madeBytes, until } = window.shoalTest
    const kept = []
    const errors: unknown[] = []
    for (let seed = 0; seed < 20 && errors.length === 0; seed++) {
      const ref = sdk.put(madeBytes(seed, 4_000_000))
      kept.push(ref)
      await sdk.get(ref).catch((error: unknown) => errors.push(error))
    }
    const { disk } = await until((status) => status.disk === 'full')
    const read = await Promise.allSettled(kept.slice(0, -1).map((ref) => sdk.get(ref)))
    const [error] = errors
    return {
      count: kept.length,
      disk,
      isClass: error instanceof sdk.ObjectStoreFullError,
      isShoal: sdk.ShoalError.is(error) && error.code,
      lost: read.filter(({ status }) => status === 'rejected').length,
    }
  })
  expect(outcome).toEqual({ count: outcome.count, disk: 'full', isClass: true, isShoal: 'object-store-full', lost: 0 })
  expect(outcome.count).toBeGreaterThan(4)
  expect(outcome.count).toBeLessThan(20)
})

test('[OS12] without IndexedDB everything works in memory, and says what it cannot do', async ({ newTab }) => {
  const tab = await newTab()
  await join(tab, TIGHT)
  for (const worker of tab.page.workers())
    await worker.evaluate(() => Object.defineProperty(self, 'indexedDB', { value: undefined }))
  const { disk } = await putAll(tab.page, 4)
  expect(disk).toBe('unavailable')
  expect(await readAll(tab.page)).toEqual({ right: 4, errors: [] })
  // Those four are still held.
  await tab.page.evaluate(() => Object.assign(window, { held: (window as unknown as { refs: unknown }).refs }))
  await putAll(tab.page, 2)
  expect(await readAll(tab.page)).toEqual({ right: 0, errors: ['ObjectStoreFullError', 'ObjectStoreFullError'] })
  expect(tab.lines.map(({ text }) => text).join('\n')).toContain('cannot be spilled to disk here')
})

test('[OS12] a limit that makes no sense is refused by name', async ({ newTab }) => {
  const { page } = await newTab()
  const messages = await page.evaluate(async () => {
    const { init } = window.shoalTest.sdk
    const of = (objectStoreBytes: unknown): Promise<string> =>
      init({ objectStoreBytes: objectStoreBytes as number }).then(
        () => 'fine',
        (error: unknown) => String(error),
      )
    return [await of('1'), await of(5), await of(NaN)]
  })
  expect(messages).toEqual([
    'TypeError: objectStoreBytes must be a number',
    'RangeError: objectStoreBytes must be at least 1048576, got 5',
    'RangeError: objectStoreBytes must be at least 1048576, got NaN',
  ])
})
