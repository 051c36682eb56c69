import type { ObjectRef } from '@shoal/core-worker'
import { GetTimeoutError, TaskError } from '@shoal/protocol'
import { newGate } from './case.ts'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection } from './expectations.ts'

/** get and wait: Ray's cases 20, 22, 32 to 35, 113. */
export function waitCases(it: DefineCase): void {
  it('[SW1] get keeps the order asked for and allows a ref twice (Ray 20)', async (page) => {
    const { get, put } = page.api
    const gate = newGate(page)
    const slow = gate.behind('slow')
    const [a, b] = [put('a'), put('b')]
    const all = get([slow, b, a, slow, b])
    await gate.open()
    equals(await all, ['slow', 'b', 'a', 'slow', 'b'])
    equals(await get([]), [])
    equals(await Promise.all([get(a), get(a), get([a])]), ['a', 'a', ['a']])
  })

  it('[SW2] get fails as soon as one fails, while others never end (Ray 113)', async (page) => {
    const { get, remote, actor } = page.api
    const gate = newGate(page)
    const hanging = gate.behind('late')
    const fails = remote((): number => {
      throw new RangeError('no')
    })
    const error = await rejection(get([hanging, fails.remote()]), TaskError)
    isTrue(error.cause instanceof RangeError, 'its cause is what was thrown')
    class Dead {
      constructor() {
        throw new Error('oops')
      }
      ping(): number {
        return 1
      }
    }
    matches((await rejection(get([hanging, actor(Dead).remote().ping.remote()]), Error)).message, /oops/)
    await gate.open()
    equals(await get(hanging), 'late')
  })

  it('[SW3] get past its timeoutMs rejects with GetTimeoutError, and the task goes on', async (page) => {
    const { get, put } = page.api
    const gate = newGate(page)
    const ref = gate.behind('in the end')
    for (const timeoutMs of [0, 50]) {
      const error = await rejection(get([put(1), ref], { timeoutMs }), GetTimeoutError)
      equals(error.code, 'get-timeout')
      matches(error.message, /1 of 2/)
    }
    const controller = new AbortController()
    const waiting = get(ref, { signal: controller.signal })
    controller.abort(new RangeError('enough'))
    equals((await rejection(waiting, RangeError)).message, 'enough')
    await gate.open()
    equals(await get(ref, { timeoutMs: Infinity }), 'in the end')
    equals(await get(ref, { timeoutMs: 0 }), 'in the end')
  })

  it('[SW4] get refuses what is no ref (Ray 22)', async ({ api: { get, put } }) => {
    const bad: unknown[] = [3, 'x', undefined, null, {}, [put(1), 3], [[put(1)]], new Set([put(1)]), Promise.resolve(1)]
    for (const value of bad) await rejection(get(value as never), TypeError)
    const ref = put(1)
    await rejection(get(ref, { timeoutMs: -1 }), RangeError)
    await rejection(get(ref, { timeoutMs: '1' as never }), TypeError)
    matches((await rejection(get(ref, { timeout: 1 } as never), TypeError)).message, /timeout/)
  })

  it('[SW5] wait with four tasks: (1, 3), then (4, 0) (Ray 32)', async ({ api: { remote, wait } }) => {
    const one = remote(() => 1)
    const refs = Array.from({ length: 4 }, () => one.remote())
    const [ready, rest] = await wait(refs)
    equals([ready.length, rest.length], [1, 3])
    equals(new Set([...ready, ...rest]), new Set(refs))
    equals(await wait(refs, { numReturns: 4 }), [refs, []])
  })

  it('[SW5] wait gives exactly numReturns of more that are ready, both lists in the order given (Ray 34)', async (page) => {
    const { put, wait } = page.api
    const gate = newGate(page)
    const slow = gate.behind(0)
    const refs = [slow, ...Array.from({ length: 10 }, (_, n) => put(n))]
    const [ready, rest] = await wait(refs, { numReturns: 2 })
    equals(
      [ready.map((ref) => refs.indexOf(ref)), rest.map((ref) => refs.indexOf(ref))],
      [
        [1, 2],
        [0, 3, 4, 5, 6, 7, 8, 9, 10],
      ],
    )
    equals((await wait([...refs].reverse(), { numReturns: 10 }))[1], [slow])
    await gate.open()
    equals(await wait(refs, { numReturns: 11 }), [refs, []])
  })

  it('[SW5] wait past its timeoutMs gives fewer and no error', async (page) => {
    const { put, wait } = page.api
    const gate = newGate(page)
    const [slow, here] = [gate.behind(0), put(1)]
    for (const timeoutMs of [0, 50]) {
      equals(await wait([slow, here], { numReturns: 2, timeoutMs }), [[here], [slow]])
      equals(await wait([slow], { timeoutMs }), [[], [slow]])
    }
    await gate.open()
    equals(await wait([slow], { timeoutMs: Infinity }), [[slow], []])
  })

  it('[SW6] a task that failed is ready', async ({ api: { remote, wait, get } }) => {
    const fails = remote((): number => {
      throw new Error('ready all the same')
    })
    const ref = fails.remote()
    equals(await wait([ref]), [[ref], []])
    await rejection(get(ref), TaskError)
  })

  it('[SW7] wait refuses duplicates, a single ref, what is no array of refs, and counts that cannot be (Ray 35)', async (page) => {
    const { put, wait } = page.api
    const [a, b] = [put(1), put(2)]
    for (const refs of [
      [a, a],
      [a, b, a],
    ])
      await rejection(wait(refs), RangeError)
    for (const refs of [a, 3, undefined, new Set([a]), [1, 2], [a, 5]]) await rejection(wait(refs as never), TypeError)
    equals(await wait([]), [[], []])
    for (const numReturns of [0, -1, 3, 1.5, Number.NaN]) await rejection(wait([a, b], { numReturns }), RangeError)
    await rejection(wait([a], { numReturns: '1' as never }), Error)
    await rejection(wait([a], { timeoutMs: -1 }), RangeError)
    await rejection(wait([a], { timeoutMs: Number.NaN }), TypeError)
    matches((await rejection(wait([a], { fetchLocal: true } as never), TypeError)).message, /fetchLocal/)
  })

  it('[SW8] wait in a loop drains a thousand refs, each once', async ({ api: { remote, wait } }) => {
    const one = remote((n: number) => n)
    let rest: ObjectRef<number>[] = Array.from({ length: 1_000 }, (_, n) => one.remote(n))
    const seen = new Set<ObjectRef<number>>()
    while (rest.length > 0) {
      const [ready, others] = await wait(rest)
      equals(ready.length, 1)
      for (const ref of ready) seen.add(ref)
      rest = others
    }
    equals(seen.size, 1_000)
  })
}
