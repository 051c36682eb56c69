import { afterEach, beforeEach, expect, it } from 'vitest'
import { get } from '../index.ts'
import { Diary, fib, needsProcess } from './fixtures/fib.remote.ts'
import { createTestRoom } from './index.ts'
import type { TestRoom } from './index.ts'

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 2, workers: 2 })
})

afterEach(async () => {
  await room.close()
})

it('a remote module runs as its bundle: imports, recursion and actors, in every tab', async () => {
  expect(await get(fib.remote(12))).toBe(144)
  const diary = Diary.remote()
  expect(await get([diary.write.remote('a'), diary.write.remote('b')])).toEqual([1, 2])
})

it('a remote module finds what a sandbox worker has, and nothing of Node', async () => {
  expect(await get(needsProcess.remote())).toBe('undefined')
})
