// Long because the work, and what each part of it must come to, are told beside the code that runs it.
import { must, randomInt } from '@shoal/base'
import type { ActorOptions, Api, ObjectRef, ObjectRefGenerator, TaskOptions } from '@shoal/core-worker'
import { declareActors } from './actor-classes.ts'
import type { Handle } from './actor-classes.ts'
import type { ActorOracle, ActorSpec, Told } from './actor-oracle.ts'
import type { SimRandom } from './sim-random.ts'

/** A handle that the driver holds. */
interface Item {
  readonly handle: Handle
  readonly spec: ActorSpec
  /** Of actors that ask each other, later ones never ask earlier ones: two that wait for each other would wait for ever. */
  readonly place: number
  /** The driver's calls through this handle. */
  readonly caller: string
  calls: number
  /** Operations that have to find the handle still held. */
  users: number
}

/** A piece of work around the calls: what it comes to is for the calls to say, but it comes to an end. */
export interface ActorOperation {
  readonly label: string
  isCancelled: boolean
  outcome: { readonly error: unknown } | 'done' | undefined
}

export interface ActorWorkloadOptions {
  readonly name: string
  readonly api: Api
  readonly random: SimRandom
  readonly oracle: ActorOracle
  /** The driver's own tab among them. */
  readonly home: string
  /** Whether the tab is still there. */
  isPresent(): boolean
  /** Names of tabs that work may ask for. */
  places(): readonly string[]
  count(name: string): void
  note(text: string): void
  after(ms: number, callback: () => void): void
}

type Placed = Pick<TaskOptions, 'maxRetries' | 'numCpus' | 'resources'>

const NAMESPACE = 'room'
const SHARED_NAMES = ['x0', 'x1', 'x2']
const MOST_ITEMS = 9
/** So many tabs may die under one task in a run, and more do not. */
const RETRIES = 30

/**
 * A driver of actors: made here and by tasks elsewhere, called from its page, from tasks at other tabs, through objects and
 * by other actors; killed, asked to leave, crashed, cancelled, let go, named and found again. The oracle knows of each.
 */
export class ActorWorkload {
  readonly operations: ActorOperation[] = []
  readonly #options: ActorWorkloadOptions
  readonly #random: SimRandom
  readonly #work: ReturnType<typeof declareActors>
  #items: Item[] = []
  #count = 0
  #isHeavy = false

  constructor(options: ActorWorkloadOptions) {
    this.#options = options
    this.#random = options.random
    this.#work = declareActors(options.api)
  }

  get isSettled(): boolean {
    return this.operations.every(({ outcome }) => outcome !== undefined)
  }

  /** Code handed by name may leave a tab only once that tab has a grant for it, which a run there brings. */
  prime(place: string): void {
    const { Counter, later } = this.#work
    const { get } = this.#options.api
    void this.#track('prime', async (label) => {
      const spec = this.#spec(label, { maxRestarts: -1 })
      const handle = Counter.options({ ...at(place), maxRestarts: -1 }).remote(label)
      await this.#add({ handle, spec, place: 0, caller: label, calls: 0, users: 0 }, Infinity, 'add')
      spec.isEnded = true
      handle[Symbol.dispose]()
      using ref = later.options({ ...at(place), maxRetries: RETRIES }).remote(0)
      await get(ref)
    })
  }

  /** One random piece of work. */
  step(): void {
    const draw = this.#random.float()
    const item = this.#pick()
    const isSecond = this.#random.float() < 0.5
    if (draw < 0.12) this.#create()
    else if (draw < 0.24) this.#createElsewhere()
    else if (draw < 0.27) this.#race()
    else if (draw < 0.29) this.#createDetached()
    else if (draw < 0.33) this.#findDetached()
    else if (item === undefined) return
    else if (draw < 0.52) for (let i = 1 + randomInt(this.#random, 4); i > 0; i--) this.#call(item)
    else if (draw < 0.7) this.#callElsewhere(item, isSecond)
    else if (draw < 0.77) this.#ask(item)
    else if (draw < 0.8) this.#stream(item)
    else if (draw < 0.83) this.#cancel(item)
    else if (draw < 0.87) this.#kill(item, isSecond && this.#random.float() < 0.5)
    else if (draw < 0.89) this.#crash(item)
    else if (draw < 0.9) this.#leave(item)
    else if (draw < 0.94) this.#pass(item)
    else this.#release(item)
    if (this.#items.length > MOST_ITEMS) this.#release(must(this.#pick()))
  }

  /** A3: what is held is called from here and from elsewhere, and is one actor. */
  callAll(): void {
    for (const item of this.#items) {
      void this.#add(item, Infinity, 'add')
      this.#callElsewhere(item, false)
    }
  }

  /** What is held, with its spec, in an order that is the same each time. */
  releaseAll(): void {
    for (const { handle, spec } of this.#items.splice(0)) this.#drop(handle, spec)
  }

  /** Ends what only a name leads to. Gives the names that nobody found. */
  async endDetached(specs: readonly ActorSpec[]): Promise<ActorSpec[]> {
    const missing: ActorSpec[] = []
    for (const spec of specs) {
      const handle = await this.#find(must(spec.name))
      if (handle === undefined) missing.push(spec)
      else this.#options.api.kill(handle)
      handle?.[Symbol.dispose]()
    }
    return missing
  }

  async #find(name: string): Promise<Handle | undefined> {
    try {
      return (await this.#options.api.getActor(name, { namespace: NAMESPACE })) as unknown as Handle
    } catch {
      return undefined
    }
  }

  #create(): void {
    void this.#track('made', (label) => {
      const options = this.#drawn()
      this.#hold(label, this.#work.Counter.options(options).remote(label), this.#spec(label, options))
      return Promise.resolve()
    })
  }

  /** By a task: then that tab owns it. */
  #createElsewhere(): void {
    const options = this.#drawn()
    const where = this.#placed()
    void this.#track('sent', async (label) => {
      const spec = this.#spec(label, options)
      using ref = this.#work.make.options(where).remote(label, options)
      const [handle] = await this.#options.api.get(ref)
      this.#hold(label, must(handle), spec)
    })
  }

  /** Several want one name at once, here and elsewhere; the actors of all but one are never made. */
  #race(): void {
    const name = must(SHARED_NAMES[randomInt(this.#random, SHARED_NAMES.length)])
    const options = { ...this.#drawn(), name, namespace: NAMESPACE, getIfExists: true }
    const retries = this.#retries()
    this.#options.count('name race')
    void this.#track('shared', (label) => {
      this.#hold(label, this.#work.Counter.options(options).remote(label), this.#spec(label, options))
      return Promise.resolve()
    })
    for (const where of [this.#placed(), this.#placed()])
      void this.#track('claims', async (label) => {
        const spec = this.#spec(label, options)
        const plan = { caller: label, label, count: 1, ms: 0, retries }
        using ref = this.#work.claim.options(where).remote(plan, options)
        await this.#options.api.get(ref)
        spec.isEnded = true
      })
  }

  /** Its handle is dropped at once: it goes on by its name alone. */
  #createDetached(): void {
    const drawn = this.#drawn()
    void this.#track('detached', async (label) => {
      const options = { ...drawn, name: `d-${label}`, namespace: NAMESPACE, lifetime: 'detached' as const }
      const spec = this.#spec(label, options)
      const handle = this.#work.Counter.options(options).remote(label)
      await this.#add({ handle, spec, place: 0, caller: label, calls: 0, users: 0 }, Infinity, 'add')
      spec.isHeard = true
      handle[Symbol.dispose]()
    })
  }

  #findDetached(): void {
    const { oracle } = this.#options
    const all = [...oracle.specs.values()].filter(({ isDetached, isEnded }) => isDetached && !isEnded)
    const spec = all[randomInt(this.#random, all.length)]
    if (spec?.name === undefined) return
    const { name } = spec
    void this.#track('found', async (label) => {
      const handle = await this.#find(name)
      if (handle === undefined) return
      if (!oracle.isPresent(spec.driver)) this.#options.count('detached survives its driver')
      await this.#add({ handle, spec, place: 0, caller: label, calls: 0, users: 0 }, 3, 'add')
      handle[Symbol.dispose]()
    })
  }

  #call(item: Item): void {
    const draw = this.#random.float()
    if (draw < 0.45) void this.#add(item, this.#retries(), 'add')
    else if (draw < 0.75) void this.#add(item, this.#retries(), 'slowly')
    else if (draw < 0.9) void this.#add(item, this.#retries(), 'read')
    else void this.#add(item, this.#retries(), 'fail')
  }

  #add(item: Item, retries: number, kind: 'add' | 'slowly' | 'read' | 'fail' | 'leave' | 'crash'): Promise<void> {
    const { handle } = item
    const ms = this.#random.float() * 800
    const added = randomInt(this.#random, 9)
    const where = this.#placed()
    const options = { maxTaskRetries: retries }
    return this.#issued(item, retries, kind, (caller, n): ObjectRef<Told> => {
      switch (kind) {
        case 'add':
          return handle.add.options(options).remote(caller, n, added)
        case 'slowly':
          return handle.slowly.options(options).remote(caller, n, added, ms)
        case 'read': {
          using ref = this.#work.later.options(where).remote(ms / 2)
          return handle.read.options(options).remote(caller, n, [ref])
        }
        case 'fail':
          return handle.fail.options(options).remote(caller, n)
        case 'leave':
          return handle.leave.options(options).remote(caller, n)
        case 'crash':
          return handle.crash.options(options).remote(caller, n)
      }
    })
  }

  /** A call of the driver's page. */
  #issued(
    item: Item,
    retries: number,
    kind: string,
    start: (caller: string, n: number) => ObjectRef<Told>,
  ): Promise<void> {
    const { oracle, api, isPresent } = this.#options
    const { caller, spec } = item
    const n = item.calls++
    oracle.issue({ caller, label: spec.label, n, retries, mayThrow: kind === 'fail', isAlive: isPresent })
    return this.#track(`calls ${caller} #${n} ${kind}`, async () => {
      using ref = start(caller, n)
      try {
        oracle.told(caller, n, { value: await api.get(ref) })
      } catch (error) {
        oracle.told(caller, n, { error })
      }
    })
  }

  /** From another tab, directly or through an object that holds the handle. */
  #callElsewhere(item: Item, isThroughObject: boolean): void {
    const { api } = this.#options
    const { label } = item.spec
    const where = this.#placed()
    const drawn = { count: 1 + randomInt(this.#random, 5), ms: this.#random.float() * 400, retries: this.#retries() }
    item.users++
    void this.#track('elsewhere', async (own) => {
      const plan = { caller: own, label, ...drawn }
      try {
        if (isThroughObject) {
          using object = api.put([item.handle])
          using ref = this.#work.call.options(where).remote(plan, object)
          await api.get(ref)
        } else {
          using ref = this.#work.call.options(where).remote(plan, [item.handle])
          await api.get(ref)
        }
      } finally {
        item.users--
      }
    })
  }

  /** One actor calls another, which is a caller of its own. */
  #ask(item: Item): void {
    const other = this.#pick()
    if (other === undefined || other === item) return
    const [first, second] = item.place < other.place ? [item, other] : [other, item]
    if (first.spec.isShared || second.spec.isShared) return
    const [outer, inner] = [this.#retries(), this.#retries()]
    void this.#issued(first, outer, 'ask', (caller, n) =>
      first.handle.ask.options({ maxTaskRetries: outer }).remote(caller, n, second.handle, second.spec.label, inner),
    )
  }

  #stream(item: Item): void {
    const { oracle, api, isPresent } = this.#options
    const { caller, spec, handle } = item
    const n = item.calls++
    const retries = this.#retries()
    const wanted = 2 + randomInt(this.#random, 5)
    const ms = this.#random.float() * 200
    const isLeft = this.#random.float() < 0.3
    oracle.issue({ caller, label: spec.label, n, retries, mayThrow: false, isAlive: isPresent })
    void this.#track(`streams ${caller} #${n}`, async () => {
      let last: Told | undefined
      try {
        const stream = handle.items.options({ maxTaskRetries: retries }).remote(caller, n, wanted, ms) as unknown
        for await (const ref of stream as ObjectRefGenerator<Told>) {
          using item = ref
          const told = await api.get(item)
          const index = last === undefined ? 0 : last[2] + 1
          if (told[2] !== index) throw new Error(`item ${index} is ${told[2]}`)
          last = told
          if (isLeft && index > 0) break
        }
        if (last === undefined || (last[2] !== wanted - 1 && !isLeft)) throw new Error('a stream ended early')
        const [serial, run] = last
        oracle.told(caller, n, { value: [serial, run, -1] })
        this.#options.count('stream read')
      } catch (error) {
        oracle.told(caller, n, { error })
      }
    })
  }

  #cancel(item: Item): void {
    const { oracle, api } = this.#options
    const retries = this.#retries()
    const afterMs = this.#random.float() * 500
    const isPages = this.#random.float() < 0.5
    if (isPages) {
      let ref: ObjectRef<Told> | undefined
      let isOver = false
      oracle.cancelled.add(`${item.caller} #${item.calls}`)
      const issued = this.#issued(item, retries, 'slowly', (caller, n) => {
        ref = item.handle.slowly.options({ maxTaskRetries: retries }).remote(caller, n, 1, 600)
        return ref
      })
      void issued.then(() => (isOver = true))
      this.#options.count('call cancelled')
      this.#options.after(afterMs, () => {
        if (ref !== undefined && !isOver) api.cancel(ref)
      })
      return
    }
    const where = this.#placed()
    const { label } = item.spec
    item.users++
    this.#options.count('caller cancelled')
    const operation = this.#begun('cancelled')
    operation.isCancelled = true
    oracle.cancelled.add(operation.label)
    const ref = this.#work.call
      .options(where)
      .remote({ caller: operation.label, label, count: 4, ms: 400, retries }, [item.handle])
    this.#options.after(afterMs, () => {
      if (operation.outcome === undefined) api.cancel(ref)
    })
    void this.#end(operation, async () => {
      try {
        await api.get(ref)
      } finally {
        item.users--
        ref.release()
      }
    })
  }

  #kill({ handle, spec }: Item, noRestart: boolean): void {
    const { api, oracle, count, note } = this.#options
    if (noRestart) spec.isEnded = true
    else spec.restartKills++
    const lives = oracle.incarnations.filter((each) => each.spec === spec)
    if (lives.length > 0 && !lives.some((each) => each.isAlive())) count('killed while it is made again')
    count(noRestart ? 'killed' : 'killed to restart')
    note(`${spec.label} is killed${noRestart ? '' : ' to restart'}`)
    api.kill(handle, { noRestart })
  }

  #crash(item: Item): void {
    this.#options.count('crash')
    void this.#add(item, 0, 'crash')
  }

  #leave(item: Item): void {
    item.spec.isEnded = true
    this.#options.count('exitActor')
    void this.#add(item, 0, 'leave')
  }

  /** Through several tabs one after another, each of which lets go at once; the driver has let go too. */
  #pass(item: Item): void {
    if (item.users > 0) return
    const hops = Array.from({ length: 1 + randomInt(this.#random, 3) }, () => this.#placed())
    this.#take(item)
    void this.#track('pass', async (label) => {
      let { handle } = item
      for (const where of hops) {
        using outer = this.#work.relay.options(where).remote([handle])
        handle[Symbol.dispose]()
        const [next] = await this.#options.api.get(outer)
        handle = must(next)
      }
      this.#items.push({ ...item, handle, caller: label, calls: 0, users: 0 })
    })
  }

  #hold(label: string, handle: Handle, spec: ActorSpec): void {
    this.#items.push({ handle, spec, place: this.#count++, caller: label, calls: 0, users: 0 })
  }

  #release(item: Item): void {
    if (item.users > 0) return
    this.#take(item)
    this.#drop(item.handle, item.spec)
  }

  #drop(handle: Handle, spec: ActorSpec): void {
    handle[Symbol.dispose]()
    this.#options.count('handle dropped')
    this.#options.note(`the handle of ${spec.label} is dropped`)
  }

  #take(item: Item): void {
    this.#items = this.#items.filter((other) => other !== item)
  }

  #pick(): Item | undefined {
    return this.#items[randomInt(this.#random, this.#items.length)]
  }

  #spec(label: string, options: ActorOptions): ActorSpec {
    const { maxRestarts = 0, maxConcurrency = 1, name, lifetime, getIfExists } = options
    const spec: ActorSpec = {
      label,
      driver: this.#options.name,
      maxRestarts: maxRestarts < 0 ? Infinity : maxRestarts,
      maxConcurrency,
      name,
      isShared: getIfExists === true,
      isDetached: lifetime === 'detached',
      restartKills: 0,
      isEnded: false,
      isHeard: false,
    }
    this.#options.oracle.specs.set(label, spec)
    return spec
  }

  /** Options of a new actor: light ones for the most part. */
  #drawn(): ActorOptions {
    const random = this.#random
    const places = this.#options.places()
    const place = places[randomInt(random, places.length)]
    const [where, restarts, width, weight] = [random.float(), random.float(), random.float(), random.float()]
    // So few that there is always a CPU for one more.
    const isHeavy = weight < 0.12 && !this.#isHeavy
    this.#isHeavy ||= isHeavy
    return {
      ...(where < 0.75 && place !== undefined ? { resources: { [place]: 1 } } : {}),
      ...(where > 0.85 && { schedulingStrategy: 'SPREAD' as const }),
      numCpus: isHeavy ? 1 : 0,
      maxRestarts: restarts < 0.25 ? 0 : restarts < 0.5 ? 2 : -1,
      maxConcurrency: width < 0.75 ? 1 : 3,
    }
  }

  /** Mostly at a tab by name, so that others than the driver own what comes of it. */
  #placed(): Placed {
    const places = this.#options.places()
    const place = this.#random.float() < 0.8 ? places[randomInt(this.#random, places.length)] : undefined
    return { maxRetries: RETRIES, ...(place === undefined ? {} : at(place)) }
  }

  #retries(): number {
    const draw = this.#random.float()
    return draw < 0.4 ? 0 : draw < 0.7 ? 3 : Infinity
  }

  #track(kind: string, run: (label: string) => Promise<void>): Promise<void> {
    const operation = this.#begun(kind)
    return this.#end(operation, () => run(operation.label))
  }

  #begun(kind: string): ActorOperation {
    const label = `${this.#options.name}.${this.operations.length} ${kind}`
    const operation: ActorOperation = { label, isCancelled: false, outcome: undefined }
    this.operations.push(operation)
    return operation
  }

  async #end(operation: ActorOperation, run: () => Promise<void>): Promise<void> {
    try {
      await run()
      operation.outcome = 'done'
    } catch (error) {
      operation.outcome = { error }
    }
  }
}

function at(place: string): Placed {
  return { resources: { [place]: 1 }, numCpus: 0 }
}
