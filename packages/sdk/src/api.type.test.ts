// The compiler is what fails here: each line marked with @ts-expect-error is an error that users must get. Nothing of it
// runs a task; functions that would are never called.
import { actor, get, put, remote, wait } from '@shoal/sdk'
import type { ActorHandle, ObjectRef, ObjectRefGenerator } from '@shoal/sdk'
import { describe, expectTypeOf, it } from 'vitest'

const add = remote((a: number, b: number) => a + b)
const text = remote((value: string) => Promise.resolve(value))

/** Types what a call would give, and never makes it. */
function given<T>(call: () => T): T {
  void call
  return undefined as T
}

/** The same for calls whose types do not matter. */
function never(...calls: (() => unknown)[]): void {
  void calls
}

describe('the types of the SDK', () => {
  it('[SY1] a ref stands for a value', () => {
    expectTypeOf(given(() => add.remote(1, 2))).toEqualTypeOf<ObjectRef<number>>()
    expectTypeOf(given(() => text.remote('x'))).toEqualTypeOf<ObjectRef<string>>()
    expectTypeOf(given(() => put({ x: [1] }))).toEqualTypeOf<ObjectRef<{ x: number[] }>>()
    expectTypeOf(given(() => get(add.remote(1, 2)))).toEqualTypeOf<Promise<number>>()
    given(() => [
      add.remote(put(1), add.remote(2, put(3))),
      // @ts-expect-error a ref of another type
      add.remote(1, put('2')),
      // @ts-expect-error too few
      add.remote(1),
      // @ts-expect-error too many
      add.remote(1, 2, 3),
    ])
    // @ts-expect-error a value is no ref
    never(() => get(5))
  })

  it('[SY1] lists and tuples of refs keep their places', () => {
    const refs = given(() => [add.remote(1, 2), text.remote('x')] as const)
    expectTypeOf(given(() => get(refs))).toEqualTypeOf<Promise<[number, string]>>()
    expectTypeOf(given(() => get([put(1), put('x')]))).toEqualTypeOf<Promise<[number, string]>>()
    expectTypeOf(given(() => get([1, 2].map((n) => put(n))))).toEqualTypeOf<Promise<number[]>>()
    const nested = given(() => put({ list: [put(1), put('two')] as const }))
    expectTypeOf(nested).toEqualTypeOf<ObjectRef<{ list: readonly [ObjectRef<number>, ObjectRef<string>] }>>()
    const chain = given(() => remote((box: { readonly ref: ObjectRef<number> }) => box.ref).remote({ ref: put(1) }))
    expectTypeOf(chain).toEqualTypeOf<ObjectRef<ObjectRef<number>>>()
    expectTypeOf(given(() => wait([put(1), put(2)]))).toEqualTypeOf<
      Promise<[ready: ObjectRef<number>[], rest: ObjectRef<number>[]]>
    >()
    // @ts-expect-error wait takes an array
    never(() => wait(put(1)))
  })

  it('[SY1] what is handed in by name comes first, beside the SDK, and is no argument', () => {
    const scaled = remote(
      { add, factor: 2 },
      async ({ add, factor, get }, n: number) => (await get(add.remote(n, n))) * factor,
    )
    expectTypeOf(given(() => scaled.remote(1))).toEqualTypeOf<ObjectRef<number>>()
    // @ts-expect-error it has one argument
    given(() => scaled.remote({}, 1))
  })

  it('[SY2] a parameter that is typed as a ref does not compile', () => {
    given(() => [
      // @ts-expect-error top-level refs resolve
      remote((ref: ObjectRef<number>) => ref.id),
      // @ts-expect-error nor as one of several types
      remote((n: number, ref: ObjectRef<number> | number) => [n, ref]),
      // @ts-expect-error nor among the rest
      remote((...refs: ObjectRef<number>[]) => refs.length),
      // @ts-expect-error nor behind what is handed in
      remote({ add }, (_, ref: ObjectRef<number>) => ref.id),
      actor(
        // @ts-expect-error nor in a method
        class {
          read(ref: ObjectRef<number>): string {
            return ref.id
          }
        },
      ),
      actor(
        // @ts-expect-error nor in a constructor
        class {
          readonly id: string
          constructor(ref: ObjectRef<number>) {
            this.id = ref.id
          }
        },
      ),
      remote((refs: readonly ObjectRef<number>[], box: { ref: ObjectRef<string> }, any: unknown) => [refs, box, any]),
    ])
  })

  it('[SY3] numReturns gives a tuple of refs', () => {
    const pair = remote((): [number, string] => [1, 'x'], { numReturns: 2 })
    expectTypeOf(given(() => pair.remote())).toEqualTypeOf<[ObjectRef<number>, ObjectRef<string>]>()
    const list = remote((n: number) => Array.from({ length: n }, () => n))
    expectTypeOf(given(() => list.remote(3))).toEqualTypeOf<ObjectRef<number[]>>()
    const three = list.options({ numReturns: 3, name: 'three' })
    expectTypeOf(given(() => three.remote(3))).toEqualTypeOf<
      [ObjectRef<number>, ObjectRef<number>, ObjectRef<number>]
    >()
    expectTypeOf(given(() => three.options({ maxRetries: 0 }).remote(3))).toEqualTypeOf<
      [ObjectRef<number>, ObjectRef<number>, ObjectRef<number>]
    >()
    expectTypeOf(given(() => list.options({ numReturns: 0 }).remote(3))).toEqualTypeOf<undefined>()
    expectTypeOf(given(() => pair.options({ numReturns: 1 }).remote())).toEqualTypeOf<ObjectRef<[number, string]>>()
    expectTypeOf(given(() => pair.options({ numReturns: 3 }).remote())).toEqualTypeOf<never>()
    const later = Promise.resolve<[number, string]>([1, 'x'])
    expectTypeOf(given(() => remote(() => later, { numReturns: 2 }).remote())).toEqualTypeOf<
      [ObjectRef<number>, ObjectRef<string>]
    >()
    given(() => [
      // @ts-expect-error no option of this name
      add.options({ maxCalls: 1 }),
      // @ts-expect-error a number
      add.options({ numCpus: '1' }),
    ])
  })

  it('[SY5] a generator gives a stream of refs', () => {
    const count = remote(function* (n: number) {
      for (let i = 0; i < n; i++) yield i
      return 'the end'
    })
    const later = remote(async function* (n: number) {
      yield await Promise.resolve(String(n))
    })
    const handed = remote({ add }, async function* ({ add, get }, n: number) {
      yield await get(add.remote(n, 1))
    })
    expectTypeOf(given(() => count.remote(put(3)))).toEqualTypeOf<ObjectRefGenerator<number>>()
    expectTypeOf(given(() => later.remote(3))).toEqualTypeOf<ObjectRefGenerator<string>>()
    expectTypeOf(given(() => handed.remote(3))).toEqualTypeOf<ObjectRefGenerator<number>>()
    expectTypeOf(given(() => count.options({ name: 'count' }).remote(3))).toEqualTypeOf<ObjectRefGenerator<number>>()
    const promised = remote(function* (n: number) {
      yield Promise.resolve(n)
    })
    expectTypeOf(given(() => promised.remote(3))).toEqualTypeOf<ObjectRefGenerator<number>>()
    given(() => async () => {
      for await (const ref of count.remote(10)) {
        expectTypeOf(ref).toEqualTypeOf<ObjectRef<number>>()
        expectTypeOf(await get(ref)).toEqualTypeOf<number>()
      }
    })
    // @ts-expect-error a stream is no ref
    never(() => get(count.remote(3)))
    // @ts-expect-error nor one of a list
    never(() => get([count.remote(3)]))
    expectTypeOf(given(() => wait([count.remote(3)]))).resolves.toEqualTypeOf<
      [ObjectRefGenerator<number>[], ObjectRefGenerator<number>[]]
    >()
    // @ts-expect-error nor an argument
    never(() => add.remote(1, count.remote(3)))
    // @ts-expect-error a number
    never(() => count.remote('3'))
    never(() =>
      // @ts-expect-error top-level refs resolve here too
      remote(function* (ref: ObjectRef<number>) {
        yield ref.id
      }),
    )
    class Game {
      *moves(from: number): Generator<string, void, undefined> {
        yield String(from)
      }
      async *later(): AsyncGenerator<{ at: number }, void, undefined> {
        yield await Promise.resolve({ at: 1 })
      }
      list(): string[] {
        return ['e4']
      }
    }
    const game = given(() => actor(Game).remote())
    expectTypeOf(given(() => game.moves.remote(1))).toEqualTypeOf<ObjectRefGenerator<string>>()
    expectTypeOf(given(() => game.later.remote())).toEqualTypeOf<ObjectRefGenerator<{ at: number }>>()
    expectTypeOf(given(() => game.list.remote())).toEqualTypeOf<ObjectRef<string[]>>()
  })

  it('[SY1] what returns no generator gives a ref, whatever it is', () => {
    expectTypeOf(given(() => remote((): never => never() as never).remote())).toEqualTypeOf<ObjectRef<never>>()
    expectTypeOf(given(() => remote((): unknown => 1).remote())).toEqualTypeOf<ObjectRef>()
    expectTypeOf(given(() => remote(() => new Map([[1, 'x']])).remote())).toEqualTypeOf<
      ObjectRef<Map<number, string>>
    >()
    expectTypeOf(given(() => remote((): number | string => 1).remote())).toEqualTypeOf<ObjectRef<number | string>>()
  })

  it('[SY4] a handle has the public methods of its class', () => {
    class Game {
      score = 0
      readonly #moves: string[] = []
      constructor(_name: string) {}
      play(move: string, points?: number): number {
        this.#moves.push(move)
        return (this.score += points ?? 1)
      }
      later(): Promise<string[]> {
        return Promise.resolve(this.#moves)
      }
      _hidden(): void {}
    }
    const handle = given(() => actor(Game).remote('x'))
    expectTypeOf(handle).toEqualTypeOf<ActorHandle<Game>>()
    expectTypeOf<keyof ActorHandle<Game>>().toEqualTypeOf<'play' | 'later' | typeof Symbol.dispose>()
    expectTypeOf(given(() => handle.play.remote(put('e4'), 2))).toEqualTypeOf<ObjectRef<number>>()
    expectTypeOf(given(() => handle.later.remote())).toEqualTypeOf<ObjectRef<string[]>>()
    given(() => [
      // @ts-expect-error a name, as the constructor wants
      actor(Game).remote(),
      // @ts-expect-error not a number
      handle.play.remote(1),
      // @ts-expect-error fields stay with the actor
      handle.score,
      // @ts-expect-error actors have no number of returns
      actor(Game, { numReturns: 2 }),
    ])
    const tell = remote((game: ActorHandle<Game>) => Object.keys(game))
    given(() => tell.remote(handle))
  })
})
