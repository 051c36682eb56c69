import { must, randomInt } from '@shoal/base'
import type { Api, ObjectRef, TaskOptions } from '@shoal/core-worker'
import type { SimRandom } from './sim-random.ts'

/** What tasks find by name: every run tells who it is. */
declare const simRun: (label: string) => void
declare const simSleep: (ms: number) => Promise<void>

/** What a task must come to when nothing goes wrong: a number, or an error that the user's code throws. */
type Expected =
  { readonly kind: 'value'; readonly value: number } | { readonly kind: 'throws' } | { readonly kind: 'any' }

export interface Operation {
  readonly label: string
  readonly expected: Expected
  /** Runs allowed after the first one. */
  readonly maxRetries: number
  readonly ref: ObjectRef<number>
  /** Its own run may be lost with an actor, which no retry brings back. */
  readonly usesActor: boolean
  outcome:
    | { readonly kind: 'value'; readonly value: unknown }
    | { readonly kind: 'error'; readonly error: unknown }
    | undefined
}

interface LargeObject {
  readonly ref: ObjectRef<Float64Array>
  readonly sum: number
}

export interface WorkloadHandlers {
  submitted(operation: Operation): void
  settled(operation: Operation): void
}

const RETRIES = [0, 1, 3, -1]

/**
 * A driver's random mix of work, with what each part must come to: sums of sums, refs as arguments and inside them,
 * large values, several returns, nested tasks, tasks that throw, actors called from here and from tasks.
 */
export class RoomWorkload {
  readonly operations: Operation[] = []
  readonly #api: Api
  readonly #random: SimRandom
  readonly #placements: SimRandom
  readonly #name: string
  readonly #handlers: WorkloadHandlers
  readonly #work: ReturnType<typeof declareWork>
  readonly #large: LargeObject[] = []
  readonly #released = new Set<Operation>()
  #submitted = 0
  readonly #tallies: {
    readonly handle: ReturnType<ReturnType<typeof declareWork>['Tally']['remote']>
    total: number
  }[] = []

  constructor(name: string, api: Api, random: SimRandom, handlers: WorkloadHandlers) {
    this.#name = name
    this.#api = api
    this.#random = random
    this.#placements = random.fork('placement')
    this.#handlers = handlers
    this.#work = declareWork(api)
  }

  get isSettled(): boolean {
    return this.operations.every(({ outcome }) => outcome !== undefined)
  }

  /** Submits one random piece of work. */
  submit(): void {
    const { add, nap, fail, big, sum, nested, tower, inside, pair, callTally, Tally } = this.#work
    const n = randomInt(this.#random, 1000)
    const label = `${this.#name}.${++this.#submitted}`
    const draw = this.#random.float()
    const maxRetries = must(RETRIES[randomInt(this.#random, RETRIES.length)])
    const options = { maxRetries, ...this.#placement() }
    if (draw < 0.25) {
      const [a, b] = [this.#argument(n), this.#argument(n + 1)]
      this.#track(label, plus(a.expected, b.expected), maxRetries, add.options(options).remote(label, a.value, b.value))
    } else if (draw < 0.4) {
      const ms = 1 + this.#random.float() * 400
      this.#track(label, value(n), maxRetries, nap.options(options).remote(label, ms, n))
    } else if (draw < 0.45) {
      this.#track(label, { kind: 'throws' }, maxRetries, fail.options(options).remote(label, n))
    } else if (draw < 0.52) {
      const length = 2_000 + randomInt(this.#random, 60_000)
      this.#large.push({ ref: big.options(options).remote(label, length, n), sum: length * n })
    } else if (draw < 0.55) {
      const array = new Float64Array(20_000 + randomInt(this.#random, 20_000)).fill(n)
      this.#large.push({ ref: this.#api.put(array), sum: array.length * n })
    } else if (draw < 0.65 && this.#large.length > 0) {
      const large = must(this.#large[randomInt(this.#random, this.#large.length)])
      this.#track(label, value(large.sum), maxRetries, sum.options(options).remote(label, large.ref))
    } else if (draw < 0.75) {
      const width = 1 + randomInt(this.#random, 4)
      const ms = this.#random.float() * 50
      const expected = value(width * n + (width * (width - 1)) / 2)
      this.#track(label, expected, maxRetries, nested.options(options).remote(label, width, n, ms))
    } else if (draw < 0.79) {
      this.#track(label, value(4 * n + 2), maxRetries, tower.options(options).remote(label, n))
    } else if (draw < 0.84) {
      const [a, b] = [this.#operand(), this.#operand()]
      if (a === undefined || b === undefined || a === b) return
      const expected = plus(a.expected, b.expected)
      this.#track(label, expected, maxRetries, inside.options(options).remote(label, [a.ref, b.ref]), usesActor(a, b))
    } else if (draw < 0.87) {
      const length = 3_000 + randomInt(this.#random, 30_000)
      const refs = pair.options(options).remote(label, n, length) as unknown as [
        ObjectRef<number>,
        ObjectRef<Float64Array>,
      ]
      this.#track(label, value(n), maxRetries, refs[0])
      this.#large.push({ ref: refs[1], sum: length * n })
    } else if (draw < 0.91) {
      this.#hand(label, n, maxRetries)
    } else if (draw < 0.92 || this.#tallies.length === 0) {
      this.#tallies.push({ handle: Tally.remote(`${label}!`), total: 0 })
    } else if (draw < 0.97) {
      const tally = must(this.#tallies[randomInt(this.#random, this.#tallies.length)])
      tally.total += n
      const { handle, total } = tally
      const isSlow = this.#random.float() < 0.3
      const ref = isSlow ? handle.slowAdd.remote(label, n, 1 + this.#random.float() * 60) : handle.add.remote(label, n)
      this.#track(label, value(total), 0, ref, true)
    } else {
      const tally = must(this.#tallies[randomInt(this.#random, this.#tallies.length)])
      const ref = callTally.options(options).remote(label, tally.handle, 0)
      this.#track(label, { kind: 'any' }, maxRetries, ref, true)
    }
  }

  /** Lets go of a ref that has its outcome already; what still needs it has it as an argument. */
  releaseOne(): void {
    const settled = this.operations.filter(({ outcome }) => outcome !== undefined)
    const one = settled[randomInt(this.#random, settled.length)]
    if (one !== undefined) this.#released.add(one)
    one?.ref.release()
    if (this.#large.length > 3) this.#large.splice(randomInt(this.#random, this.#large.length), 1)[0]?.ref.release()
  }

  releaseAll(): void {
    for (const { ref } of [...this.operations, ...this.#large]) ref.release()
  }

  #track(label: string, expected: Expected, maxRetries: number, ref: ObjectRef<number>, isActors = false): void {
    const operation: Operation = { label, expected, maxRetries, ref, usesActor: isActors, outcome: undefined }
    this.operations.push(operation)
    this.#handlers.submitted(operation)
    this.#api.get(ref).then(
      (result) => this.#settle(operation, { kind: 'value', value: result }),
      (error: unknown) => this.#settle(operation, { kind: 'error', error }),
    )
  }

  #settle(operation: Operation, outcome: Operation['outcome']): void {
    operation.outcome = outcome
    this.#handlers.settled(operation)
  }

  /** A value that a task has put, its ref handed through several tabs, each of which lets go of it at once. */
  #hand(label: string, n: number, maxRetries: number): void {
    const { give, relay } = this.#work
    const { get, put } = this.#api
    const operation: Operation = {
      label,
      expected: value(n),
      maxRetries,
      ref: put(n),
      usesActor: false,
      outcome: undefined,
    }
    const options = { maxRetries }
    const chain = async (): Promise<number> => {
      using outer = give.options(options).remote(label, n)
      const [inner] = await get(outer)
      const carriers = [relay.options(options).remote(`${label}@0/r`, [must(inner)])]
      inner?.release()
      for (let hop = 1; hop < 3; hop++) {
        const [next] = await get(must(carriers.at(-1)))
        carriers.at(-1)?.release()
        carriers.push(relay.options(options).remote(`${label}@0/r${hop}`, [must(next)]))
        next?.release()
      }
      const [last] = await get(must(carriers.at(-1)))
      carriers.at(-1)?.release()
      using end = must(last)
      return await get(end)
    }
    this.operations.push(operation)
    this.#handlers.submitted(operation)
    chain().then(
      (result) => this.#settle(operation, { kind: 'value', value: result }),
      (error: unknown) => this.#settle(operation, { kind: 'error', error }),
    )
  }

  /** Mostly as Ray does it; some go round the tabs, some ask for more than a CPU. */
  #placement(): Pick<TaskOptions, 'numCpus' | 'resources' | 'schedulingStrategy'> {
    const draw = this.#placements.float()
    return {
      ...(draw < 0.2 && { schedulingStrategy: 'SPREAD' as const }),
      ...(draw > 0.15 && draw < 0.35 && { resources: { camera: 0.4 }, numCpus: 0.5 }),
    }
  }

  /** A number, or the ref of an earlier operation. */
  #argument(n: number): { readonly value: number | ObjectRef<number>; readonly expected: Expected } {
    const operand = this.#random.float() < 0.5 ? this.#operand() : undefined
    if (operand === undefined || operand.usesActor) return { value: n, expected: value(n) }
    return { value: operand.ref, expected: operand.expected }
  }

  #operand(): Operation | undefined {
    const recent = this.operations.slice(-12).filter((operation) => !this.#released.has(operation))
    return recent[randomInt(this.#random, recent.length)]
  }
}

/** The remote functions of a workload; each stands alone, as user code must. */
function declareWork(api: Api) {
  const { remote, actor } = api
  const add = remote((label: string, a: number, b: number) => {
    simRun(label)
    return a + b
  })
  const nap = remote(async (label: string, ms: number, n: number) => {
    simRun(label)
    await simSleep(ms)
    return n
  })
  const fail = remote((label: string, n: number): number => {
    simRun(label)
    throw new RangeError(`no ${n}`)
  })
  const big = remote((label: string, length: number, n: number) => {
    simRun(label)
    return new Float64Array(length).fill(n)
  })
  const sum = remote((label: string, array: Float64Array) => {
    simRun(label)
    return array.reduce((total, item) => total + item, 0)
  })
  const nested = remote(
    { nap },
    async ({ nap: leaf, get, context }, label: string, width: number, n: number, ms: number) => {
      simRun(label)
      const refs = Array.from({ length: width }, (_, i) => leaf.remote(`${label}@${context().attempt}/${i}`, ms, n + i))
      try {
        return (await get(refs)).reduce((total, item) => total + item, 0)
      } finally {
        for (const ref of refs) ref.release()
      }
    },
  )
  const tower = remote({ nested }, async ({ nested: inner, get, context }, label: string, n: number) => {
    simRun(label)
    const refs = [0, 1].map((i) => inner.remote(`${label}@${context().attempt}/${i}`, 2, n, 5))
    try {
      return (await get(refs)).reduce((total, item) => total + item, 0)
    } finally {
      for (const ref of refs) ref.release()
    }
  })
  const inside = remote({}, async ({ get }, label: string, refs: readonly ObjectRef<number>[]) => {
    simRun(label)
    try {
      return (await get(refs)).reduce((total, item) => total + item, 0)
    } finally {
      for (const ref of refs) ref.release()
    }
  })
  const give = remote({}, ({ put }, label: string, n: number): ObjectRef<number>[] => {
    simRun(label)
    return [put(n)]
  })
  // The ref of its child's result goes out, and the child's argument is a ref that this task was only lent.
  const relay = remote({ add }, ({ add: child, context }, label: string, [ref]: readonly ObjectRef<number>[]) => {
    simRun(label)
    return ref === undefined ? [] : [child.remote(`${label}@${context().attempt}/c`, ref, 0)]
  })
  const pair = remote(
    (label: string, n: number, length: number): [number, Float64Array] => {
      simRun(label)
      return [n, new Float64Array(length).fill(n)]
    },
    { numReturns: 2 },
  )
  const Tally = actor(
    class {
      total = 0
      constructor(label: string) {
        simRun(label)
      }
      add(label: string, n: number): number {
        simRun(label)
        this.total += n
        return this.total
      }
      async slowAdd(label: string, n: number, ms: number): Promise<number> {
        simRun(label)
        await simSleep(ms)
        this.total += n
        return this.total
      }
    },
  )
  const callTally = remote(
    {},
    async (
      { get, context },
      label: string,
      tally: { add: { remote(label: string, n: number): ObjectRef<number> } },
      n: number,
    ) => {
      simRun(label)
      const ref = tally.add.remote(`${label}@${context().attempt}/call`, n)
      try {
        return await get(ref)
      } finally {
        ref.release()
      }
    },
  )
  return { add, nap, fail, big, sum, nested, tower, inside, give, relay, pair, callTally, Tally }
}

function value(n: number): Expected {
  return { kind: 'value', value: n }
}

function plus(a: Expected, b: Expected): Expected {
  if (a.kind === 'value' && b.kind === 'value') return value(a.value + b.value)
  return a.kind === 'throws' || b.kind === 'throws' ? { kind: 'throws' } : { kind: 'any' }
}

function usesActor(...operations: readonly Operation[]): boolean {
  return operations.some((operation) => operation.usesActor)
}
