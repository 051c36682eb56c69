import { ActorDiedError } from '@shoal/protocol'
import type { DefineCase } from './case.ts'
import { equals, matches, rejection, thrown } from './expectations.ts'

/** Its code ships: it stands alone. */
class Tally {
  count = 0
  add(n: number): number {
    return (this.count += n)
  }
}

/** What a call has inside, in a place that only the class knows. */
class Vault {
  #sum = 0
  add(values: Float64Array): number {
    this.#sum += values.length
    return this.#sum
  }
  saveCheckpoint(): Float64Array {
    return new Float64Array(50_000).fill(this.#sum)
  }
  loadCheckpoint(state: Float64Array): void {
    this.#sum = state[49_999] ?? 0
  }
}

/** Actors that go on from a checkpoint. */
export function checkpointCases(it: DefineCase): void {
  it('[SA23] checkpointEveryCalls: an actor that is made again goes on where it was', async ({
    api: { actor, get, kill },
  }) => {
    using tally = actor(Tally, { maxRestarts: 2, checkpointEveryCalls: 10 }).remote()
    equals(await get(tally.add.remote(1)), 1)
    await get(Array.from({ length: 30 }, () => tally.add.remote(1)))
    kill(tally, { noRestart: false })
    equals(await get(tally.add.remote(1)), 32)
    kill(tally, { noRestart: false })
    equals(await get([1, 1].map((n) => tally.add.remote(n))), [33, 34])
    kill(tally, { noRestart: false })
    await rejection(get(tally.add.remote(1)), ActorDiedError)
  })

  it('[SA25] by saveCheckpoint and loadCheckpoint, large states and arguments too', async ({
    api: { actor, get, kill, put },
  }) => {
    using vault = actor(Vault, { maxRestarts: 1, checkpointEveryCalls: 3 }).remote()
    const large = put(new Float64Array(40_000))
    for (let i = 1; i <= 4; i++) equals(await get(vault.add.remote(large)), i * 40_000)
    kill(vault, { noRestart: false })
    equals(await get(vault.add.remote(new Float64Array(5))), 160_005)
  })

  it('[SA27] what cannot have checkpoints is refused at once', ({ api: { actor } }) => {
    const options = { maxRestarts: 1, checkpointEveryCalls: 5 }
    const refused = (Class: new () => object, more: object = {}): string =>
      String(thrown(() => actor(Class, { ...options, ...more }), Error).message)
    matches(refused(Tally, { maxRestarts: 0 }), /needs maxRestarts/)
    matches(refused(Tally, { maxConcurrency: 2 }), /needs maxConcurrency 1/)
    matches(refused(Tally, { concurrencyGroups: { io: 2 } }), /no groups/)
    matches(refused(Tally, { checkpointEveryCalls: 0 }), /a whole number from 1 to 10000, got 0/)
    matches(refused(Tally, { checkpointEveryCalls: 'often' }), /must be a number/)
    class Hidden {
      #n = 0
      next(): number {
        return ++this.#n
      }
    }
    matches(refused(Hidden), /private field #\w/)
    class Half {
      saveCheckpoint(): number {
        return 1
      }
    }
    matches(refused(Half), /both saveCheckpoint\(\) and loadCheckpoint/)
    class Counting {
      *count(): Generator<number> {
        yield 1
      }
    }
    matches(refused(Counting), /generators/)
    return Promise.resolve()
  })
}
