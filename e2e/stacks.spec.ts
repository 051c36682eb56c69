import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { placeOf } from './support/dev-server.ts'
import { expect, test } from './support/room-test.ts'

// The page of the tests is built as an app would be: bundled, minified, with a source map.
test('a remote stack names the line of the file that failed, in every cause, and no file of ours', async ({
  newTab,
}) => {
  const { page, lines } = await newTab()
  const source = await readFile(join(import.meta.dirname, 'page/work.remote.ts'), 'utf8')
  const stacks = await page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const stacksOf = async (failing: Promise<unknown>): Promise<string[]> => {
      const stacks: string[] = []
      const thrown = await failing.then(
        () => undefined,
        (error: unknown) => error,
      )
      for (let error = thrown; error instanceof Error; error = error.cause) stacks.push(error.stack ?? '')
      return stacks
    }
    const scale = sdk.remote((x: number) => {
      if (x > 1) throw new RangeError('too large')
      return x
    })
    const complain = sdk.remote(() => console.error(new Error('told and not thrown')))
    await sdk.get(complain.remote())
    const counter = work.Counter.remote(0)
    return {
      task: await stacksOf(sdk.get(work.fail.remote('no'))),
      method: await stacksOf(sdk.get(counter.fail.remote())),
      inline: await stacksOf(sdk.get(scale.remote(2))),
    }
  })
  const framesOf = (list: readonly string[]): string[] =>
    list.flatMap((stack) => stack.split('\n').filter((line) => line.startsWith('    at ')))
  const line = (part: string): RegExp => new RegExp(`work\\.remote\\.ts:${placeOf(source, part)}\\)?$`)
  // The minifier writes `RangeError()` for `new RangeError()`.
  expect(stacks.task).toHaveLength(2)
  expect(framesOf(stacks.task)).toEqual([
    expect.stringMatching(line('RangeError(text')),
    expect.stringMatching(line('RangeError(text')),
  ])
  expect(framesOf(stacks.method)).toEqual([
    expect.stringMatching(line(`TypeError('the counter`)),
    expect.stringMatching(line(`TypeError('the counter`)),
  ])
  expect(framesOf(stacks.inline).length).toBeGreaterThan(0)
  for (const frame of framesOf(stacks.inline)) expect(frame).toMatch(/line 2 of its text, remote\(\) called at /)
  const told = (): string => lines.map(({ text }) => text).find((text) => text.includes('told and not thrown')) ?? ''
  await expect.poll(told).toMatch(/^\(.*\) Error: told and not thrown\n {4}at .*of its text, remote\(\) called/)
  expect(told().split('\n')).toHaveLength(2)
})
