import type { ActorHandle } from '@shoal/core-worker'
import { SerializationError, ShoalError, TaskError, TaskTimeoutError, WorkerCrashedError } from '@shoal/protocol'
import { TallyState } from './case.ts'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, mustBe, rejection } from './expectations.ts'

declare const simCrash: () => never

type Tally = ActorHandle<TallyState>

/** What a task that fails leaves its caller with: Ray's cases 14, 116, 118, 119. */
export function errorCases(it: DefineCase): void {
  it('[SE1] get throws TaskError with the message, the name of the task and what was thrown as cause', async (page) => {
    const { remote, get } = page.api
    const fails = remote(
      (n: number): number => {
        throw new RangeError(`too far: ${n}`)
      },
      { name: 'reach' },
    )
    const error = await rejection(get(fails.remote(5)), TaskError)
    isTrue(error instanceof ShoalError, 'it is a ShoalError')
    equals([error.code, error.isRetryable, error.details.taskName], ['task-failed', false, 'reach'])
    matches(error.message, /reach.*too far: 5/)
    equals(mustBe(error.cause, RangeError).message, 'too far: 5')
    const rejects = remote(() => Promise.reject(new TypeError('later')))
    mustBe((await rejection(get(rejects.remote()), TaskError)).cause, TypeError)
  })

  it('[SE1] fields and causes of what was thrown come along (Ray 14)', async ({ api: { remote, get } }) => {
    const fails = remote((n: number): number => {
      const error = new TypeError('outer', { cause: new RangeError('inner') })
      throw Object.assign(error, { reason: 'E_FIELD', about: { n, list: [n] } })
    })
    const error = await rejection(get(fails.remote(7)), TaskError)
    const cause = mustBe(error.cause, TypeError) as TypeError & { reason: string; about: unknown }
    equals([cause.message, cause.reason, cause.about], ['outer', 'E_FIELD', { n: 7, list: [7] }])
    equals(mustBe(cause.cause, RangeError).message, 'inner')
    mustBe(error, TypeError)
  })

  it('[SE1] what is thrown need not be an error', async ({ api: { remote, get } }) => {
    const throwing = remote((value: unknown) => {
      throw value
    })
    for (const value of ['text', 5, null, undefined, { code: 7 }, [1, 2]])
      equals((await rejection(get(throwing.remote(value)), TaskError)).cause, value)
  })

  it('[SE2] each return of a task that failed throws the same (Ray 14)', async ({ api: { remote, get } }) => {
    const three = remote(
      (): [number, number, number] => {
        throw new Error('none of the three')
      },
      { numReturns: 3 },
    )
    for (const ref of three.remote()) matches((await rejection(get(ref), TaskError)).message, /none of the three/)
    const wrong = remote(() => [1, 2], { numReturns: 3 })
    for (const ref of wrong.remote()) matches((await rejection(get(ref), TaskError)).message, /numReturns 3/)
  })

  it('[SE3] a task whose argument failed does not run, and its error tells of the first (Ray 116)', async ({ api }) => {
    const { remote, get, actor } = api
    const tally = actor(TallyState).remote()
    const first = remote(
      (): number => {
        throw new RangeError('division by zero')
      },
      { name: 'first' },
    )
    const second = remote({}, async ({ get }, tally: Tally, n: number) => (await get(tally.add.remote('second'))) + n, {
      name: 'second',
    })
    const third = remote((n: number) => n, { name: 'third' })
    const error = await rejection(get(third.remote(second.remote(tally, first.remote()))), TaskError)
    matches(error.message, /argument 0 of third .*argument 1 of second .*first failed.*division by zero/s)
    mustBe(error, RangeError)
    equals(await get(tally.read.remote('second')), 0)
  })

  it('[SE3] an error caught by a task of its own child is thrown on with its cause (Ray 116)', async ({ api }) => {
    const { remote, get } = api
    const bar = remote(
      (): number => {
        throw new RangeError('from bar')
      },
      { name: 'bar' },
    )
    const foo = remote({}, async ({ get }, child: unknown) => get((child as typeof bar).remote()), { name: 'foo' })
    const error = await rejection(get(foo.remote(bar)), TaskError)
    matches(error.message, /foo.*from bar/s)
    mustBe(error, RangeError)
    const inner = mustBe(error.cause, TaskError)
    equals(inner.name, 'TaskError(RangeError)')
    equals(mustBe(inner.cause, RangeError).message, 'from bar')
  })

  it('[SE4] a result that cannot be cloned is named by its path', async ({ api: { remote, get, put } }) => {
    const bad = remote(() => ({ model: { layers: [1, { onDone: () => 1 }] } }))
    const error = await rejection(get(bad.remote()), SerializationError)
    equals(error.details.path, 'result.model.layers[1].onDone')
    const argument = (): unknown => remote((value: unknown) => value).remote({ f: () => 1 })
    matches(String(await rejection(Promise.resolve().then(argument), SerializationError)), /arguments\[0\]\.f/)
    matches(
      String(
        await rejection(
          Promise.resolve().then(() => put([Symbol('s')])),
          SerializationError,
        ),
      ),
      /\[0\]/,
    )
  })

  it('[SE5] a task past its timeoutMs is ended, and what is behind it goes on', async ({ api: { remote, get } }) => {
    const slow = remote({}, () => new Promise<void>((resolve) => setTimeout(resolve, 60_000)), {
      timeoutMs: 100,
      name: 'slow',
    })
    const one = remote((n: number) => n)
    const late = slow.remote()
    const others = Array.from({ length: 5 }, (_, n) => one.remote(n))
    const error = await rejection(get(late), TaskTimeoutError)
    matches(error.message, /slow.*100 ms/)
    equals(await get(others), [0, 1, 2, 3, 4])
  })

  it('[SE6] retryExceptions runs a task again after what it threw, as far as maxRetries (Ray 118)', async ({ api }) => {
    const { remote, get, actor } = api
    const tally = actor(TallyState).remote()
    const flaky = remote({}, async ({ get }, tally: Tally, name: string, failures: number) => {
      const run = await get(tally.add.remote(name))
      if (run <= failures) throw new RangeError(`run ${run}`)
      return run
    })
    equals(await get(flaky.options({ retryExceptions: true }).remote(tally, 'all', 3)), 4)
    equals(await get(flaky.options({ retryExceptions: [RangeError] }).remote(tally, 'listed', 1)), 2)
    const given: [string, object, number][] = [
      ['not at all', {}, 1],
      ['switched off', { retryExceptions: false }, 1],
      ['not listed', { retryExceptions: [TypeError] }, 1],
      ['no retries', { retryExceptions: true, maxRetries: 0 }, 1],
      ['too few', { retryExceptions: [Error], maxRetries: 2 }, 3],
    ]
    for (const [name, options, runs] of given) {
      matches((await rejection(get(flaky.options(options).remote(tally, name, 9)), TaskError)).message, /run \d/)
      equals(await get(tally.read.remote(name)), runs, `runs of "${name}"`)
    }
  })

  it(
    '[SE7] a task whose worker ends runs again maxRetries times, 3 by default (Ray 118, 119)',
    async ({ api: { remote, get, actor } }) => {
      const tally = actor(TallyState).remote()
      const crashing = remote({}, async ({ get }, tally: Tally, name: string, crashes: number) => {
        const run = await get(tally.add.remote(name))
        if (run <= crashes) simCrash()
        return run
      })
      equals(await get(crashing.remote(tally, 'twice', 2)), 3)
      const given: [string, object, number][] = [
        ['default', {}, 4],
        ['none', { maxRetries: 0 }, 1],
        ['one', { maxRetries: 1 }, 2],
      ]
      for (const [name, options, runs] of given) {
        const error = await rejection(get(crashing.options(options).remote(tally, name, 99)), WorkerCrashedError)
        isTrue(error.isRetryable, 'a crash is the system’s fault')
        equals(await get(tally.read.remote(name)), runs, `runs of "${name}"`)
      }
    },
    { crashes: true },
  )

  it(
    '[SE7] nested tasks are run again as others are (Ray 119)',
    async ({ api: { remote, get, actor } }) => {
      const tally = actor(TallyState).remote()
      const crashing = remote({}, async ({ get }, tally: Tally) => {
        await get(tally.add.remote('nested'))
        simCrash()
      })
      const parent = remote({}, async ({ get }, child: unknown, tally: Tally, maxRetries: number) => {
        const ref = (child as typeof crashing).options({ maxRetries }).remote(tally)
        return get(ref).then(
          () => 'no error',
          (error: Error) => error.name,
        )
      })
      equals(await get(parent.remote(crashing, tally, 3)), 'WorkerCrashedError')
      equals(await get(tally.read.remote('nested')), 4)
      equals(await get(parent.remote(crashing, tally, 0)), 'WorkerCrashedError')
      equals(await get(tally.read.remote('nested')), 5)
    },
    { crashes: true },
  )
}
