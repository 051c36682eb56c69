import type { ActorHandle, ObjectRef } from '@shoal/core-worker'
import {
  ActorDiedError,
  ActorError,
  ActorNotFoundError,
  ActorUnavailableError,
  PendingCallsLimitExceededError,
} from '@shoal/protocol'
import { TallyState } from './case.ts'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

declare const simCrash: () => never

/** Its code ships: it stands alone. */
class Sum {
  sum = 0
  add(n: number): number {
    return (this.sum += n)
  }
}

class Counter {
  count = 0
  add(n: number): number {
    return (this.count += n)
  }
  /** Ends its worker, unless it has just begun. */
  crashIfOld(): number {
    return this.count > 0 ? simCrash() : this.count
  }
  crash(): number {
    return simCrash()
  }
}

/** How actors begin again, are found and end, as far as Ray's cases 76 to 112 meet what is built of them. */
export function actorLifeCases(it: DefineCase): void {
  it(
    '[SA10] maxRestarts: it begins again with its constructor, and is dead past that (Ray 100)',
    async ({ api: { actor, get } }) => {
      using counter = actor(Counter, { maxRestarts: 1 }).remote()
      equals(await get([1, 1, 1].map((n) => counter.add.remote(n))), [1, 2, 3])
      await rejection(get(counter.crash.remote()), ActorUnavailableError)
      equals(await get(counter.add.remote(1)), 1)
      await rejection(get(counter.crash.remote()), ActorDiedError)
      await rejection(get(counter.add.remote(1)), ActorDiedError)
    },
    { crashes: true },
  )

  it(
    '[SA11] maxTaskRetries: calls under way are made again, in their order; a method’s own option goes before (Ray 101)',
    async ({ api: { actor, get } }) => {
      using counter = actor(Counter, { maxRestarts: 1, maxTaskRetries: -1 }).remote()
      equals(await get(counter.add.remote(1)), 1)
      const first = counter.crashIfOld.remote()
      const behind = Array.from({ length: 50 }, () => counter.add.remote(1))
      equals(await get(first), 0)
      equals(
        await get(behind),
        Array.from({ length: 50 }, (_, i) => i + 1),
      )
      const once = counter.crash.options({ maxTaskRetries: 0 }).remote()
      await rejection(get(once), ActorDiedError)
      await rejection(get(counter.add.remote(1)), ActorDiedError)
    },
    { crashes: true },
  )

  it('[SA12] retryExceptions of a call, bounded by its retries (Ray 103)', async ({ api: { actor, get } }) => {
    class Flaky {
      runs = 0
      work(failures: number): number {
        if (this.runs++ < failures) throw new RangeError('not yet')
        return this.runs
      }
    }
    using flaky = actor(Flaky).remote()
    const patient = flaky.work.options({ maxTaskRetries: 3, retryExceptions: ['RangeError'] })
    equals(await get(patient.remote(2)), 3)
    using other = actor(Flaky).remote()
    const careful = other.work.options({ maxTaskRetries: 3, retryExceptions: ['TypeError'] })
    await rejection(get(careful.remote(2)), RangeError)
    using third = actor(Flaky).remote()
    await rejection(get(third.work.options({ maxTaskRetries: 1, retryExceptions: true }).remote(5)), RangeError)
    equals(await get(third.work.remote(0)), 3)
  })

  it('[SA13] kill: calls that run or wait fail; with noRestart false it begins again (Ray 94)', async (page) => {
    const { actor, get, kill, wait } = page.api
    class Slow {
      n = 0
      add(): number {
        return ++this.n
      }
      async sleep(): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 60_000))
      }
    }
    using slow = actor(Slow, { maxRestarts: 2 }).remote()
    equals(await get(slow.add.remote()), 1)
    const sleeping = slow.sleep.remote()
    equals(await wait([sleeping], { timeoutMs: 50 }), [[], [sleeping]])
    kill(slow, { noRestart: false })
    await rejection(get(sleeping), ActorUnavailableError)
    equals(await get(slow.add.remote()), 1)
    const [running, queued] = [slow.sleep.remote(), slow.add.remote()]
    equals(await wait([running], { timeoutMs: 50 }), [[], [running]])
    kill(slow)
    for (const ref of [running, queued, slow.add.remote()] as ObjectRef[])
      matches((await rejection(get(ref), ActorDiedError)).message, /kill/)
    kill(slow)
    thrown(() => kill({} as typeof slow), TypeError)
    thrown(() => kill(slow, { noRestart: 1 } as never), TypeError)
    thrown(() => kill(slow, { force: true } as never), TypeError)
  })

  it('[SA14] names: found in any tab, free again after the end, and apart by namespace (Ray 94, 98)', async (page) => {
    const { actor, get, getActor, kill, remote } = page.api
    await rejection(getActor('tally'), ActorNotFoundError)
    const named = actor(TallyState, { name: 'tally' })
    using tally = named.remote()
    equals(await get(tally.add.remote('a')), 1)
    equals(await get((await getActor<TallyState>('tally')).add.remote('a')), 2)
    const elsewhere = remote({}, async ({ get, getActor }) => {
      const found = (await getActor('tally')) as unknown as ActorHandle<TallyState>
      return get(found.add.remote('a'))
    })
    equals(await get(elsewhere.remote()), 3)
    using second = named.remote()
    matches((await rejection(get(second.add.remote('a')), ActorDiedError)).message, /name tally is taken/)
    await rejection(getActor('tally', { namespace: 'other' }), ActorNotFoundError)
    using other = named.options({ namespace: 'other' }).remote()
    equals(await get(other.add.remote('a')), 1)
    equals(await get((await getActor<TallyState>('tally', { namespace: 'other' })).read.remote('a')), 1)
    kill(tally)
    await rejection(get(tally.add.remote('a')), ActorDiedError)
    await rejection(getActor('tally'), ActorNotFoundError)
    using again = named.remote()
    equals(await get(again.add.remote('a')), 1)
    await rejection(getActor(7 as never), TypeError)
    await rejection(getActor(''), RangeError)
    thrown(() => actor(TallyState, { name: '' }), RangeError)
    thrown(() => actor(TallyState, { getIfExists: true }), TypeError)
    thrown(() => actor(TallyState, { lifetime: 'long' as never, name: 'x' }), RangeError)
  })

  it('[SA15] getIfExists: many that ask at once have one actor, made once (Ray 95)', async (page) => {
    const { actor, get, remote } = page.api
    const Tally = actor(TallyState, { name: 'one', getIfExists: true })
    const handles = Array.from({ length: 20 }, () => Tally.remote())
    equals(
      [...(await get(handles.map((handle) => handle.add.remote('calls'))))].sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
    // An alias of another actor's handle travels as that.
    const read = remote({}, async ({ get }, tally: ActorHandle<TallyState>) => get(tally.read.remote('calls')))
    equals(await get(read.remote(handles[7] as ActorHandle<TallyState>)), 20)
    for (const handle of handles) handle[Symbol.dispose]()
  })

  it('[SA16] exitActor: the call fails, what follows in it is not run, and calls behind it fail (Ray 86)', async (page) => {
    const { actor, get, exitActor } = page.api
    thrown(() => exitActor(), TypeError)
    using tally = actor(TallyState).remote()
    const Quitter = actor({}, ({ exitActor, get }) => {
      return class {
        async quit(tally: ActorHandle<TallyState>): Promise<void> {
          await get(tally.add.remote('before'))
          exitActor()
          await get(tally.add.remote('after'))
        }
        async tryTo(): Promise<string> {
          try {
            exitActor()
          } catch {
            return 'caught'
          }
          return Promise.resolve('never')
        }
        ping(): number {
          return 1
        }
      }
    })
    using quitter = Quitter.remote()
    equals(await get(quitter.ping.remote()), 1)
    const calls: ObjectRef[] = [quitter.quit.remote(tally), ...Array.from({ length: 100 }, () => quitter.ping.remote())]
    for (const call of calls) await rejection(get(call), ActorDiedError)
    equals(await get([tally.read.remote('before'), tally.read.remote('after')]), [1, 0])
    using stubborn = Quitter.options({ maxRestarts: 5 }).remote()
    await rejection(get(stubborn.tryTo.remote()), ActorDiedError)
    await rejection(get(stubborn.ping.remote()), ActorDiedError)
  })

  it('[SA17] it ends in good order when its last handle is gone, after the calls that wait (Ray 83, 85)', async (page) => {
    const { actor, get } = page.api
    using tally = actor(TallyState).remote()
    const Keeper = actor({}, ({ context, get }) => {
      return class {
        tally: ActorHandle<TallyState> | undefined
        self: unknown
        async keep(tally: ActorHandle<TallyState>): Promise<void> {
          this.tally = tally
          // A handle of itself keeps nobody alive.
          this.self = context().currentActor
          await get(tally.add.remote('kept'))
        }
        async [Symbol.asyncDispose](): Promise<void> {
          if (this.tally !== undefined) await get(this.tally.add.remote('disposed'))
        }
      }
    })
    const last = ((): ObjectRef<void> => {
      using keeper = Keeper.remote()
      return keeper.keep.remote(tally)
    })()
    await get(last)
    equals(await get(tally.read.remote('kept')), 1)
    const limit = page.now() + 20_000
    while ((await get(tally.read.remote('disposed'))) === 0 && page.now() < limit) await page.pause(20)
    equals(await get(tally.read.remote('disposed')), 1)
  })

  it('[SA18] maxConcurrency: so many calls at a time, and no more (Ray 76, 77)', async ({ api: { actor, get } }) => {
    class Meeting {
      present = 0
      most = 0
      waiting: (() => void)[] = []
      async join(wanted: number): Promise<number> {
        this.most = Math.max(this.most, ++this.present)
        if (this.present >= wanted) for (const go of this.waiting.splice(0)) go()
        else await new Promise<void>((resolve) => this.waiting.push(resolve))
        this.present--
        return wanted
      }
      async stay(): Promise<void> {
        this.most = Math.max(this.most, ++this.present)
        await Promise.resolve()
        this.present--
      }
      peak(): number {
        return this.most
      }
    }
    using meeting = actor(Meeting, { maxConcurrency: 3 }).remote()
    equals(await get([3, 3, 3].map((n) => meeting.join.remote(n))), [3, 3, 3])
    await get(Array.from({ length: 100 }, () => meeting.stay.remote()))
    equals(await get(meeting.peak.remote()), 3)
    using strict = actor(Meeting).remote()
    await get(Array.from({ length: 20 }, () => strict.stay.remote()))
    equals(await get(strict.peak.remote()), 1)
    thrown(() => actor(Meeting, { maxConcurrency: 0 }), RangeError)
  })

  it('[SA19] maxPendingCalls: one more call of the handle throws at once', async ({ api: { actor, get, wait } }) => {
    class Slow {
      async work(ms: number): Promise<number> {
        await new Promise((resolve) => setTimeout(resolve, ms))
        return ms
      }
    }
    using slow = actor(Slow, { maxPendingCalls: 2 }).remote()
    const refs = [slow.work.remote(30), slow.work.remote(30)]
    thrown(() => slow.work.remote(1), PendingCallsLimitExceededError)
    await get(refs)
    const third = slow.work.remote(1)
    await wait([third])
    equals(await get(third), 1)
    thrown(() => actor(Slow, { maxPendingCalls: 0 }), RangeError)
  })

  it('[SA20] several returns of a call, or none', async ({ api: { actor, get } }) => {
    class Pairs {
      calls = 0
      split(a: number, b: number): [number, number] {
        this.calls++
        return [a, b]
      }
      count(): number {
        return this.calls
      }
    }
    using pairs = actor(Pairs).remote()
    const [one, two] = pairs.split.options({ numReturns: 2 }).remote(1, 2)
    equals(await get([one, two]), [1, 2])
    isTrue(pairs.split.options({ numReturns: 0 }).remote(3, 4) === undefined, 'nothing is given back')
    equals(await get(pairs.count.remote()), 2)
    thrown(() => pairs.split.options({ numReturns: -1 }), RangeError)
    thrown(() => pairs.split.options({ retries: 1 } as never), TypeError)
  })

  it(
    '[SA21] context: which actor, with what, and whether it was made before (Ray 112)',
    async ({ api: { actor, context, get } }) => {
      const About = actor({}, ({ context }) => {
        return class {
          about(): unknown {
            const { actorId, actorName, namespace, resources, wasRestarted, taskId } = context()
            return {
              hasId: actorId !== undefined,
              isCall: taskId !== actorId,
              actorName,
              namespace,
              resources,
              wasRestarted,
            }
          }
          crash(): void {
            simCrash()
          }
        }
      })
      const { namespace } = context()
      isTrue(namespace === '', 'a page that was given none has no namespace to tell')
      using about = About.options({ name: 'about', namespace: 'here', numCpus: 0.5, maxRestarts: 1 }).remote()
      const expected = { hasId: true, isCall: true, actorName: 'about', resources: { CPU: 0.5 }, wasRestarted: false }
      const told = (await get(about.about.remote())) as typeof expected & { namespace: string }
      equals({ ...told, namespace: '' }, { ...expected, namespace: '' })
      await rejection(get(about.crash.remote()), ActorError)
      equals(((await get(about.about.remote())) as typeof expected).wasRestarted, true)
    },
    { crashes: true },
  )

  it(
    '[SA22] many light actors share workers: each has its own state, order and end',
    async ({ api: { actor, get, kill } }) => {
      const handles = Array.from({ length: 40 }, () => actor(Sum).remote())
      const sums = await get(handles.flatMap((handle, i) => [1, 2].map((n) => handle.add.remote(n * i))))
      equals(
        sums,
        handles.flatMap((_, i) => [i, 3 * i]),
      )
      const killed = handles[30] as ActorHandle<Sum>
      kill(killed)
      await rejection(get(killed.add.remote(1)), ActorDiedError)
      for (const [i, handle] of handles.entries()) if (i !== 30) equals(await get(handle.add.remote(1)), 3 * i + 1)
      for (const handle of handles) handle[Symbol.dispose]()
    },
    { slots: 2 },
  )
}
