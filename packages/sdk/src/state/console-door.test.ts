import { expect, it } from 'vitest'
import { openConsoleDoor } from './console-door.ts'
import type { StateApi } from '@shoal/core-worker'

const session = { listTasks: () => Promise.resolve({ rows: [{ name: 'f' }] }) } as unknown as StateApi

it('[SQ3] is there while the session is', async () => {
  const page: { __shoal__?: StateApi } = {}
  const close = openConsoleDoor(session, page)
  const { listTasks } = page.__shoal__ as StateApi
  expect((await listTasks()).rows).toEqual([{ name: 'f' }])
  close()
  expect('__shoal__' in page).toBe(false)
})

it('[SQ3] neither takes the place of what is there nor takes that away', () => {
  const page: { __shoal__?: unknown } = {}
  const [first, second] = [openConsoleDoor(session, page), openConsoleDoor(session, page)]
  const door = page.__shoal__
  second()
  expect(page.__shoal__).toBe(door)
  page.__shoal__ = 'another copy of the SDK'
  first()
  expect(page.__shoal__).toBe('another copy of the SDK')
})
