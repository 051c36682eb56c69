import { describe, expect, it } from 'vitest'
import type { ObjectRef, RemoteFunction } from '@shoal/core-worker'
import { at, StoryRoom } from './story-room.ts'

declare const simSleep: (ms: number) => Promise<void>

type Where = RemoteFunction<[], string>

describe('code that came to a tab as a value', () => {
  it('[SF7] goes on from there to a third tab: given by name, in an object, or as an argument', async () => {
    const room = new StoryRoom(1)
    await room.open(['a', 'b'])
    const { remote, get, context } = room.tab('driver').api
    expect(context().taskId).toBeUndefined()
    const onB = remote({}, ({ context }) => context().nodeId, at('b'))
    const byName = remote({ onB }, ({ onB, get }) => get(onB.remote()), at('a'))
    const inside = remote(
      { tools: { list: [onB] } },
      ({ tools, get }) => get(tools.list.map((fn) => fn.remote())),
      at('a'),
    )
    const asArgument = remote({}, ({ get }, fns: Where[]) => get(fns.map((fn) => fn.remote())), at('a'))
    const { node } = room.tab('b').ports
    const another = remote({}, ({ context }) => `${context().nodeId} again`, at('b'))
    expect(await room.settle(get(byName.remote()))).toBe(node)
    expect(await room.settle(get(inside.remote()))).toEqual([node])
    expect(await room.settle(get(asArgument.remote([another])))).toEqual([`${node} again`])
    room.close()
  })

  it('[O1] is in the record of what it makes there, once its ref has left that tab, though it needs no leave to run', async () => {
    const room = new StoryRoom(4)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    // Of CPUs alone: it stays where it was submitted, and nobody is asked.
    const slow = remote({}, async (_: object, ms: number) => {
      await simSleep(ms)
      return 'made'
    })
    const outer = remote({ slow }, ({ slow }) => [slow.remote(20_000)], at('a'))
    const [ref] = await room.settle(get(outer.remote()))
    await room.pass(3_000)
    room.kill('a')
    expect(await room.settle(get(ref as ObjectRef<string>), 60_000)).toBe('made')
    room.close()
  })

  it('[O1] is in that record when the ref arrives, though its leave is asked for only then', async () => {
    for (const seed of [5, 6, 7, 8]) {
      const room = new StoryRoom(seed)
      await room.open(['a', 'b', 'c'])
      const { remote, get } = room.tab('driver').api
      const slow = remote({}, async (_: object, ms: number) => {
        await simSleep(ms)
        return 'made'
      })
      const outer = remote({ slow }, ({ slow }) => [slow.remote(20_000)], at('a'))
      const [ref] = await room.settle(get(outer.remote()))
      room.kill('a')
      expect(await room.settle(get(ref as ObjectRef<string>), 60_000)).toBe('made')
      room.close()
    }
  })

  it('[SF7] is not given leave when a helper made it up itself', async () => {
    const room = new StoryRoom(2)
    await room.open(['a', 'b'])
    const { remote, get } = room.tab('driver').api
    const inventor = remote(
      {},
      async ({ remote, wait, context }) => {
        const made = remote({}, ({ context }) => context().nodeId)
        const home = made.remote()
        const away = made.options({ resources: { b: 1 }, numCpus: 0 }).remote()
        const [ready] = await wait([home, away], { numReturns: 2, timeoutMs: 5_000 })
        return [context().nodeId, ready.length]
      },
      at('a'),
    )
    // At home it runs; nobody else runs it.
    expect(await room.settle(get(inventor.remote()))).toEqual([room.tab('a').ports.node, 1])
    room.close()
  })
})

it('templates that a tab has forgotten are told to it anew', async () => {
  const room = new StoryRoom(3)
  await room.open(['a'])
  const { remote, get } = room.tab('driver').api
  const add = remote((n: number) => n + 1, at('a'))
  const named = Array.from({ length: 600 }, (_, i) => add.options({ name: `add ${i}` }))
  // The most that are taken to be known, twice, and more than that, twice.
  for (const count of [240, 240, 600, 600]) {
    const some = named.slice(0, count)
    const refs = some.map((fn, i) => fn.remote(i))
    expect(await room.settle(get(refs))).toEqual(some.map((_, i) => i + 1))
  }
  room.close()
})
