// Long because the work, and what each part of it must come to, are told beside the code that runs it.
import { must, randomInt } from '@shoal/base'
import type { Api, ObjectRef, TaskOptions } from '@shoal/core-worker'
import type { SimRandom } from './sim-random.ts'

declare const simRun: (label: string) => void
declare const simSleep: (ms: number) => Promise<void>

/** What a driver holds: a ref whose value is a number, an array of that sum, or, `depth` times, a list of one such ref. */
interface Item {
  readonly ref: ObjectRef<unknown>
  readonly expected: number
  readonly depth: number
  /** It is, or was made of, a large value that no task makes again: lost with its tab until a second copy is made. */
  readonly isFragile: boolean
  readonly label: string
  /** Operations that have to find the ref still held. */
  users: number
}

export interface LedgerOperation {
  readonly label: string
  readonly expected: number
  readonly isFragile: boolean
  readonly startedMs: number
  endedMs: number | undefined
  outcome: { readonly value: number } | { readonly error: unknown } | undefined
}

export interface LedgerWorkloadOptions {
  readonly name: string
  readonly api: Api
  readonly random: SimRandom
  now(): number
  /** Names of tabs that a task may ask for. */
  places(): readonly string[]
  /** The driver's own tab among them. */
  readonly home: string
  /** Chains of large values are made, too; `isFragile`: they are cut, and two deaths may take what a cut left of them. */
  readonly towers: { readonly isFragile: boolean } | undefined
  settled(operation: LedgerOperation): void
}

type Placed = Pick<TaskOptions, 'maxRetries' | 'numCpus' | 'resources'>
type Refs = readonly ObjectRef<unknown>[]

/** So many tabs may die under one task in a run, and more do not. */
const RETRIES = 30
const MOST_ITEMS = 24
/** How many pieces of work have a tower beside them. */
const TOWERS = 0.15

/**
 * A driver that makes others own things: tasks at random tabs put values and submit children and give the refs back,
 * hand refs on that they were only lent, put refs inside values and give those away. What it holds it reads, passes on and
 * lets go at random. Every value has a number that the oracle knows.
 */
export class LedgerWorkload {
  readonly operations: LedgerOperation[] = []
  readonly #options: LedgerWorkloadOptions
  readonly #random: SimRandom
  /** A stream of its own, so that a room without towers is the same as ever. */
  readonly #towers: SimRandom
  readonly #work: ReturnType<typeof declareWork>
  #items: Item[] = []
  #count = 0

  constructor(options: LedgerWorkloadOptions) {
    this.#options = options
    this.#random = options.random
    this.#towers = options.random.fork('towers')
    this.#work = declareWork(options.api)
  }

  get isSettled(): boolean {
    return this.operations.every(({ outcome }) => outcome !== undefined)
  }

  get held(): number {
    return this.#items.length
  }

  /** Code handed by name may leave a tab only once that tab has a grant for it, which a run there brings. */
  prime(place: string): void {
    const { leaf, inc, sumOf } = this.#work
    const options = { ...at(place), maxRetries: RETRIES }
    const { get } = this.#options.api
    this.#track('prime', 0, false, async (label) => {
      const refs = [
        leaf.options(options).remote(`${label}/l`, 0, 0),
        inc.options(options).remote(`${label}/i`, -1),
        sumOf.options(options).remote(`${label}/s`, []),
      ]
      try {
        return sum(await get(refs))
      } finally {
        for (const ref of refs) ref.release()
      }
    })
  }

  /** One random piece of work. */
  step(): void {
    if (this.#options.towers !== undefined && this.#towers.float() < TOWERS) this.#tower(this.#options.towers.isFragile)
    const draw = this.#random.float()
    const n = randomInt(this.#random, 1_000)
    const { make, makeLarge, spawn, chain, fanIn, relay, box, derive } = this.#work
    const options = this.#placed()
    const item = this.#pick()
    if (draw < 0.04) this.#once(n, this.#random.float() * 2_000, { ...options, maxRetries: 0 })
    else if (draw < 0.12) this.#make('make', n, false, (label) => make.options(options).remote(label, n))
    else if (draw < 0.17) {
      const length = 15_000 + randomInt(this.#random, 30_000)
      this.#make('large', n * length, true, (label) => makeLarge.options(options).remote(label, n, length))
    } else if (draw < 0.3) {
      const ms = this.#random.float() * 1_500
      this.#make('spawn', n, false, (label) => spawn.options(options).remote(label, 1, ms, n))
    } else if (draw < 0.38) {
      const length = 2 + randomInt(this.#random, 5)
      this.#make('chain', n + length, false, (label) => chain.options(options).remote(label, length, n))
    } else if (draw < 0.46) {
      const width = 2 + randomInt(this.#random, 8)
      const expected = width * n + (width * (width - 1)) / 2
      this.#make('fan-in', expected, false, (label) => fanIn.options(options).remote(label, width, n))
    } else if (item === undefined) return
    else if (draw < 0.58) this.#hand(item, 0, 0, (label) => relay.options(options).remote(label, [item.ref]))
    else if (draw < 0.66) this.#hand(item, 1, 0, (label) => box.options(options).remote(label, [item.ref]))
    else if (draw < 0.74 && item.depth === 0 && !item.label.includes('large'))
      this.#hand(item, 0, 1, (label) => derive.options(options).remote(label, [item.ref]))
    else if (draw < 0.8) this.#pass(item)
    else if (draw < 0.88) this.#readAt(item, options)
    else if (draw < 0.94) this.#read(item)
    else this.#release(item)
    if (this.#items.length > MOST_ITEMS) this.#release(must(this.#pick()))
  }

  /** O1: what is held can be read. */
  readAll(): void {
    for (const item of this.#items) this.#read(item)
  }

  releaseAll(): void {
    for (const { ref } of this.#items.splice(0)) ref.release()
  }

  #make(kind: string, expected: number, isFragile: boolean, start: (label: string) => ObjectRef<Refs>): void {
    this.#track(kind, expected, isFragile, async (label) => {
      using outer = start(label)
      const [ref] = await this.#options.api.get(outer)
      this.#items.push({ ref: must(ref), expected, depth: 0, isFragile, label, users: 0 })
      return expected
    })
  }

  /** A task that may not be run again: it is lost with its tab. */
  #once(n: number, ms: number, options: Placed): void {
    this.#track('once', n, true, async (label) => {
      using result = this.#work.leaf.options(options).remote(label, ms, n)
      return await this.#options.api.get(result)
    })
  }

  /** Large values, each made of the one below in some other tab; only the last one's ref is kept. */
  #tower(isFragile: boolean): void {
    const { places, home } = this.#options
    const among = places().filter((place) => place !== home)
    const n = randomInt(this.#towers, 1000)
    const levels = Array.from({ length: 3 + randomInt(this.#towers, 6) }, () =>
      must(among[randomInt(this.#towers, among.length)]),
    )
    const expected = n + levels.length
    this.#track('large tower', expected, isFragile, async (label) => {
      let ref: ObjectRef<Float64Array> | undefined
      for (const [level, place] of levels.entries()) {
        const options = { ...at(place), maxRetries: RETRIES }
        const next: ObjectRef<Float64Array> = this.#work.grow.options(options).remote(`${label}/${level}`, ref, n)
        ref?.release()
        ref = next
      }
      this.#items.push({ ref: must(ref), expected, depth: 0, isFragile, label, users: 0 })
      await this.#options.api.wait([must(ref)])
      return expected
    })
  }

  /** A task is lent an item and gives it, or what it made of it, back. */
  #hand(item: Item, deeper: number, more: number, start: (label: string) => ObjectRef<Refs>): void {
    const expected = item.expected + more
    this.#track('hand', expected, item.isFragile, async (label) => {
      item.users++
      try {
        using outer = start(label)
        const [ref] = await this.#options.api.get(outer)
        const depth = item.depth + deeper
        this.#items.push({ ref: must(ref), expected, depth, isFragile: item.isFragile, label: item.label, users: 0 })
        return expected
      } finally {
        item.users--
      }
    })
  }

  /** Through several tabs one after another, each of which lets go at once; the driver has let go too. */
  #pass(item: Item): void {
    const { relay } = this.#work
    const hops = 2 + randomInt(this.#random, 3)
    const places = Array.from({ length: hops }, () => this.#placed())
    this.#take(item)
    this.#track('pass', item.expected, item.isFragile, async (label) => {
      let ref: ObjectRef<unknown> = item.ref
      for (const [hop, options] of places.entries()) {
        using outer = relay.options(options).remote(`${label}/${hop}`, [ref])
        ref.release()
        const [next] = await this.#options.api.get(outer)
        ref = must(next)
      }
      this.#items.push({ ...item, ref, users: 0 })
      return item.expected
    })
  }

  #readAt(item: Item, options: Placed): void {
    const { readIn } = this.#work
    this.#track('read-at', item.expected, item.isFragile, async (label) => {
      item.users++
      try {
        using result = readIn.options(options).remote(label, item.depth, [item.ref])
        return await this.#options.api.get(result)
      } finally {
        item.users--
      }
    })
  }

  #read(item: Item): void {
    this.#track('read', item.expected, item.isFragile, async () => {
      item.users++
      try {
        return await this.#open(item.ref, item.depth)
      } finally {
        item.users--
      }
    })
  }

  async #open(ref: ObjectRef<unknown>, depth: number): Promise<number> {
    const value = await this.#options.api.get(ref)
    if (depth === 0) return value instanceof Float64Array ? sum(value) : (value as number)
    using inner = must((value as Refs)[0])
    return await this.#open(inner, depth - 1)
  }

  #release(item: Item): void {
    if (item.users > 0) return
    this.#take(item)
    item.ref.release()
  }

  #take(item: Item): void {
    this.#items = this.#items.filter((other) => other !== item)
  }

  #pick(): Item | undefined {
    const free = this.#items.filter(({ users }) => users === 0)
    return free[randomInt(this.#random, free.length)]
  }

  /** Mostly at a tab by name, so that others than the driver own what comes of it. */
  #placed(): Placed {
    const places = this.#options.places()
    const place = this.#random.float() < 0.8 ? places[randomInt(this.#random, places.length)] : undefined
    return { maxRetries: RETRIES, ...(place === undefined ? {} : at(place)) }
  }

  #track(kind: string, expected: number, isFragile: boolean, run: (label: string) => Promise<number>): void {
    const { now, settled } = this.#options
    const label = `${this.#options.name}.${++this.#count} ${kind}`
    const operation: LedgerOperation = {
      label,
      expected,
      isFragile,
      startedMs: now(),
      endedMs: undefined,
      outcome: undefined,
    }
    this.operations.push(operation)
    const end = (outcome: LedgerOperation['outcome']): void => {
      operation.outcome = outcome
      operation.endedMs = now()
      settled(operation)
    }
    run(label).then(
      (value) => end({ value }),
      (error: unknown) => end({ error }),
    )
  }
}

function at(place: string): Placed {
  return { resources: { [place]: 1 }, numCpus: 0 }
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}

/** Each stands alone, as user code must. */
function declareWork(api: Api) {
  const { remote } = api
  const leaf = remote(
    async (label: string, ms: number, n: number) => {
      simRun(label)
      await simSleep(ms)
      return n
    },
    { maxRetries: 30 },
  )
  const inc = remote(
    (label: string, n: number) => {
      simRun(label)
      return n + 1
    },
    { maxRetries: 30 },
  )
  const sumOf = remote(
    {},
    async ({ get }, label: string, refs: readonly ObjectRef<number>[]) => {
      simRun(label)
      const values = await get(refs)
      for (const ref of refs) ref.release()
      return values.reduce((total, item) => total + item, 0)
    },
    { maxRetries: 30 },
  )
  const make = remote({}, ({ put }, label: string, n: number): Refs => {
    simRun(label)
    return [put(n)]
  })
  const grow = remote((label: string, below: Float64Array | undefined, n: number) => {
    simRun(label)
    const value = new Float64Array(14_000)
    value[0] = (below?.[0] ?? n) + 1
    return value
  })
  const makeLarge = remote({}, ({ put }, label: string, n: number, length: number): Refs => {
    simRun(label)
    return [put(new Float64Array(length).fill(n))]
  })
  const spawn = remote(
    { leaf },
    ({ leaf: child, context }, label: string, width: number, ms: number, n: number): Refs => {
      simRun(label)
      return Array.from({ length: width }, (_, i) => child.remote(`${label}@${context().attempt}/${i}`, ms, n + i))
    },
  )
  const chain = remote({ inc }, ({ inc: child, context }, label: string, length: number, n: number): Refs => {
    simRun(label)
    let ref = child.remote(`${label}@${context().attempt}/0`, n)
    for (let i = 1; i < length; i++) {
      const next = child.remote(`${label}@${context().attempt}/${i}`, ref)
      ref.release()
      ref = next
    }
    return [ref]
  })
  const fanIn = remote(
    { leaf, sumOf },
    ({ leaf: child, sumOf: total, context }, label: string, width: number, n: number): Refs => {
      simRun(label)
      const own = `${label}@${context().attempt}`
      const refs = Array.from({ length: width }, (_, i) => child.remote(`${own}/${i}`, 10 * i, n + i))
      const ref = total.remote(`${own}/sum`, refs)
      for (const each of refs) each.release()
      return [ref]
    },
  )
  const relay = remote({}, (_, label: string, refs: Refs): Refs => {
    simRun(label)
    return refs
  })
  const box = remote({}, ({ put }, label: string, refs: Refs): Refs => {
    simRun(label)
    return [put(refs)]
  })
  // The child's argument is a ref that this task was only lent.
  const derive = remote({ inc }, ({ inc: child, context }, label: string, [ref]: Refs): Refs => {
    simRun(label)
    return [child.remote(`${label}@${context().attempt}/d`, ref as ObjectRef<number>)]
  })
  const readIn = remote({}, async ({ get }, label: string, depth: number, refs: Refs) => {
    simRun(label)
    let value: unknown = refs
    for (let level = 0; level <= depth; level++) value = await get((value as Refs)[0] as ObjectRef<unknown>)
    return value instanceof Float64Array ? value.reduce((total, item) => total + item, 0) : (value as number)
  })
  return { leaf, inc, sumOf, make, makeLarge, grow, spawn, chain, fanIn, relay, box, derive, readIn }
}
