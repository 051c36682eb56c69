import type { ActorHandle } from '@shoal/core-worker'
import { ActorDiedError, ActorError, TaskCancelledError } from '@shoal/protocol'
import type { DefineCase } from './case.ts'
import { newGate } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

/** Its calls of `fetch` and `slowly` end when they are told to. Its code ships: it stands alone. */
class Desk {
  readonly #running: string[] = []
  readonly #most: Record<string, number> = {}
  readonly #ends = new Map<string, () => void>()
  readonly #begun: string[] = []
  async #run(group: string, name: string): Promise<string> {
    this.#begun.push(name)
    this.#running.push(group)
    const now = this.#running.filter((each) => each === group).length
    this.#most[group] = Math.max(now, this.#most[group] ?? 0)
    await new Promise<void>((resolve) => this.#ends.set(name, resolve))
    this.#running.splice(this.#running.indexOf(group), 1)
    return name
  }
  fetch(name: string): Promise<string> {
    return this.#run('io', name)
  }
  compute(name: string): Promise<string> {
    return this.#run('compute', name)
  }
  slowly(name: string): Promise<string> {
    return this.#run('others', name)
  }
  end(...names: string[]): void {
    for (const name of names) this.#ends.get(name)?.()
  }
  look(): { begun: string[]; most: Record<string, number> } {
    return { begun: [...this.#begun], most: { ...this.#most } }
  }
}

const GROUPS = {
  concurrencyGroups: { io: 2, compute: 1, control: 1 },
  methodGroups: { fetch: 'io', compute: 'compute', end: 'control', look: 'control' },
} as const

/** Concurrency groups of actors, as `concurrency_groups` of Ray. */
export function groupCases(it: DefineCase): void {
  it('[SA28] a full group holds up no other, and each keeps its limit', async ({ api: { actor, get } }) => {
    const desk = actor(Desk, GROUPS).remote()
    const names = ['f1', 'f2', 'f3', 'f4']
    const fetched = names.map((name) => desk.fetch.remote(name))
    const computed = ['c1', 'c2'].map((name) => desk.compute.remote(name))
    const slow = ['s1', 's2'].map((name) => desk.slowly.remote(name))
    const begun = async (): Promise<string[]> => (await get(desk.look.remote())).begun.sort()
    equals(await begun(), ['c1', 'f1', 'f2', 's1'])
    await get(desk.end.remote('f2', 'c1'))
    equals(await get([fetched[1] as never, computed[0] as never]), ['f2', 'c1'])
    equals(await begun(), ['c1', 'c2', 'f1', 'f2', 'f3', 's1'])
    await get(desk.end.remote('f1', 's1', 'f3'))
    equals(await get([slow[0] as never, fetched[0] as never, fetched[2] as never]), ['s1', 'f1', 'f3'])
    equals(await begun(), ['c1', 'c2', 'f1', 'f2', 'f3', 'f4', 's1', 's2'])
    await get(desk.end.remote('f4', 'c2', 's2'))
    equals(await get([...fetched, ...computed, ...slow]), [...names, 'c1', 'c2', 's1', 's2'])
    equals((await get(desk.look.remote())).most, { io: 2, compute: 1, others: 1 })
  })

  it('[SA28] a call says which group it is in, whatever its method’s is', async ({ api: { actor, get } }) => {
    const desk = actor(Desk, GROUPS).remote()
    const first = desk.slowly.remote('first')
    const second = desk.slowly.remote('second')
    const third = desk.slowly.options({ concurrencyGroup: 'io' }).remote('third')
    const fourth = desk.fetch.options({ concurrencyGroup: 'compute' }).remote('fourth')
    equals((await get(desk.look.remote())).begun.sort(), ['first', 'fourth', 'third'])
    await get(desk.end.remote('first', 'third', 'fourth'))
    equals(await get([first, third, fourth]), ['first', 'third', 'fourth'])
    await get(desk.look.remote())
    await get(desk.end.remote('second'))
    equals(await get(second), 'second')
  })

  it('[SA28] calls of a group keep their order for each caller, and wait for no argument of another’s', async (page) => {
    const { actor, get, remote } = page.api
    const gate = newGate(page)
    class Diary {
      readonly #entries: string[] = []
      write(entry: string): number {
        return this.#entries.push(entry)
      }
      note(entry: string): number {
        return this.#entries.push(entry)
      }
      read(): string[] {
        return this.#entries
      }
    }
    const diary = actor(Diary, { concurrencyGroups: { notes: 1 }, methodGroups: { note: 'notes' } }).remote()
    const late = diary.write.remote(gate.behind('late') as never)
    const behind = diary.write.remote('behind')
    // Of the same handle, in the other group, from here and from a task.
    equals(await get(diary.note.remote('note 0')), 1)
    const notes = remote({}, async ({ get }, diary: ActorHandle<Diary>) => {
      await get(Array.from({ length: 50 }, (_, n) => diary.note.remote(`their ${n}`)))
    })
    const theirs = notes.remote(diary)
    await get([...Array.from({ length: 50 }, (_, n) => diary.note.remote(`own ${n}`)), theirs as never])
    await gate.open()
    await get([late, behind])
    const entries = await get(diary.read.remote())
    for (const whose of ['own', 'their'])
      equals(
        entries.filter((entry) => entry.startsWith(whose)),
        Array.from({ length: 50 }, (_, n) => `${whose} ${n}`),
      )
    equals(entries.slice(-2), ['late', 'behind'])
  })

  it('[SA28] groups are known by name, in the actor itself, and where its handle comes', async (page) => {
    const { actor, get, getActor, remote } = page.api
    const Self = actor(
      {},
      ({ context, get }) =>
        class {
          own(): number {
            return 1
          }
          async asks(): Promise<number> {
            const self = context().currentActor as unknown as ActorHandle<{ own(): number }>
            // In its own group it would wait for itself.
            return get(self.own.remote())
          }
        },
      { concurrencyGroups: { inner: 1 }, methodGroups: { own: 'inner' }, name: 'with groups' },
    )
    using self = Self.remote()
    equals(await get(self.asks.remote()), 1)
    const named = await getActor<{ own(): number }>('with groups')
    equals(await get(named.own.options({ concurrencyGroup: 'inner' }).remote()), 1)
    thrown(() => named.own.options({ concurrencyGroup: 'outer' }), RangeError)
    const there = remote({}, async ({ get }, handle: ActorHandle<{ own(): number }>) =>
      get(handle.own.options({ concurrencyGroup: 'inner' }).remote()),
    )
    equals(await get(there.remote(self as never)), 1)
  })

  it('[SA28, SX9] a call that waits in a group can be cancelled, and ends with its actor', async ({ api }) => {
    const { actor, cancel, get, kill } = api
    const desk = actor(Desk, GROUPS).remote()
    const [first, second, third] = ['c1', 'c2', 'c3'].map((name) => desk.compute.remote(name))
    if (first === undefined || second === undefined || third === undefined) throw new Error('three calls')
    equals((await get(desk.look.remote())).begun, ['c1'])
    cancel(second)
    await rejection(get(second), TaskCancelledError)
    await get(desk.end.remote('c1'))
    equals(await get(first), 'c1')
    const fourth = desk.compute.remote('c4')
    equals((await get(desk.look.remote())).begun, ['c1', 'c3'])
    kill(desk)
    for (const ref of [third, fourth]) await rejection(get(ref), ActorDiedError)
  })

  it('[SA28, SA10, SA11] what waits in a group when its actor is lost is made again, and limits hold anew', async ({
    api: { actor, get, kill },
    pause,
  }) => {
    const desk = actor(Desk, { ...GROUPS, maxRestarts: 1 }).remote()
    const lost = desk.compute.remote('c1')
    const waits = ['c2', 'c3'].map((name) => desk.compute.remote(name))
    equals((await get(desk.look.remote())).begun, ['c1'])
    kill(desk, { noRestart: false })
    await rejection(get(lost), ActorError)
    // Of another group, so that it may come before what is made again.
    const again = async (count: number): Promise<string[]> => {
      for (;;) {
        const { begun } = await get(desk.look.remote())
        if (begun.length >= count) return begun
        await pause(10)
      }
    }
    equals(await again(1), ['c2'])
    await get(desk.end.remote('c2'))
    equals(await get(waits[0] as never), 'c2')
    equals(await again(2), ['c2', 'c3'])
    await get(desk.end.remote('c3'))
    equals(await get(waits[1] as never), 'c3')
    equals((await get(desk.look.remote())).most, { compute: 1 })
  })

  it('[SA28] groups and methods that there are not, and bad limits, are refused at once', ({ api: { actor } }) => {
    const refused = (options: object, kind: typeof RangeError | typeof TypeError, message: RegExp): void => {
      matches(thrown(() => actor(Desk, options), kind).message, message)
      matches(thrown(() => actor(Desk).options(options), kind).message, message)
    }
    for (const limit of [0, -1, 1.5, 10_001, Infinity])
      refused({ concurrencyGroups: { io: limit } }, RangeError, /concurrencyGroups\.io must be a whole number/)
    refused({ concurrencyGroups: { io: '2' } }, TypeError, /concurrencyGroups\.io must be a number/)
    refused({ concurrencyGroups: ['io'] }, TypeError, /concurrencyGroups must be an object/)
    refused({ concurrencyGroups: { '': 1 } }, RangeError, /concurrencyGroups: a name/)
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`g${n}`, 1]))
    refused({ concurrencyGroups: many }, RangeError, /at most 32/)
    refused(
      { methodGroups: { fetch: 'io' } },
      RangeError,
      /methodGroups\.fetch: there is no group "io"; there are none/,
    )
    refused({ ...GROUPS, methodGroups: { nope: 'io' } }, RangeError, /there is no method nope/)
    refused({ ...GROUPS, methodGroups: { fetch: 2 } }, TypeError, /methodGroups\.fetch must be the name of a group/)
    const handle = actor(Desk, GROUPS).remote()
    const message = thrown(() => handle.fetch.options({ concurrencyGroup: 'gpu' }), RangeError).message
    matches(message, /there is no group "gpu"; there are io, compute, control/)
    thrown(() => handle.fetch.options({ concurrencyGroup: 1 as never }), TypeError)
    isTrue('options' in handle.fetch.options({ concurrencyGroup: 'io' }), 'a group that there is is taken')
    return Promise.resolve()
  })
}
