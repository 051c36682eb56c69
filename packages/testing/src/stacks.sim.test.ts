import { TaskError } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

it('the stack of a failed task holds the frames of its own code and no frame of ours', async () => {
  const world = new SimWorld({ seed: 1 })
  const tab = await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true, slots: 1 })
  const { remote, get } = tab.api
  const deep = remote(function deep(n: number): number {
    if (n === 0) throw new RangeError('too deep', { cause: new TypeError('inner') })
    return [n].map((k) => k - 1).length
  })
  const parent = remote({ deep }, async ({ deep: inner, get: fetch }) => fetch(inner.remote(0)))
  let failure: unknown
  get(parent.remote()).catch((error: unknown) => (failure = error))
  for (let i = 0; failure === undefined && i < 1000; i++) await world.clock.run(world.clock.now() + 10)
  const frames = (error: unknown): string[] =>
    String((error as Error).stack)
      .split('\n')
      .filter((line) => line.startsWith('    at '))
  expect(failure).toBeInstanceOf(TaskError)
  const errors: unknown[] = []
  for (let at: unknown = failure; at !== undefined; at = (at as Error).cause) errors.push(at)
  expect(errors.length).toBeGreaterThan(2)
  expect(errors.flatMap(frames).length).toBeGreaterThan(1)
  for (const frame of errors.flatMap(frames))
    expect(frame).toMatch(/^ {4}at .*shoal:inline:deep\?[0-9a-f]{8}:2:\d+\)?$/)
})
