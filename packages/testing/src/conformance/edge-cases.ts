import type { ObjectRef, RemoteFunction } from '@shoal/core-worker'
import { GetTimeoutError, ShoalError, TaskError } from '@shoal/protocol'
import { newGate } from './case.ts'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection } from './expectations.ts'

declare const simCrash: () => never

/** Where several rules meet: large values, late releases, orphans, waits inside of tasks. */
export function edgeCases(it: DefineCase): void {
  it('[SR1] large values go from task to task without a stop at home', async ({ api: { remote, get, put } }) => {
    const fill = remote((seed: number, length: number) => new Uint8Array(length).fill(seed))
    const join = remote((...parts: Uint8Array[]) => {
      const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
      let at = 0
      for (const part of parts) {
        all.set(part, at)
        at += part.length
      }
      return all
    })
    const sum = remote((bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0))
    const parts = [1, 2, 3].map((seed) => fill.remote(seed, 300_000))
    const joined = join.remote(...parts, put(new Uint8Array(200_000).fill(4)))
    for (const part of parts) part.release()
    const sums = Array.from({ length: 6 }, () => sum.remote(joined))
    equals(
      await get(sums),
      Array.from({ length: 6 }, () => 300_000 * 6 + 800_000),
    )
    equals((await get(joined)).length, 1_100_000)
  })

  it('[SR3] a large object inside of others is fetched by whoever opens it', async ({ api: { remote, get, put } }) => {
    type Box = { readonly inside: ObjectRef<Uint8Array>; readonly name: string }
    const wrap = remote({}, ({ put }, length: number): Box => ({ inside: put(new Uint8Array(length)), name: 'made' }))
    const measure = remote({}, async ({ get }, { inside }: Box) => (await get(inside)).length)
    const made = wrap.remote(400_000)
    equals(await get([measure.remote(made), measure.remote(made)]), [400_000, 400_000])
    equals(await get(measure.remote({ inside: put(new Uint8Array(250_000)), name: 'put' })), 250_000)
    equals((await get((await get(made)).inside)).length, 400_000)
  })

  it('[SR4] a ref that is released while it is fetched still gives its value', async (page) => {
    const { get, put } = page.api
    const gate = newGate(page)
    const [slow, here] = [gate.behind('slow'), put('here')]
    const all = get([slow, here])
    slow.release()
    here.release()
    await gate.open()
    equals(await all, ['slow', 'here'])
    await rejection(get(slow), ShoalError)
  })

  it('[SR5] what a task submitted and never waited for runs all the same', async (page) => {
    const { remote, get, actor } = page.api
    class Bell {
      #rung = 0
      ring(): number {
        return ++this.#rung
      }
      count(): number {
        return this.#rung
      }
    }
    const bell = actor(Bell).remote()
    type BellHandle = typeof bell
    const child = remote({}, async ({ get }, bell: BellHandle) => get(bell.ring.remote()))
    const parent = remote((run: RemoteFunction<[BellHandle], number>, bell: BellHandle) => {
      for (let i = 0; i < 5; i++) run.remote(bell)
      return 'gone on'
    })
    equals(await get(parent.remote(child, bell)), 'gone on')
    for (let count = 0; count < 5; count = await get(bell.count.remote())) await page.pause(20)
  })

  it('[SR5] a child’s ref that is returned outlives its parent', async ({ api: { remote, get }, pause }) => {
    const late = remote({}, async (_, value: string) => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return value
    })
    const parent = remote((child: typeof late) => ({ ref: child.remote('late') }))
    const { ref } = await get(parent.remote(late))
    await pause(50)
    equals(await get(ref), 'late')
  })

  it('[SW3] get with a timeout inside of a task leaves the task and its slot as they were', async (page) => {
    const { remote, get } = page.api
    const gate = newGate(page)
    const slow = gate.behind('slow')
    const polls = remote({}, async ({ get, wait }, box: { readonly ref: ObjectRef<string> }) => {
      const first = await get(box.ref, { timeoutMs: 20 }).catch((error: Error) => error.name)
      const [ready, rest] = await wait([box.ref], { timeoutMs: 20 })
      const controller = new AbortController()
      setTimeout(() => controller.abort(new RangeError('enough')), 20)
      const second = await get(box.ref, { signal: controller.signal }).catch((error: Error) => error.message)
      return [first, ready.length, rest.length, second]
    })
    const results = Array.from({ length: 4 }, () => polls.remote({ ref: slow }))
    for (const result of await get(results)) equals(result, ['GetTimeoutError', 0, 1, 'enough'])
    await gate.open()
    equals(await get(slow), 'slow')
    const one = remote((n: number) => n)
    equals(await get(Array.from({ length: 10 }, (_, n) => one.remote(n))), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('[SW1] many gets of one ref at a time, some of which give up', async (page) => {
    const { get } = page.api
    const gate = newGate(page)
    const ref = gate.behind({ n: 1 })
    const patient = Array.from({ length: 20 }, () => get(ref))
    const hasty = Array.from({ length: 20 }, () => get(ref, { timeoutMs: 10 }))
    for (const one of hasty) await rejection(one, GetTimeoutError)
    await gate.open()
    for (const value of await Promise.all(patient)) equals(value, { n: 1 })
  })

  it('[SW5] wait inside of tasks: who is first goes on first', async ({ api: { remote, get } }) => {
    const nap = remote({}, async (_, ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return ms
    })
    const order = remote(
      {},
      async ({ wait, get }, child: RemoteFunction<[number], number>, times: readonly number[]) => {
        let rest = times.map((ms) => child.remote(ms))
        const seen: number[] = []
        while (rest.length > 0) {
          const [ready, others] = await wait(rest)
          seen.push(...(await get(ready)))
          rest = others
        }
        return seen.sort((a, b) => a - b)
      },
    )
    equals(await get([order.remote(nap, [30, 10, 20]), order.remote(nap, [5, 1])]), [
      [10, 20, 30],
      [1, 5],
    ])
  })

  it('[SE1] an error with refs in it, and one thrown by a task’s task’s task', async ({ api: { remote, get } }) => {
    interface Deep extends RemoteFunction<[self: Deep, depth: number], number> {
      readonly deep?: never
    }
    const deep = remote({}, async ({ get }, self: Deep, depth: number): Promise<number> => {
      if (depth === 0) throw new RangeError('at the bottom')
      return get(self.remote(self, depth - 1))
    }) as Deep
    const error = await rejection(get(deep.remote(deep, 3)), TaskError)
    matches(error.message, /at the bottom/)
    let depth = 0
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) depth++
    equals(depth, 5)
  })

  it('[SE2] a failed task lets go of its arguments, and a task that catches goes on', async ({
    api: { remote, get, put },
  }) => {
    const fails = remote((bytes: Uint8Array): number => {
      throw new Error(`with ${bytes.length} bytes`)
    })
    const catches = remote({}, async ({ get }, child: typeof fails, box: readonly [ObjectRef<Uint8Array>]) => {
      const [ref] = box
      return get(child.remote(ref)).catch((error: Error) => error.message)
    })
    const large = put(new Uint8Array(200_000))
    const messages = await get([catches.remote(fails, [large]), catches.remote(fails, [large])])
    for (const message of messages) matches(message as string, /with 200000 bytes/)
    isTrue(messages.length === 2, 'both came')
  })

  it(
    '[SE7] a run that is repeated gets the same arguments, released refs among them',
    async ({ api: { remote, get, put, actor } }) => {
      class Once {
        #isDone = false
        isFirst(): boolean {
          const isFirst = !this.#isDone
          this.#isDone = true
          return isFirst
        }
      }
      const once = actor(Once).remote()
      const uses = remote(
        {},
        async ({ get }, once: unknown, bytes: Uint8Array, box: { readonly ref: ObjectRef<string> }) => {
          if (await get((once as { isFirst: { remote(): ObjectRef<boolean> } }).isFirst.remote())) simCrash()
          return [bytes.length, await get(box.ref)]
        },
      )
      const [large, small] = [put(new Uint8Array(300_000)), put('small')]
      const result = uses.remote(once, large, { ref: small })
      large.release()
      small.release()
      equals(await get(result), [300_000, 'small'])
    },
    { crashes: true },
  )
}
