// Long because each case of Ray's own tests of cancel stands here beside ours.
import type { ActorHandle, ObjectRef, RemoteFunction } from '@shoal/core-worker'
import { TaskCancelledError, TaskError, WorkerCrashedError } from '@shoal/protocol'
import { newGate, TallyState } from './case.ts'
import type { DefineCase, GateState, Page } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

declare const simCrash: () => never

type Tally = ActorHandle<TallyState>

function newTally({ api }: Page): Tally {
  return api.actor(TallyState).remote()
}

async function until({ api: { get }, pause }: Page, tally: Tally, name: string, count = 1): Promise<void> {
  while ((await get(tally.read.remote(name))) < count) await pause(5)
}

/** Says that it has started, and ends when it is cancelled, by what its signal says, and by nothing else. */
function patientTask({ api: { remote } }: Page): RemoteFunction<[Tally, string], never> {
  return remote(
    {},
    async ({ context, get }, tally: Tally, name: string): Promise<never> => {
      const { signal } = context()
      await get(tally.add.remote(name))
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    },
    { name: 'patient' },
  )
}

/** Says that it has started and hears of nothing. */
function deafTask({ api: { remote } }: Page): RemoteFunction<[Tally, string, number], string> {
  return remote(
    {},
    async ({ get }, tally: Tally, name: string, ms: number) => {
      await get(tally.add.remote(name))
      await new Promise((resolve) => setTimeout(resolve, ms))
      return 'heard nothing'
    },
    { name: 'deaf' },
  )
}

/** A ref that was made before its tab had an id says so instead. */
function numberOf(id: string | undefined): string | undefined {
  return id?.split('/')[1]
}

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}

/** `cancel` in every state that a task can be in. */
export function cancelCases(it: DefineCase): void {
  it('[SX1] what waits for its arguments never runs, and all that depends on it fails (Ray 40)', async (page) => {
    const { remote, get, cancel } = page.api
    const gate = newGate(page)
    const next = remote((value: number) => value + 1)
    const first = gate.behind(1)
    const second = next.remote(first)
    const third = next.remote(second)
    const fourth = next.remote(third)
    equals(cancel(first), undefined)
    for (const ref of [first, second, third, fourth]) await rejection(get(ref), TaskCancelledError)
    matches((await rejection(get(fourth), TaskError)).message, /argument 0 of .*behind.* was cancelled/)
  })

  it('[SX1] what does not depend on it goes on (Ray 41, 44)', async (page) => {
    const { remote, get, cancel } = page.api
    const gate = newGate(page)
    const next = remote((value: number) => value + 1, { name: 'next' })
    const add = remote((a: number, b: number) => a + b)
    const first = gate.behind(1)
    const second = next.remote(first)
    const third = next.remote(second)
    const [sum, other] = [add.remote(third, second), add.remote(first, second)]
    cancel(third)
    const error = await rejection(get(third), TaskCancelledError)
    equals(
      [error.code, error.details.taskName, numberOf(error.details.taskId)],
      ['task-cancelled', 'next', numberOf(third.id)],
    )
    matches(error.message, /the task next \(.*\) was cancelled/)
    await rejection(get(sum), TaskCancelledError)
    await gate.open()
    equals(await get([first, second, other]), [1, 2, 3])
  })

  it('[SX1] what is queued never runs, and what is queued beside it does (Ray 43)', async (page) => {
    const { get, cancel } = page.api
    const tally = newTally(page)
    const gate = newGate(page)
    const deaf = deafTask(page)
    const blockers = Array.from({ length: 6 }, (_, n) => gate.behind(n))
    const mark = page.api.remote({}, async ({ get }, tally: Tally, name: string, _: number) =>
      get(tally.add.remote(name)),
    )
    const queued = blockers.map((blocker, n) => mark.remote(tally, n % 2 === 0 ? 'cancelled' : 'kept', blocker))
    const crowd = Array.from({ length: 20 }, () => deaf.remote(tally, 'crowd', 1))
    queued.forEach((ref, n) => n % 2 === 0 && cancel(ref))
    crowd.forEach((ref, n) => n % 2 === 0 && cancel(ref))
    await gate.open()
    for (let n = 0; n < queued.length; n++) {
      if (n % 2 === 0) await rejection(get(queued[n] as ObjectRef<number>), TaskCancelledError)
      else isTrue((await get(queued[n] as ObjectRef<number>)) > 0, 'what was kept ran')
    }
    for (let n = 1; n < crowd.length; n += 2) equals(await get(crowd[n] as ObjectRef<string>), 'heard nothing')
    await page.pause(100)
    equals(await get([tally.read.remote('cancelled'), tally.read.remote('kept')]), [0, 3])
  })

  it('[SX2] a task that runs ends by its signal, whose reason comes out of get', async (page) => {
    const { get, cancel } = page.api
    const tally = newTally(page)
    const ref = patientTask(page).remote(tally, 'started')
    await until(page, tally, 'started')
    cancel(ref)
    cancel(ref)
    const error = await rejection(get(ref), TaskCancelledError)
    equals([error.name, error.details.taskName], ['TaskCancelledError', 'patient'])
    equals(error instanceof TaskError, false)
  })

  it('[SX2] whatever it throws then is its cancellation, and a value that it returns stands', async (page) => {
    const { remote, get, cancel } = page.api
    const tally = newTally(page)
    const end = remote({}, async ({ context, get }, tally: Tally, isThrown: boolean) => {
      const { signal } = context()
      const before = context().isCancelled
      await get(tally.add.remote('started'))
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      if (isThrown) throw new RangeError('of its own')
      return [before, signal.aborted, context().isCancelled]
    })
    const refs = [end.remote(tally, true), end.remote(tally, false)]
    // On one slot, one after the other.
    await until(page, tally, 'started')
    const [first] = await page.api.wait(refs, { timeoutMs: 0 })
    equals(first, [])
    const [throws, returns] = refs as [ObjectRef<boolean[]>, ObjectRef<boolean[]>]
    for (const [ref, count] of [
      [throws, 1],
      [returns, 2],
    ] as const) {
      await until(page, tally, 'started', count)
      cancel(ref)
      await page.api.wait([ref])
    }
    await rejection(get(throws), TaskCancelledError)
    equals(await get(returns), [false, true, true])
  })

  it('[SX2] a get that it waits in rejects at once, and so does all that it asks for next', async (page) => {
    const { remote, get, cancel, actor } = page.api
    const gate = newGate(page)
    const tally = newTally(page)
    const leaf = remote((n: number) => n)
    class Slow {
      value(): number {
        return 1
      }
    }
    const handle = actor(Slow).remote()
    const seen = remote(
      { leaf },
      async ({ leaf, context, get, wait, put }, tally: Tally, slow: typeof handle, box: [ObjectRef<number>]) => {
        const { signal } = context()
        const here = put('here')
        const uses: (() => unknown)[] = [
          () => get(box[0]),
          () => get(here),
          () => wait(box, { timeoutMs: 0 }),
          () => put(1),
          () => leaf.remote(1),
          () => slow.value.remote(),
        ]
        await get(tally.add.remote('started'))
        return Promise.all(
          uses.map(async (use) => {
            try {
              // The first one is waited in when the cancellation comes.
              if (use !== uses[0]) await new Promise((resolve) => signal.addEventListener('abort', resolve))
              await use()
              return 'nothing'
            } catch (error) {
              return error === signal.reason ? (error as Error).name : String(error)
            }
          }),
        )
      },
    )
    const closed = gate.behind(1)
    const ref = seen.remote(tally, handle, [closed])
    await until(page, tally, 'started')
    await page.pause(50)
    cancel(ref)
    equals(
      await get(ref),
      Array.from({ length: 6 }, () => 'TaskCancelledError'),
    )
    await gate.open()
    equals(await get(closed), 1)
  })

  it('[SX2] one that hears of nothing goes on to its end', async (page) => {
    const { get, cancel } = page.api
    const tally = newTally(page)
    const ref = deafTask(page).remote(tally, 'started', 200)
    await until(page, tally, 'started')
    cancel(ref)
    equals(await get(ref), 'heard nothing')
  })

  it('[SX3] force ends the worker, and others go on in another', async (page) => {
    const { get, cancel, remote } = page.api
    const tally = newTally(page)
    const ref = deafTask(page).remote(tally, 'started', 600_000)
    await until(page, tally, 'started')
    const others = Array.from({ length: 8 }, (_, n) => remote((n: number) => n * n).remote(n))
    cancel(ref, { force: true })
    const error = await rejection(get(ref), WorkerCrashedError)
    matches(error.message, /the worker that ran deaf .* was ended: the task was cancelled with force/)
    equals([error.details.taskName, numberOf(error.details.taskId)], ['deaf', numberOf(ref.id)])
    equals(
      await get(others),
      Array.from({ length: 8 }, (_, n) => n * n),
    )
    await page.pause(200)
    equals(await get(tally.read.remote('started')), 1)
  })

  it('[SX3] force after a first try that was not heard', async (page) => {
    const { get, cancel } = page.api
    const tally = newTally(page)
    const ref = deafTask(page).remote(tally, 'started', 600_000)
    await until(page, tally, 'started')
    cancel(ref)
    await page.pause(50)
    equals((await page.api.wait([ref], { timeoutMs: 0 }))[0], [])
    cancel(ref, { force: true })
    await rejection(get(ref), WorkerCrashedError)
  })

  it('[SX3] force of what has not started is as without', async (page) => {
    const { get, cancel, remote } = page.api
    const gate = newGate(page)
    const closed = gate.behind(1)
    const waiting = remote((n: number) => n).remote(closed)
    cancel(waiting, { force: true })
    await rejection(get(waiting), TaskCancelledError)
    await gate.open()
    equals(await get(closed), 1)
  })

  for (const force of [false, true])
    it(`[SX4] what a task has submitted ends with it, and what that has${force ? ', with force' : ''}`, async (page) => {
      const { remote, get, cancel } = page.api
      const [tally, gate] = [newTally(page), newGate(page)]
      const closed = gate.behind(1)
      type Box = readonly [ObjectRef<number>]
      type Tree = RemoteFunction<[Tree: unknown, tally: Tally, box: Box, depth: number], number>
      const tree = remote({}, async ({ get }, self: unknown, tally: Tally, box: Box, depth: number) => {
        if (depth > 0) for (let n = 0; n < 2; n++) (self as Tree).remote(self, tally, box, depth - 1)
        await get(tally.add.remote('ready'))
        await get(box[0])
        return get(tally.add.remote('went on'))
      })
      const root = tree.remote(tree, tally, [closed], 2)
      await until(page, tally, 'ready', 7)
      cancel(root, { force })
      await rejection(get(root), force ? WorkerCrashedError : TaskCancelledError)
      await page.pause(300)
      await gate.open()
      equals(await get(closed), 1)
      await page.pause(300)
      equals(await get(tally.read.remote('went on')), 0)
    })

  it('[SX4] with recursive: false it goes on', async (page) => {
    const { remote, get, cancel } = page.api
    const [tally, gate] = [newTally(page), newGate(page)]
    const child = remote({}, async ({ get }, tally: Tally, gate: ActorHandle<GateState>) => {
      await get(tally.add.remote('child'))
      while (!(await get(gate.look.remote()))) await new Promise((resolve) => setTimeout(resolve, 20))
      return get(tally.add.remote('done'))
    })
    const parent = remote({ child }, async ({ child, get }, tally: Tally, gate: ActorHandle<GateState>) =>
      get(child.remote(tally, gate)),
    )
    const ref = parent.remote(tally, gate.handle)
    await until(page, tally, 'child')
    cancel(ref, { recursive: false })
    await rejection(get(ref), TaskCancelledError)
    await gate.open()
    await until(page, tally, 'done')
  })

  it('[SX5] nothing happens to what has ended, and to what was put', async (page) => {
    const { remote, get, put, cancel, wait } = page.api
    const square = remote((n: number) => n * n)
    const refs = [1, 2, 3].map((n) => square.remote(n))
    const failed = remote(() => {
      throw new RangeError('as ever')
    }).remote()
    await wait([...refs, failed], { numReturns: 4 })
    const stored = put('stored')
    for (const ref of [...refs, failed, stored]) {
      cancel(ref)
      cancel(ref, { force: true })
    }
    await page.pause(20)
    equals(await get(refs), [1, 4, 9])
    equals(await get(stored), 'stored')
    await rejection(get(failed), RangeError)
  })

  it('[SX5] bad input is refused at the call', ({ api: { cancel, put } }) => {
    const ref = put(1)
    const loose = cancel as (...args: unknown[]) => void
    for (const bad of [undefined, 3, 'ref', {}, [ref]]) thrown(() => loose(bad), TypeError)
    matches(thrown(() => loose(ref, { force: 1 }), TypeError).message, /force/)
    matches(thrown(() => loose(ref, { recursive: 'no' }), TypeError).message, /recursive/)
    matches(thrown(() => loose(ref, { soft: true }), TypeError).message, /unknown option soft/)
    matches(thrown(() => loose(ref, true), TypeError).message, /options must be an object/)
    return Promise.resolve()
  })

  it('[SX6] what was cancelled is never run again', async (page) => {
    const { get, cancel } = page.api
    const tally = newTally(page)
    const patient = patientTask(page).options({ maxRetries: 5, retryExceptions: true })
    const ref = patient.remote(tally, 'started')
    await until(page, tally, 'started')
    cancel(ref)
    await rejection(get(ref), TaskCancelledError)
    await page.pause(200)
    equals(await get(tally.read.remote('started')), 1)
  })

  it(
    '[SX6] nor when its worker dies of it',
    async (page) => {
      const { remote, get, cancel } = page.api
      const tally = newTally(page)
      const ref = remote({}, async ({ context, get }, tally: Tally) => {
        const { signal } = context()
        await get(tally.add.remote('started'))
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        simCrash()
      }).remote(tally)
      await until(page, tally, 'started')
      cancel(ref)
      await rejection(get(ref), TaskCancelledError)
      await page.pause(200)
      equals(await get(tally.read.remote('started')), 1)
    },
    { crashes: true },
  )

  it('[SX6] a task of several returns is cancelled in each of them', async (page) => {
    const { remote, get, cancel } = page.api
    const gate = newGate(page)
    const three = remote((n: number) => [n, n, n] as [number, number, number], { numReturns: 3 })
    const held = gate.behind(1)
    const refs = three.remote(held)
    cancel(refs[1])
    for (const ref of refs) await rejection(get(ref), TaskCancelledError)
    await gate.open()
    equals(await get(held), 1)
  })

  it('[SX9] a call of an actor: one that waits never runs, and those behind it go ahead (Ray 52)', async (page) => {
    const { actor, get, cancel } = page.api
    const gate = newGate(page)
    class Diary {
      entries: number[] = []
      write(n: number): number {
        this.entries.push(n)
        return n
      }
      async sleep(): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 300))
      }
      read(): number[] {
        return this.entries
      }
    }
    const diary = actor(Diary).remote()
    const held = gate.behind(1)
    const [waits, behind] = [diary.write.remote(held), diary.write.remote(2)]
    cancel(waits)
    // A bundler may have given the class another name.
    matches((await rejection(get(waits), TaskCancelledError)).message, /\.write /)
    equals(await get(behind), 2)
    const sleep = diary.sleep.remote()
    const queued = [3, 4, 5].map((n) => diary.write.remote(n))
    for (const ref of queued.slice(0, 2)) cancel(ref, { force: true })
    for (const ref of queued.slice(0, 2)) await rejection(get(ref), TaskCancelledError)
    await get(sleep)
    equals(await get(queued[2] as ObjectRef<number>), 5)
    cancel(behind)
    equals(await get(behind), 2)
    equals(await get(diary.read.remote()), [2, 5])
    await gate.open()
    equals(await get(held), 1)
  })

  it('[SX9] a call of an actor that runs: its signal aborts, its children end, and the actor lives on (Ray 50)', async (page) => {
    const { actor, get, cancel, remote, wait } = page.api
    const tally = newTally(page)
    const nap = remote({}, async ({ context, get }, tally: Tally) => {
      await get(tally.add.remote('child'))
      const { signal } = context()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })
    const Boss = actor({ nap }, ({ nap, context, get }) => {
      return class {
        async wait(tally: Tally): Promise<void> {
          const { signal } = context()
          const child = nap.remote(tally)
          await get(tally.add.remote('call'))
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          void child
          signal.throwIfAborted()
        }
        ping(): number {
          return 1
        }
      }
    })
    const boss = Boss.remote()
    const call = boss.wait.remote(tally)
    await until(page, tally, 'child', 1)
    equals(await wait([call], { timeoutMs: 50 }), [[], [call]])
    cancel(call)
    await rejection(get(call), TaskCancelledError)
    equals(await get(boss.ping.remote()), 1)
  })

  it('[SX7] whoever holds the ref may cancel, wherever the task was submitted (Ray 47)', async (page) => {
    const { remote, get, cancel } = page.api
    const [tally, gate] = [newTally(page), newGate(page)]
    const closed = gate.behind(1)
    const inner = remote({}, async ({ get }, tally: Tally, box: readonly [ObjectRef<number>]) => {
      await get(tally.add.remote('inner'))
      return get(box[0])
    })
    const outer = remote(
      { inner },
      ({ inner }, tally: Tally, box: readonly [ObjectRef<number>]) => [inner.remote(tally, box)] as const,
    )
    const [[mine], [theirs]] = await get([outer.remote(tally, [closed]), outer.remote(tally, [closed])])
    await until(page, tally, 'inner', 2)
    cancel(mine)
    await rejection(get(mine), TaskCancelledError)
    const cancels = remote({}, async ({ cancel, get }, [ref]: readonly [ObjectRef]) => {
      cancel(ref)
      return get(ref).catch((error: Error) => error.name)
    })
    equals(await get(cancels.remote([theirs])), 'TaskCancelledError')
    await rejection(get(theirs), TaskCancelledError)
    await gate.open()
    equals(await get(closed), 1)
  })

  it('[SX8] random cancellations of random sleepers leave a value or an error each (Ray 46)', async (page) => {
    const { remote, get, cancel } = page.api
    const chance = random(page.tabs)
    const sleeper = remote(async (ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return ms
    })
    const refs = Array.from({ length: 60 }, (_, n) => sleeper.remote(n % 12))
    const outcomes = refs.map((ref) =>
      get(ref).then(
        (value) => typeof value,
        (error: Error) => error.name,
      ),
    )
    for (let n = 0; n < 40; n++) {
      cancel(refs[Math.floor(chance() * refs.length)] as ObjectRef)
      if (n % 8 === 0) await page.pause(3)
    }
    const allowed = new Set(['number', 'TaskCancelledError'])
    for (const outcome of await Promise.all(outcomes)) isTrue(allowed.has(outcome), `a ${outcome} is expected`)
  })

  it(
    '[SX8] and so do thousands of short ones, some with force (Ray 46)',
    async (page) => {
      const { remote, get, cancel } = page.api
      const chance = random(7)
      const tiny = remote((n: number) => n)
      const refs = Array.from({ length: 3_000 }, (_, n) => tiny.remote(n))
      const outcomes = refs.map((ref) =>
        get(ref).then(
          (value) => typeof value,
          (error: Error) => error.name,
        ),
      )
      for (let n = 0; n < 1_500; n++) {
        cancel(refs[Math.floor(chance() * refs.length)] as ObjectRef, { force: n % 50 === 0 })
        if (n % 100 === 0) await page.pause(1)
      }
      const allowed = new Set(['number', 'TaskCancelledError', 'WorkerCrashedError'])
      for (const outcome of await Promise.all(outcomes)) isTrue(allowed.has(outcome), `a ${outcome} is expected`)
    },
    { isSimulatedOnly: true },
  )
}
