import type { ObjectRef, RemoteFunction } from '@shoal/core-worker'
import { ShoalError } from '@shoal/protocol'
import { newGate } from './case.ts'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

/** Object refs: where they resolve, where they do not, and how long what they stand for lives. */
export function refCases(it: DefineCase): void {
  it('[SR1] a ref among the arguments arrives as its value, in any place', async ({ api: { remote, get, put } }) => {
    const list = remote((...all: unknown[]) => all)
    const add = remote((a: number, b: number) => a + b)
    equals(await get(list.remote(1, put(2), 'x', put({ y: 3 }), add.remote(4, put(5)))), [1, 2, 'x', { y: 3 }, 9])
    const chain = Array.from({ length: 50 }).reduce<ObjectRef<number>>((ref) => add.remote(ref, 1), put(0))
    equals(await get(chain), 50)
  })

  it('[SR1] a task does not start before the refs among its arguments exist', async (page) => {
    const { remote, get, wait } = page.api
    const gate = newGate(page)
    const after = remote((value: string) => `after ${value}`)
    const ref = after.remote(gate.behind('gate'))
    equals(await wait([ref], { timeoutMs: 100 }), [[], [ref]])
    await gate.open()
    equals(await get(ref), 'after gate')
  })

  it('[SR2] a ref inside a value stays a ref, and the task may start before it exists', async (page) => {
    const { remote, get, wait } = page.api
    const gate = newGate(page)
    const slow = gate.behind(7)
    const started = remote({}, (_, box: { readonly refs: readonly ObjectRef<number>[] }) =>
      box.refs.map((ref) => Object.prototype.toString.call(ref)),
    )
    equals(await get(started.remote({ refs: [slow, slow] })), ['[object ObjectRef]', '[object ObjectRef]'])
    const reads = remote({}, async ({ get }, box: Map<string, ObjectRef<number>>) => {
      const ref = box.get('it')
      return ref === undefined ? 0 : get(ref)
    })
    const reading = reads.remote(new Map([['it', slow]]))
    equals(await wait([reading], { timeoutMs: 50 }), [[], [reading]])
    await gate.open()
    equals(await get(reading), 7)
  })

  it('[SR3] refs in results: get(get(ref)) (Ray 125)', async ({ api: { remote, get, put } }) => {
    const made = remote({}, ({ put }, n: number) => put(n))
    equals(await get(await get(made.remote(5))), 5)
    const nested = remote({}, ({ put }) => ({ list: [put(1), put('two')] as const, plain: 3 }))
    const { list, plain } = await get(nested.remote())
    equals([await get(list), plain], [[1, 'two'], 3])
    const [boxed] = await get(put([put('inner')] as const))
    equals(await get(boxed), 'inner')
  })

  it('[SR3] a chain of 25 refs returned by nested tasks resolves, seconds later too (Ray 125)', async (page) => {
    const { remote, get } = page.api
    type Link = number | ObjectRef<Link>
    type Deeper = RemoteFunction<[self: unknown, depth: number], Link>
    const deeper = remote({}, ({ put }, self: unknown, depth: number): Link =>
      depth === 0 ? put(42) : (self as Deeper).remote(self, depth - 1),
    )
    const follow = async (ref: ObjectRef<Link>): Promise<{ value: number; depth: number }> => {
      let link: Link = ref
      for (let depth = 0; ; depth++) {
        if (typeof link === 'number') return { value: link, depth }
        link = await get(link)
      }
    }
    equals(await follow(deeper.remote(deeper, 25)), { value: 42, depth: 27 })
    const late = deeper.remote(deeper, 5)
    await page.pause(1_000)
    equals(await follow(late), { value: 42, depth: 7 })
  })

  it('[SR3] a ref goes through five tasks and back (Ray 124)', async ({ api: { remote, get, put } }) => {
    type Box = readonly [ObjectRef<string>]
    const pass = remote((box: Box, left: number) => ({ box, left }))
    let box: Box = [put('kept')]
    for (let i = 0; i < 5; i++) box = (await get(pass.remote(box, i))).box
    equals(await get(box[0]), 'kept')
    type Shell = readonly [Shell | ObjectRef<string>]
    const open = remote({}, async ({ get }, shell: Shell) => {
      let inner: Shell | ObjectRef<string> = shell
      while (Array.isArray(inner)) inner = (inner as Shell)[0]
      return get(inner as ObjectRef<string>)
    })
    equals(await get(open.remote([[[[[put('deep')]]]]])), 'deep')
  })

  it('[SR3] a task may hand a ref on to a task of its own (Ray 125)', async ({ api: { remote, get, put } }) => {
    const read = remote({}, async ({ get }, [ref]: readonly [ObjectRef<string>]) => get(ref))
    const lend = remote({}, async ({ get }, reader: unknown, box: readonly [ObjectRef<string>]) =>
      get((reader as typeof read).remote(box)),
    )
    const ref = put('borrowed')
    const result = lend.remote(read, [ref])
    ref.release()
    equals(await get(result), 'borrowed')
  })

  it('[SR4] release ends a ref, twice is harmless, and later use throws', async ({
    api: { put, get, wait, remote },
  }) => {
    const ref = put(1)
    const same = remote((value: unknown) => value)
    ref.release()
    ref.release()
    ref[Symbol.dispose]()
    const uses: (() => unknown)[] = [() => same.remote(ref), () => put([ref]), () => same.remote({ deep: [ref] })]
    for (const use of uses) matches(thrown(use, ShoalError).message, /released/)
    matches((await rejection(get(ref), ShoalError)).message, /released/)
    matches((await rejection(wait([ref]), ShoalError)).message, /released/)
  })

  it('[SR4] using ends a ref with its block', async ({ api: { put, get } }) => {
    const outer = { ref: put(0) }
    {
      using ref = put(1)
      outer.ref = ref
      equals(await get(ref), 1)
    }
    await rejection(get(outer.ref), ShoalError)
  })

  it('[SR5] an argument that waits keeps its object alive after release (Ray 121, 122)', async (page) => {
    const { remote, get, put } = page.api
    const gate = newGate(page)
    const join = remote((a: string, b: string) => a + b)
    const read = remote({}, async ({ get }, _: unknown, [ref]: readonly [ObjectRef<string>]) => get(ref))
    const [top, nested] = [put('top'), put('nested')]
    const opened = gate.behind('!')
    const results = [join.remote(top, opened), read.remote(opened, [nested])]
    for (const ref of [top, nested, opened]) ref.release()
    await page.pause(100)
    await gate.open()
    equals(await get(results), ['top!', 'nested'])
  })

  it('[SR5] an object keeps the objects whose refs it holds', async ({ api: { get, put }, pause }) => {
    const inner = put('inner')
    const middle = put([inner] as const)
    const outer = put({ middle })
    inner.release()
    middle.release()
    await pause(100)
    const [again] = await get((await get(outer)).middle)
    equals(await get(again), 'inner')
  })

  it('[SR5] what an actor keeps lives as long as it keeps it (Ray 122)', async ({
    api: { actor, get, put },
    pause,
  }) => {
    class Keeper {
      kept: readonly [ObjectRef<string>]
      constructor(box: readonly [ObjectRef<string>]) {
        this.kept = box
      }
      give(): readonly [ObjectRef<string>] {
        return this.kept
      }
    }
    const ref = put('kept')
    const keeper = actor(Keeper).remote([ref])
    await get(keeper.give.remote())
    ref.release()
    await pause(500)
    const [again] = await get(keeper.give.remote())
    equals(await get(again), 'kept')
  })

  it('[SR6] a ref is no value and no promise', async ({ api: { put, remote, get } }) => {
    const ref = put(1)
    isTrue(!('then' in ref), 'a ref has no then')
    equals(await Promise.resolve(ref), ref)
    for (const use of [() => `${ref as never}`, () => (ref as never) + 1, () => JSON.stringify([ref])])
      matches(thrown(use, TypeError).message, /await get\(ref\)/)
    matches(thrown(() => put(ref), TypeError).message, /\[ref\]/)
    const makes = remote({}, async ({ put }) => {
      await Promise.resolve()
      return put('not resolved on the way')
    })
    equals(await get(await get(makes.remote())), 'not resolved on the way')
  })

  it('[SR6] a ref that comes back is the same object under another reference', async ({
    api: { put, remote, get },
  }) => {
    const ref = put('x')
    const back = remote((box: readonly [ObjectRef<string>]) => box)
    const [again] = await get(back.remote([ref]))
    equals(again.id, ref.id)
    ref.release()
    equals(await get(again), 'x')
    again.release()
    await rejection(get(again), ShoalError)
  })
}
