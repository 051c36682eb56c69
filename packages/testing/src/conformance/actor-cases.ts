import type { ActorHandle, ObjectRef } from '@shoal/core-worker'
import { ActorDiedError, TaskError } from '@shoal/protocol'
import { GateState, newGate } from './case.ts'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

declare const simCrash: () => never

/** Remembers its calls. Its code ships: it stands alone. */
class Diary {
  readonly #entries: number[] = []
  write(entry: number): number {
    return this.#entries.push(entry)
  }
  read(): number[] {
    return this.#entries
  }
}

/** Actors, as far as Ray's cases 73 to 92 and 115 meet what is built of them. */
export function actorCases(it: DefineCase): void {
  it('[SA1] calls through one handle run in their order, whenever their arguments arrive (Ray 73)', async (page) => {
    const { actor, get, remote } = page.api
    const diary = actor(Diary).remote()
    const late = remote({}, async (_, value: number, ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return value
    })
    const calls = Array.from({ length: 30 }, (_, i) => diary.write.remote(late.remote(i, (i * 37) % 50)))
    equals(
      await get(calls),
      Array.from({ length: 30 }, (_, i) => i + 1),
    )
    equals(
      await get(diary.read.remote()),
      Array.from({ length: 30 }, (_, i) => i),
    )
  })

  it('[SA2] a call that waits for its argument holds up no other caller (Ray 74)', async (page) => {
    const { actor, get, remote, wait } = page.api
    const gate = newGate(page)
    const diary = actor(Diary).remote()
    const held = diary.write.remote(gate.behind(1))
    const other = remote({}, async ({ get }, diary: ActorHandle<Diary>) => get(diary.write.remote(2)))
    equals(await get(other.remote(diary)), 1)
    equals(await wait([held], { timeoutMs: 0 }), [[], [held]])
    await gate.open()
    equals(await get(held), 2)
    equals(await get(diary.read.remote()), [2, 1])
  })

  it('[SA3] what a constructor throws comes with every call (Ray 88)', async ({ api: { actor, get } }) => {
    class Broken {
      constructor(word: string) {
        throw new RangeError(word)
      }
      ping(): number {
        return 1
      }
    }
    const broken = actor(Broken).remote('oops')
    for (const ref of [broken.ping.remote(), broken.ping.remote()])
      matches((await rejection(get(ref), ActorDiedError)).message, /oops/)
  })

  it('[SA4] a wrong number of arguments throws at the call (Ray 89)', async ({ api: { actor, get } }) => {
    class One {
      readonly start: number
      constructor(start: number) {
        this.start = start
      }
      add(n: number): number {
        return this.start + n
      }
    }
    const Class = actor(One)
    thrown(() => (Class.remote as () => unknown)(), TypeError)
    thrown(() => (Class.remote as (...args: number[]) => unknown)(1, 2), TypeError)
    const one = Class.remote(1)
    thrown(() => (one.add.remote as () => unknown)(), TypeError)
    thrown(() => (one.add.remote as (...args: number[]) => unknown)(1, 2), TypeError)
    isTrue(!('nope' in one) && !('then' in one), 'a handle has the methods of its class and nothing else')
    equals(await get(one.add.remote(2)), 3)
  })

  it('[SA5] a handle in a task, in an object and at home is one actor (Ray 91)', async (page) => {
    const { actor, get, put, remote } = page.api
    const diary = actor(Diary).remote()
    const write = remote({}, async ({ get }, diary: ActorHandle<Diary>) => get(diary.write.remote(0)))
    equals(await get(write.remote(diary)), 1)
    equals(await get((await get(put({ diary }))).diary.write.remote(0)), 2)
    equals(await get(diary.write.remote(0)), 3)
  })

  it('[SA6] eleven callers with a hundred calls each keep their orders (Ray 92)', async ({ api }) => {
    const { actor, get, remote } = api
    const diary = actor(Diary).remote()
    const writes = remote({}, async ({ get }, diary: ActorHandle<Diary>, caller: number) => {
      await get(Array.from({ length: 100 }, (_, i) => diary.write.remote(caller * 1_000 + i)))
    })
    await get(Array.from({ length: 11 }, (_, caller) => writes.remote(diary, caller)))
    const entries = await get(diary.read.remote())
    equals(entries.length, 1_100)
    for (let caller = 0; caller < 11; caller++)
      equals(
        entries.filter((entry) => Math.floor(entry / 1_000) === caller),
        Array.from({ length: 100 }, (_, i) => caller * 1_000 + i),
      )
  })

  it('[SA7] a call of an actor that nobody keeps a handle of still returns (Ray 83)', async ({
    api: { actor, get },
  }) => {
    equals(await get(actor(GateState).remote().look.remote()), false)
  })

  it(
    '[SA8] what a method throws is a TaskError, and the actor lives on',
    async ({ api: { actor, get } }) => {
      class Picky {
        take(n: number): number {
          if (n < 0) throw new RangeError('negative')
          return n
        }
      }
      const picky = actor(Picky).remote()
      const bad = picky.take.remote(-1)
      matches((await rejection(get(bad), TaskError)).message, /Picky\.take.*negative/)
      equals(await get(picky.take.remote(1)), 1)
    },
    { isSimulatedOnly: true },
  )

  it(
    '[SA9] when an actor’s worker ends, its calls and those that wait for them fail (Ray 115)',
    async ({ api: { actor, get, remote } }) => {
      class Fragile {
        ping(): number {
          return 1
        }
        crash(): number {
          return simCrash()
        }
      }
      const fragile = actor(Fragile).remote()
      equals(await get(fragile.ping.remote()), 1)
      const last = fragile.crash.remote()
      const queued: ObjectRef<number>[] = Array.from({ length: 20 }, () => fragile.ping.remote())
      const uses = remote((n: number) => n).remote(last)
      for (const ref of [last, ...queued, fragile.ping.remote()]) await rejection(get(ref), ActorDiedError)
      await rejection(get(uses), ActorDiedError)
      await rejection(get(fragile.ping.remote()), ActorDiedError)
    },
    { crashes: true },
  )
}
