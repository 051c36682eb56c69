import { deferred } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { SerialTasks } from './serial-tasks.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('serial tasks', () => {
  it('[TR14] run in order for one key, however long each takes, and side by side for others', async () => {
    const errors: unknown[] = []
    const tasks = new SerialTasks<string>({
      limit: 4,
      keysLimit: 4,
      onError: (key, error) => errors.push([key, error]),
    })
    const gate = deferred<void>()
    const done: string[] = []
    tasks.add('a', async () => {
      await gate.promise
      done.push('a1')
    })
    tasks.add('a', () => Promise.reject(new Error('bad')))
    tasks.add('a', async () => {
      await Promise.resolve()
      done.push('a3')
    })
    tasks.add('b', async () => {
      await Promise.resolve()
      done.push('b1')
    })
    await settled()
    expect(done).toEqual(['b1'])
    gate.resolve()
    await settled()
    expect(done).toEqual(['b1', 'a1', 'a3'])
    expect(errors).toEqual([['a', new Error('bad')]])
  })

  it('[TR14] refuse what is past the bounds, and take again once there is room', async () => {
    const tasks = new SerialTasks<string>({ limit: 2, keysLimit: 1, onError() {} })
    const gate = deferred<void>()
    const add = (key: string): boolean => tasks.add(key, () => gate.promise)
    expect([add('a'), add('a'), add('a'), add('b')]).toEqual([true, true, false, false])
    gate.resolve()
    await settled()
    expect(add('b')).toBe(true)
  })
})
