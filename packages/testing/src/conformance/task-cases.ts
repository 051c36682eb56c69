import type { ObjectRef, RemoteFunction } from '@shoal/core-worker'
import { GetTimeoutError, SerializationError, TaskError } from '@shoal/protocol'
import { newGate } from './case.ts'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

/** Tasks, their arguments and options: Ray's cases 1 to 31, as far as they are about these. */
export function taskCases(it: DefineCase): void {
  it('[ST1] what is put or returned comes back as it was (Ray 1)', async ({ api: { put, get, remote } }) => {
    const same = remote((value: unknown) => value)
    const values = Array.from({ length: 100 }, (_, n) => [n, n * 1.5, `text ${n}`, [n, [n]]]).flat()
    equals(await get(values.map((value) => put(value))), values)
    equals(await get(values.map((value) => same.remote(value))), values)
  })

  it('[ST1] a call returns at once, and its task runs once however often it is fetched', async (page) => {
    const { remote, get, wait } = page.api
    const gate = newGate(page)
    const ref = gate.behind('done')
    equals(await wait([ref], { timeoutMs: 0 }), [[], [ref]])
    await gate.open()
    equals(await get([ref, ref]), ['done', 'done'])
    const who = remote({}, ({ context }) => context().taskId)
    const [first, second] = [who.remote(), who.remote()]
    equals(await get(first), await get(first))
    isTrue((await get(first)) !== (await get(second)), 'each call is a task of its own')
  })

  it('[ST14] a task knows itself by the id that the room has for it, and so does its error', async ({ api }) => {
    const { actor, context, get, remote } = api
    const idOf = (ref: ObjectRef): string => ref.id.replace(/^this-tab/, context().nodeId)
    const own = remote({}, ({ context }) => context().taskId)
    const refs = Array.from({ length: 6 }, () => own.remote())
    equals(await get(refs), refs.map(idOf))
    const fails = remote(() => {
      throw new RangeError('no')
    })
    const failing = Array.from({ length: 6 }, () => fails.remote())
    for (const ref of failing) equals((await rejection(get(ref), TaskError)).details.taskId, idOf(ref))
    const Self = actor({}, ({ context }) => {
      return class {
        ids(): unknown {
          const { actorId, taskId } = context()
          return { actorId, taskId }
        }
      }
    })
    const self = Self.remote()
    const call = self.ids.remote()
    const { actorId, taskId } = (await get(call)) as { actorId: string; taskId: string }
    equals([actorId.split('/')[0], taskId], [context().nodeId, idOf(call)])
  })

  it('[ST2] numReturns of 0, 1, 2 and 3 (Ray 2)', async ({ api: { remote, get } }) => {
    const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
    const range = remote(upTo)
    equals(range.options({ numReturns: 0 }).remote(0), undefined)
    equals(await get(range.options({ numReturns: 1 }).remote(1)), [0])
    equals(await get(range.options({ numReturns: 2 }).remote(2)), [0, 1])
    equals(await get(range.options({ numReturns: 3 }).remote(3)), [0, 1, 2])
    for (const ref of range.options({ numReturns: 3 }).remote(2))
      matches((await rejection(get(ref), Error)).message, /numReturns 3/)
  })

  it('[ST3] too few and too many arguments throw at the call (Ray 5)', ({ api: { remote } }) => {
    const two = remote((a: number, b: number) => a + b) as unknown as RemoteFunction<unknown[]>
    for (const args of [[], [1], [1, 2, 3]])
      matches(thrown(() => two.remote(...args), TypeError).message, /2 arguments/)
    const some = remote((a: number, b = 2, ...more: number[]) => [a, b, more]) as unknown as RemoteFunction<unknown[]>
    thrown(() => some.remote(), TypeError)
    return Promise.resolve()
  })

  it('[ST3] defaults and rest parameters are filled where the task runs (Ray 5)', async ({ api: { remote, get } }) => {
    const some = remote((a: number, b: number | undefined = 2, ...more: number[]) => [a, b, ...more])
    equals(await get([some.remote(1, undefined), some.remote(1, 5), some.remote(1, 5, 6, 7)]), [
      [1, 2],
      [1, 5],
      [1, 5, 6, 7],
    ])
    const one = remote((a: number, b = 2) => a + b) as RemoteFunction<[number, number?], number>
    equals(await get(one.remote(1)), 3)
  })

  it('[ST4] unknown and impossible options throw by name where they are given (Ray 7)', ({
    api: { remote, actor },
  }) => {
    const fn = remote(() => 1)
    const bad: [string, unknown, typeof TypeError | typeof RangeError][] = [
      ['maxCalls', 1, TypeError],
      ['concurrencyGroups', {}, TypeError],
      ['numCpus', -1, RangeError],
      ['numCpus', 0.00001, RangeError],
      ['numCpus', '1', TypeError],
      ['numReturns', 1.5, RangeError],
      ['numReturns', -1, RangeError],
      ['maxRetries', -2, RangeError],
      ['maxRetries', 0.5, RangeError],
      ['timeoutMs', 0, RangeError],
      ['timeoutMs', Number.NaN, TypeError],
      ['retryExceptions', 'Error', TypeError],
      ['name', 5, TypeError],
    ]
    for (const [name, value, kind] of bad) {
      const options = { [name]: value } as object
      matches(thrown(() => fn.options(options), kind).message, new RegExp(name))
      matches(thrown(() => remote(() => 1, options), kind).message, new RegExp(name))
    }
    class Empty {}
    for (const options of [{ maxCalls: 1 }, { numReturns: 2 }, { numCpus: -1 }])
      thrown(() => actor(Empty, options as object), Error)
    thrown(() => remote(5 as never), TypeError)
    thrown(() => remote({} as never, 5 as never), TypeError)
    thrown(() => actor((() => 1) as never), TypeError)
    return Promise.resolve()
  })

  it('[ST4] options() leaves the function it is called on as it was', async ({ api: { remote, get } }) => {
    const name = remote({}, ({ context }) => context().taskName, { name: 'first' })
    const other = name.options({ name: 'second' })
    equals(await get([name.remote(), other.remote(), other.options({}).remote()]), ['first', 'second', 'second'])
  })

  it('[ST5] a ref given twice arrives twice (Ray 19)', async ({ api: { remote, get, put } }) => {
    const pair = remote((a: number[], b: number[], c: { readonly d: number[] }) => [a, b, c.d])
    const ref = put([1, 2, 3])
    equals(await get(pair.remote(ref, ref, { d: [1, 2, 3] })), [
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])
    const sum = remote((...all: number[]) => all.reduce((a, b) => a + b, 0))
    const one = put(1)
    equals(await get(sum.remote(one, one, 1, one)), 4)
  })

  it(
    '[ST6] a task that asks for what exists already keeps its worker (Ray 10)',
    async ({ api }) => {
      const { remote, get, put } = api
      const where = remote({}, ({ context }) => `${context().nodeId}/${context().workerId}`)
      const here = put(1)
      const reads = remote({}, async ({ get, context }, [ref]: readonly [typeof here]) => {
        await get(ref)
        return `${context().nodeId}/${context().workerId}`
      })
      // Once before, so that both kinds are known to be short.
      await get([where.remote(), reads.remote([here])])
      const places = await get([reads.remote([here]), where.remote(), reads.remote([here]), where.remote()])
      equals(new Set(places).size, 1)
    },
    { isAlone: true },
  )

  it('[ST7] a task that waits for others gives up its slot (Ray 23)', async (page) => {
    const { remote, get } = page.api
    const gate = newGate(page)
    const slow = gate.behind('slow')
    const waits = remote({}, async ({ wait }, [ref]: readonly [typeof slow]) => (await wait([ref]))[0].length)
    const gets = remote({}, async ({ get }, [ref]: readonly [typeof slow]) => get(ref))
    const all = [waits.remote([slow]), waits.remote([slow]), gets.remote([slow]), gets.remote([slow])] as const
    await rejection(get(all, { timeoutMs: 100 }), GetTimeoutError)
    await gate.open()
    equals(await get(all), [1, 1, 'slow', 'slow'])
  })

  it('[ST8] what the room cannot take is refused at the call', ({ api: { remote, put } }) => {
    const count = remote((...all: unknown[]) => all.length)
    const ref = put(1)
    matches(thrown(() => count.remote(...Array.from({ length: 1_025 }, () => ref)), RangeError).message, /one array/)
    return Promise.resolve()
  })

  it('[ST8] a task takes ten thousand arguments (Ray 157)', async ({ api: { remote, get } }) => {
    const sum = remote((...all: number[]) => all.reduce((a, b) => a + b, 0))
    equals(await get(sum.remote(...Array.from({ length: 10_000 }, (_, n) => n))), (9_999 * 10_000) / 2)
  })

  it('[ST13] an iterator as a result is an error that says so', async ({ api: { remote, get } }) => {
    const plain = remote(() => {
      function* count(): Generator<number, void, undefined> {
        yield 1
      }
      return { count: count() }
    })
    const error = await rejection(get(plain.remote()), SerializationError)
    matches(error.message, /result\.count cannot be sent: it is an iterator \(Generator\): return an array/)
    const keys = remote(() => ({ keys: new Map([[1, 2]]).keys() }))
    const other = await rejection(get(keys.remote()), SerializationError)
    matches(other.message, /result\.keys cannot be sent: it is an iterator \(Map Iterator\)/)
    const bare = remote((): unknown => [1, 2].values())
    matches(
      (await rejection(get(bare.remote()), SerializationError)).message,
      /result cannot be sent: it is an iterator/,
    )
  })
}
