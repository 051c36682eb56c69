// Long because each case of Ray's own tests of streams stands here beside ours.
import type { ActorHandle, ObjectRef, ObjectRefGenerator, RemoteFunction } from '@shoal/core-worker'
import { GetTimeoutError, SerializationError, TaskCancelledError, TaskError } from '@shoal/protocol'
import { newGate, TallyState } from './case.ts'
import type { DefineCase, GateState, Page } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

declare const simCrash: () => never

type Tally = ActorHandle<TallyState>

/** Yields 0 to n - 1. */
function counter({ api: { remote } }: Page): RemoteFunction<[n: number], Generator<number, void, undefined>> {
  return remote(function* count(n: number) {
    for (let i = 0; i < n; i++) yield i
  })
}

/** Counts in the tally how many values it has yielded. */
function tallied({ api: { remote } }: Page): RemoteFunction<[Tally, number], AsyncGenerator<number, void, undefined>> {
  return remote(
    {},
    async function* ({ get }, tally: Tally, n: number) {
      for (let i = 0; i < n; i++) {
        await get(tally.add.remote('yields'))
        yield i
      }
    },
    { name: 'tallied' },
  )
}

async function values<T>({ api: { get } }: Page, stream: ObjectRefGenerator<T>): Promise<T[]> {
  const found: T[] = []
  for await (const ref of stream) found.push(await get(ref))
  return found
}

async function until(page: Page, tally: Tally, name: string, count: number): Promise<void> {
  while ((await page.api.get(tally.read.remote(name))) < count) await page.pause(5)
}

async function nextRef<T>(stream: ObjectRefGenerator<T>): Promise<ObjectRef<T>> {
  const { done, value } = await stream.next()
  if (done === true) throw new Error('the stream is at its end')
  return value
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index)

/** Streams of remote generators: `docs/from-ray.md` has Ray's numbers of the cases. */
export function streamCases(it: DefineCase): void {
  it('[SG1] a generator gives its values in order, and then the end for ever (Ray 58)', async (page) => {
    const { remote } = page.api
    equals(await values(page, counter(page).remote(5)), upTo(5))
    const later = remote(async function* (n: number) {
      for (let i = 0; i < n; i++) yield await Promise.resolve(`item ${i}`)
    })
    const stream = later.remote(2)
    equals(await values(page, stream), ['item 0', 'item 1'])
    equals(await stream.next(), { done: true, value: undefined })
    equals(await stream.next(), { done: true, value: undefined })
    equals(await values(page, counter(page).remote(0)), [])
    equals(await values(page, counter(page).options({ name: 'named' }).remote(1)), [0])
  })

  it('[SG1] more items than are asked for at a time', async (page) => {
    equals(await values(page, counter(page).remote(1_500)), upTo(1_500))
  })

  it('[SG1] several items are asked for at a time', async (page) => {
    const stream = counter(page).remote(3)
    const all = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()])
    equals(
      all.map(({ done }) => done),
      [false, false, false, true],
    )
    equals(await page.api.get(all.flatMap(({ value }) => value ?? [])), [0, 1, 2])
  })

  it(
    '[SG2] an item exists while the generator runs, for other tasks too',
    async (page) => {
      const { remote, get } = page.api
      const gate = newGate(page)
      const patient = remote({}, async function* ({ get }, gate: ActorHandle<GateState>) {
        yield 20
        while (!(await get(gate.look.remote()))) await new Promise((resolve) => setTimeout(resolve, 20))
        yield 21
      })
      const stream = patient.remote(gate.handle)
      const first = await nextRef(stream)
      equals(await get(first), 20)
      equals(await get(remote((n: number) => n + 1).remote(first)), 21)
      await rejection(stream.next({ timeoutMs: 50 }), GetTimeoutError)
      await gate.open()
      equals(await get(await nextRef(stream)), 21)
      equals((await stream.next()).done, true)
    },
    { slots: 2 },
  )

  it('[SG2] large values, refs inside of values, and refs that are yielded', async (page) => {
    const { remote, get, put } = page.api
    const large = remote(function* (n: number) {
      for (let i = 0; i < n; i++) yield new Uint8Array(150_000).fill(i + 1)
    })
    const sizes: number[] = []
    for await (using ref of large.remote(3) as AsyncIterable<ObjectRef<Uint8Array>>) {
      const bytes = await get(ref)
      sizes.push(bytes.length * (bytes[149_999] ?? 0))
    }
    equals(sizes, [150_000, 300_000, 450_000])
    const refs = remote({}, function* ({ put }, given: readonly ObjectRef<string>[]) {
      yield { inside: put('new') }
      yield { inside: given[0] }
    })
    const given = put('given')
    const found: string[] = []
    for await (const ref of refs.remote([given])) {
      const { inside } = (await get(ref)) as { inside: ObjectRef<string> }
      found.push(await get(inside))
    }
    equals(found, ['new', 'given'])
  })

  it('[SG3] after an error comes its ref, and then the end (Ray 58)', async (page) => {
    const { remote, get } = page.api
    const failing = remote(function* failing(n: number) {
      for (let i = 0; i < n; i++) yield i
      throw new RangeError('three')
    })
    const stream = failing.remote(2)
    const completed = stream.completed()
    equals(await get([await nextRef(stream), await nextRef(stream)]), [0, 1])
    const error = await rejection(get(await nextRef(stream)), TaskError)
    matches(error.message, /three/)
    equals((await stream.next()).done, true)
    equals((await stream.next()).done, true)
    matches((await rejection(get(completed), TaskError)).message, /three/)
    const never = remote(function* (): Generator<unknown, void, undefined> {
      yield () => 1
    })
    await rejection(get(await nextRef(never.remote())), SerializationError)
  })

  it('[SG3] completed() resolves when the task is done, and says why it is not', async (page) => {
    const { remote, get } = page.api
    const stream = counter(page).remote(2)
    equals(await get(stream.completed()), undefined)
    equals(await values(page, stream), [0, 1])
    const read = counter(page).remote(1)
    equals(await values(page, read), [0])
    equals(await get(read.completed()), undefined)
    const failing = remote(function* (isBad: boolean) {
      if (isBad) throw new RangeError('at once')
      yield 1
    }).remote(true)
    await rejection(get(await nextRef(failing)), TaskError)
    equals((await failing.next()).done, true)
    matches((await rejection(get(failing.completed()), TaskError)).message, /at once/)
  })

  it('[SG4] leaving the loop cancels the generator', async (page) => {
    const { actor, get } = page.api
    const tally: Tally = actor(TallyState).remote()
    const endless = page.api.remote({}, async function* ({ get }, tally: Tally) {
      for (let i = 0; ; i++) {
        await get(tally.add.remote('yields'))
        yield i
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    const found: number[] = []
    for await (const ref of endless.remote(tally)) {
      found.push(await get(ref))
      if (found.length === 3) break
    }
    equals(found, [0, 1, 2])
    // It yields no more, soon: two counts that are alike with time between them.
    let before = -1
    for (
      let now = await get(tally.read.remote('yields'));
      now !== before;
      now = await get(tally.read.remote('yields'))
    ) {
      before = now
      await page.pause(100)
    }
  })

  it('[SG4] return(), release() and using end it; what was not taken is freed', async (page) => {
    const { remote, get } = page.api
    const endless = remote(
      function* endless() {
        for (let i = 0; ; i++) yield i
      },
      { generatorBackpressureNumObjects: 10 },
    )
    const stream = endless.remote()
    const first = await nextRef(stream)
    equals(await stream.return(), { done: true, value: undefined })
    equals((await stream.next()).done, true)
    equals(await get(first), 0)
    {
      using other = endless.remote()
      equals(await get(await nextRef(other)), 0)
    }
    const third = endless.remote()
    third.release()
    third.release()
    equals((await third.next()).done, true)
    thrown(() => third.completed(), Error)
  })

  it('[SG4] cancel() of a stream: a ref that throws, and the end (Ray 56)', async (page) => {
    const { remote, get, cancel } = page.api
    const patient = remote({}, async function* patient({ context }) {
      const { signal } = context()
      yield 0
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })
    const stream = patient.remote()
    equals(await get(await nextRef(stream)), 0)
    cancel(stream)
    matches((await rejection(get(await nextRef(stream)), TaskCancelledError)).message, /was cancelled/)
    equals((await stream.next()).done, true)
  })

  it(
    '[SG5] a generator runs at most so many items ahead of who takes them (Ray 71)',
    async (page) => {
      const { actor, get } = page.api
      const tally: Tally = actor(TallyState).remote()
      const stream = tallied(page).options({ generatorBackpressureNumObjects: 2 }).remote(tally, 10)
      await until(page, tally, 'yields', 2)
      await page.pause(100)
      // It has begun to make the third at most when it pauses at the second's yield.
      equals(await get(tally.read.remote('yields')), 2)
      const found: number[] = []
      for await (const ref of stream) {
        found.push(await get(ref))
        isTrue((await get(tally.read.remote('yields'))) <= found.length + 2, 'no more than two ahead')
      }
      equals(found, upTo(10))
    },
    { slots: 2 },
  )

  it('[SG5] one that is too far ahead gives its slot to others', async (page) => {
    const { remote, get } = page.api
    const double = remote((n: number) => 2 * n)
    const found: number[] = []
    for await (const ref of counter(page).options({ generatorBackpressureNumObjects: 1 }).remote(4))
      found.push(await get(double.remote(ref)))
    equals(found, [0, 2, 4, 6])
  })

  it('[SG5] leaving one that waits ends it', async (page) => {
    const { get } = page.api
    const stream = counter(page).options({ generatorBackpressureNumObjects: 1 }).remote(100)
    equals(await get(await nextRef(stream)), 0)
    await stream.return()
    // Its slot is free for others.
    equals(await values(page, counter(page).remote(2)), [0, 1])
  })

  it(
    '[SG6] wait takes a stream as ready when there is an item, or the end (Ray 68)',
    async (page) => {
      const { remote, wait, get } = page.api
      const gate = newGate(page)
      const patient = remote({}, async function* ({ get }, gate: ActorHandle<GateState>) {
        while (!(await get(gate.look.remote()))) await new Promise((resolve) => setTimeout(resolve, 20))
        yield 1
      })
      const closed = patient.remote(gate.handle)
      const open = counter(page).remote(1)
      const [ready, rest] = await wait([closed, open])
      equals([ready.length, ready[0] === open, rest[0] === closed], [1, true, true])
      equals((await wait([closed], { timeoutMs: 0 }))[0].length, 0)
      equals(await values(page, open), [0])
      equals((await wait([open]))[0].length, 1)
      const ref = remote(() => 3).remote()
      const mixed = await wait([closed, ref])
      equals(mixed[0][0] === ref, true)
      await gate.open()
      equals((await wait([closed, ref], { numReturns: 2 }))[0].length, 2)
      equals(await values(page, closed), [1])
      equals(await get(ref), 3)
      await rejection(wait([open, open]), RangeError)
    },
    { slots: 3 },
  )

  it('[SG7] a stream cannot be passed on, and its refs can', async (page) => {
    const { remote, get, put } = page.api
    const stream = counter(page).remote(2)
    const look = remote((value: unknown) => typeof value)
    for (const pass of [() => look.remote(stream), () => look.remote([stream]), () => put({ stream })])
      matches(thrown(pass, Error).message, /stream \(ObjectRefGenerator\) cannot be passed on/)
    const inside = remote({}, ({ get }, refs: readonly ObjectRef<number>[]) => get(refs))
    const refs = [await nextRef(stream), await nextRef(stream)]
    equals(await get(inside.remote(refs)), [0, 1])
    matches((await rejection(get(stream as never), TypeError)).message, /takes an ObjectRef/)
  })

  it('[SG8] options that make no sense for a stream are refused', async (page) => {
    const { remote } = page.api
    const count = counter(page)
    matches(thrown(() => count.options({ numReturns: 2 }), TypeError).message, /numReturns is not for generators/)
    for (const bad of [0, -1, 1.5])
      matches(
        thrown(() => count.options({ generatorBackpressureNumObjects: bad }), RangeError).message,
        /generatorBackpressureNumObjects must be a whole number from 1/,
      )
    const plain = remote(() => 1)
    matches(thrown(() => plain.options({ generatorBackpressureNumObjects: 1 }), TypeError).message, /is for generators/)
    return Promise.resolve()
  })

  it('[SG9] generator methods of actors, in order with its other calls (Ray 62)', async (page) => {
    const { actor, get } = page.api
    class Game {
      count = 0;
      *moves(n: number): Generator<number, void, undefined> {
        for (let i = 0; i < n; i++) yield this.count++
      }
      async *later(n: number): AsyncGenerator<number, void, undefined> {
        for (let i = 0; i < n; i++) {
          await new Promise((resolve) => setTimeout(resolve, 1))
          yield this.count++
        }
      }
      total(): number {
        return this.count
      }
    }
    const game = actor(Game).remote()
    const first = game.moves.remote(3)
    const second = game.later.remote(3)
    const total = game.total.remote()
    equals(await get(total), 6)
    equals(await values(page, first), [0, 1, 2])
    equals(await values(page, second), [3, 4, 5])
    const limited = game.moves.options({ generatorBackpressureNumObjects: 1 }).remote(4)
    equals(await values(page, limited), [6, 7, 8, 9])
    const left = game.later.options({ generatorBackpressureNumObjects: 1 }).remote(1_000)
    equals(await get(await nextRef(left)), 10)
    await left.return()
    isTrue((await get(game.total.remote())) < 20, 'it was left')
  })

  it('[SG9] kill of an actor in the middle of a stream (Ray 59)', async (page) => {
    const { actor, get, kill } = page.api
    class Slow {
      async *forever(): AsyncGenerator<number, void, undefined> {
        yield 0
        await new Promise(() => undefined)
      }
    }
    const slow = actor(Slow).remote()
    const stream = slow.forever.remote()
    equals(await get(await nextRef(stream)), 0)
    kill(slow)
    await rejection(get(await nextRef(stream)), Error)
    for (let i = 0; i < 10; i++) equals((await stream.next()).done, true)
  })

  it(
    '[SG10] a generator that was lost with its worker goes on where its reader is',
    async (page) => {
      const { remote, actor } = page.api
      const tally: Tally = actor(TallyState).remote()
      const lost = remote(
        {},
        async function* ({ get }, tally: Tally, n: number) {
          const run = await get(tally.add.remote('runs'))
          for (let i = 0; i < n; i++) {
            if (i === 4 && run === 1) {
              // What was yielded is told first.
              await new Promise((resolve) => setTimeout(resolve, 50))
              simCrash()
            }
            yield i
          }
        },
        { maxRetries: 1 },
      )
      equals(await values(page, lost.remote(tally, 8)), upTo(8))
      equals(await page.api.get(tally.read.remote('runs')), 2)
    },
    { crashes: true },
  )

  it('[SG10] retryExceptions: a generator that throws is run again', async (page) => {
    const { remote, actor } = page.api
    const tally: Tally = actor(TallyState).remote()
    const flaky = remote(
      {},
      async function* ({ get }, tally: Tally) {
        yield 0
        yield 1
        if ((await get(tally.add.remote('runs'))) === 1) throw new RangeError('once')
        yield 2
      },
      { retryExceptions: [RangeError] },
    )
    equals(await values(page, flaky.remote(tally)), [0, 1, 2])
  })

  it('[SG11] a stream inside of a task: it gives its slot back while it waits', async (page) => {
    const { remote, get } = page.api
    const count = counter(page).options({ generatorBackpressureNumObjects: 10 })
    const sum = remote({ count }, async ({ count, get }, n: number) => {
      let total = 0
      for await (const ref of count.remote(n)) total += await get(ref)
      return total
    })
    equals(await get(sum.remote(10)), 45)
    const first = remote({ count }, async ({ count, get }) => {
      for await (const ref of count.remote(1_000_000)) return get(ref)
      return undefined
    })
    equals(await get(first.remote()), 0)
  })
}
