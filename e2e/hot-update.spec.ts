import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { placeOf, startDevServer } from './support/dev-server.ts'
import type { DevServer } from './support/dev-server.ts'

declare global {
  interface Window {
    hotGate: ReturnType<Window['hotTest']['work']['Gate']['remote']>
    hotWaiting: Promise<string>
    callCaptures(): unknown
  }
}

let server: DevServer

test.beforeAll(async () => {
  server = await startDevServer(join(import.meta.dirname, 'hot-page'))
})

test.afterAll(() => server.close())

test('a function that captures something is told where it is defined', async ({ page }) => {
  const told = page.waitForEvent('console', (message) => message.type() === 'error')
  await page.goto(server.url)
  await page.waitForFunction(() => 'hotTest' in window)
  await page.evaluate(() => {
    const limit = 3
    const captures = window.hotTest.sdk.remote((x: number) => x + limit)
    window.callCaptures = () => captures.remote(1)
  })
  expect((await told).text()).toContain('uses `limit`')
  const refusals = await page.evaluate(() => {
    const limit = 3
    const thrownBy = (run: () => unknown): string => {
      try {
        return String(run())
      } catch (error) {
        return String(error)
      }
    }
    return [thrownBy(window.callCaptures), thrownBy(() => window.hotTest.sdk.remote((x: number) => x * limit))]
  })
  for (const refusal of refusals) expect(refusal).toContain('uses `limit`')
})

test('an edited remote module gives new tasks the new version, and the page is not reloaded', async ({ page }) => {
  await page.goto(server.url)
  await page.waitForFunction(() => 'hotTest' in window)
  const versionNow = (): Promise<string> =>
    page.evaluate(() => window.hotTest.sdk.get(window.hotTest.work.version.remote()))
  const stackNow = async (): Promise<string> =>
    page.evaluate(() =>
      window.hotTest.sdk.get(window.hotTest.work.fail.remote()).then(
        () => '',
        (error: Error) => `${error.stack}\n${(error.cause as Error).stack}`,
      ),
    )
  const first = await page.evaluate(async () => {
    const { sdk, work } = window.hotTest
    await sdk.init({ workers: 2 })
    window.hotGate = work.Gate.remote()
    window.hotWaiting = sdk.get(work.waiting.remote(window.hotGate))
    return sdk.get([window.hotGate.version.remote(), work.version.remote()])
  })
  expect(first).toEqual(['one', 'one'])
  const place = placeOf(await server.read('work.remote.ts'), 'new RangeError')
  expect((await stackNow()).match(/work\.remote\.ts:\d+:\d+/g)).toEqual([
    `work.remote.ts:${place}`,
    `work.remote.ts:${place}`,
  ])

  // In a file that the module imports, then in the module itself.
  await server.replace('version.ts', `'one'`, `'two'`)
  await expect.poll(versionNow).toBe('two')
  await server.replace(
    'work.remote.ts',
    'export const version = remote(() => VERSION)',
    '\n\nexport const version = remote(() => `${VERSION}!`)',
  )
  await expect.poll(versionNow).toBe('two!')

  const later = await page.evaluate(async () => {
    const { sdk, work } = window.hotTest
    const { hotGate, hotWaiting } = window
    const actors = await sdk.get([hotGate.version.remote(), work.Gate.remote().version.remote()])
    await sdk.get(hotGate.open.remote())
    return { actors, waiting: await hotWaiting }
  })
  expect(later).toEqual({ actors: ['one', 'two'], waiting: 'one one' })
  const moved = placeOf(await server.read('work.remote.ts'), 'new RangeError')
  expect(moved).not.toBe(place)
  expect(await stackNow()).toContain(`work.remote.ts:${moved}`)

  // Other exports: the page has to know, and since it accepts no update it begins anew.
  await server.replace(
    'work.remote.ts',
    'export const fail = remote(() => {',
    'export const fail = remote((_ = 1) => {',
  )
  await page.waitForFunction(() => !('hotGate' in window) && 'hotTest' in window)
  expect(await versionNow()).toBe('two!')
})
