// Long because every kind of turn stands here beside the others: one tab's part in the long run. What it does is drawn from the seed,
// turn by turn; when it does it is not.
import { randomInt, seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'
import { cancel, get, getActor, kill, put } from '@shoal/sdk'
import type { ActorOptions, ObjectRef } from '@shoal/sdk'
import { at } from '../at.ts'
import { failure, SoakBook, titleOf } from './book.ts'
import type { Live, SoakReport } from './book.ts'
import type { Answer, Told } from './oracle.ts'
import { callFrom, killFrom, makeBytes } from './soak.remote.ts'

export interface SoakOptions {
  /** Of this tab among the others. */
  readonly tab: number
  readonly seed: number
  /** For each tab the resource that it alone has. */
  readonly places: readonly string[]
}

const MOST_LIVE = 16
const MOST_HEAVY = 2
/** Calls and tasks without an outcome; a turn waits past that. */
const MOST_OPEN = 64
const MOST_PAUSE_MS = 80
const NAMESPACE = 'soak'
const LARGE = 150_000
const SHARED_NAMES = 3
const NAMED_SHARE = 0.2
/** Of a tab. */
const NAMES = 24

export class SoakDriver {
  readonly #places: readonly string[]
  readonly #tab: number
  readonly #random: Random
  readonly #book: SoakBook
  readonly #turns: readonly (readonly [weight: number, turn: () => void])[]
  #turn = 0

  constructor({ tab, seed, places }: SoakOptions) {
    this.#tab = tab
    this.#places = places
    this.#random = seededRandom(seed * 31 + tab)
    this.#book = new SoakBook(tab)
    this.#turns = [
      [16, () => this.#make()],
      [40, () => this.#callSome()],
      [8, () => this.#callThere()],
      [6, () => this.#relay()],
      [6, () => this.#stream()],
      [5, () => this.#cancel()],
      [5, () => this.#kill()],
      [3, () => this.#crash()],
      [1, () => this.#leave()],
      [5, () => this.#drop()],
      [5, () => this.#retire()],
      [3, () => this.#share()],
      [2, () => this.#find()],
    ]
  }

  /** Takes turns for so long, then ends all that it has made. Resolves when everything has its outcome. */
  async run(ms: number): Promise<SoakReport> {
    const book = this.#book
    for (const end = performance.now() + ms; performance.now() < end; this.#turn++) {
      const pauseMs = randomInt(this.#random, MOST_PAUSE_MS)
      this.#takeTurn()
      book.count('turns')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      while (book.openCount > MOST_OPEN) await book.oneOver()
    }
    for (const live of book.live) book.retire(live)
    await book.allOver()
    return book.report()
  }

  /**
   * So many calls of one actor, each with options of its own: what is remembered, as far as there is room, of tasks that have
   * ended and of what was asked for.
   */
  async fill(calls: number): Promise<void> {
    const live = this.#book.make({}, {})
    const { handle } = live
    for (let i = 0; i < calls; i++) {
      const add = handle.add.options({ maxTaskRetries: i })
      this.#book.call(live, 'add', (call) => add.remote(call))
    }
    this.#book.retire(live)
    await this.#book.allOver()
  }

  #takeTurn(): void {
    let left = randomInt(
      this.#random,
      this.#turns.reduce((sum, [weight]) => sum + weight, 0),
    )
    for (const [weight, turn] of this.#turns) {
      if (left < weight) {
        turn()
        return
      }
      left -= weight
    }
  }

  #pick<T>(values: readonly T[]): T {
    return values[randomInt(this.#random, values.length)] as T
  }

  #some(accepts: (live: Live) => boolean = () => true): Live | undefined {
    const found = this.#book.live.filter(accepts)
    return found.length === 0 ? undefined : this.#pick(found)
  }

  #make(): void {
    const place = this.#pick(['light', 'light', 'spread', 'placed', 'placed', 'heavy'] as const)
    const tab = this.#pick(this.#places)
    const restarts = {
      maxRestarts: this.#pick([0, 0, 1, 3, -1]),
      maxTaskRetries: this.#pick([0, 0, 0, 1, -1]),
      maxConcurrency: this.#pick([1, 1, 4]),
    }
    const isNamed = this.#random.float() < NAMED_SHARE
    const name = `tab ${this.#tab} name ${randomInt(this.#random, NAMES)}`
    const isDetached = isNamed && this.#random.float() < 0.2
    const { live } = this.#book
    const isHeavy = place === 'heavy'
    if (live.length >= MOST_LIVE) return
    if (isHeavy && live.filter((each) => each.isHeavy).length >= MOST_HEAVY) return
    if (isNamed && live.some((each) => each.name === name)) return
    const options: ActorOptions = {
      ...restarts,
      ...(isHeavy && { numCpus: 0.25 }),
      ...(place === 'spread' && { numCpus: 0, schedulingStrategy: 'SPREAD' }),
      ...(place === 'placed' && at(tab)),
      ...(isNamed && { name, namespace: NAMESPACE }),
      ...(isDetached && { lifetime: 'detached' }),
    }
    this.#book.make(options, { isHeavy, isDetached })
  }

  #callSome(): void {
    const live = this.#some()
    if (live === undefined) return
    for (let calls = 1 + randomInt(this.#random, 6); calls > 0; calls--) this.#call(live)
  }

  #call(live: Live): void {
    const method = this.#pick(['add', 'add', 'add', 'slowly', 'weigh', 'large', 'fail'] as const)
    const draw = randomInt(this.#random, 60)
    const own = this.#random.float() < 0.2 ? this.#pick([0, 2, -1]) : undefined
    const { handle } = live
    const retries = own ?? live.retries
    const options = own === undefined ? {} : { maxTaskRetries: own }
    const book = this.#book
    if (method === 'add') book.call(live, method, (call) => handle.add.options(options).remote(call), { retries })
    else if (method === 'slowly')
      book.call(live, method, (call) => handle.slowly.options(options).remote(call, draw), { retries })
    else if (method === 'weigh') {
      const bytes = draw < 6 ? LARGE : 100 + draw
      const ref = draw % 2 === 0 ? put(new Uint8Array(bytes)) : makeBytes.options({ numCpus: 0 }).remote(bytes)
      const isRight = (answer: Answer): boolean => answer.bytes === bytes
      book.call(live, method, (call) => handle.weigh.options(options).remote(call, ref), { retries, isRight })
      ref.release()
    } else if (method === 'large') {
      const bytes = draw < 6 ? LARGE : 1_000
      const isRight = ({ payload, call }: Answer): boolean =>
        payload?.length === bytes && payload.every((byte) => byte === call % 251)
      book.call(live, method, (call) => handle.large.options(options).remote(call, bytes), { retries, isRight })
    } else if (draw < 20) {
      const again = { maxTaskRetries: 2, retryExceptions: true }
      const kind = { retries: 2, isRetriedAfterThrow: true }
      book.call(live, method, (call) => handle.fail.options(again).remote(call), kind)
    } else book.call(live, method, (call) => handle.fail.options(options).remote(call), { retries })
  }

  /** A task in some tab is given the handle, and calls. */
  #callThere(): void {
    const live = this.#some()
    const place = this.#pick(this.#places)
    const count = 1 + randomInt(this.#random, 5)
    if (live === undefined) return
    const book = this.#book
    const caller = `a task at ${place} in turn ${this.#turn}`
    const calls = Array.from({ length: count }, () => book.newCall(live, 'add', { caller }))
    const ref = callFrom.options({ ...at(place), maxRetries: 0 }).remote(live.handle, calls)
    book.count('handles passed to tasks')
    const over = get(ref).then(
      (told) => told.forEach((each) => book.settled(live, each)),
      (error: Error) => {
        book.fault(`${titleOf(live)}: ${caller} failed with ${error.name}: ${error.message}`)
        book.unknown(live, calls)
      },
    )
    book.track(
      [live],
      caller,
      over.then(() => ref.release()),
    )
  }

  /** One actor calls another. Only ever a later one, so that no two wait for each other. */
  #relay(): void {
    const from = this.#some(({ isShared }) => !isShared)
    const to = this.#some(({ number, isShared }) => from !== undefined && number > from.number && !isShared)
    const count = 1 + randomInt(this.#random, 4)
    if (from === undefined || to === undefined) return
    const book = this.#book
    const caller = `the actor ${from.number} in turn ${this.#turn}`
    const calls = Array.from({ length: count }, () => book.newCall(to, 'add', { caller }))
    // Made again, it would make its calls again.
    const call = book.newCall(from, 'relay', { retries: 0 })
    const ref = from.handle.relay.options({ maxTaskRetries: 0 }).remote(call, to.handle, calls)
    book.count('handles passed to actors')
    const over = get(ref).then(
      ({ told, ...answer }) => {
        book.settled(from, { call, answer })
        for (const each of told) book.settled(to, each)
      },
      (error: Error) => {
        book.settled(from, failure(call, error))
        book.unknown(to, calls)
      },
    )
    book.track(
      [from, to],
      caller,
      over.then(() => ref.release()),
    )
  }

  #stream(): void {
    const live = this.#some()
    const items = 1 + randomInt(this.#random, 12)
    const isSlow = this.#random.float() < 0.5
    const isLeft = this.#random.float() < 0.3
    const everyMs = randomInt(this.#random, 12)
    if (live === undefined) return
    const book = this.#book
    const { handle, subject } = live
    const call = book.newCall(live, isSlow ? 'trickle' : 'stream', { isStream: true })
    if (isLeft) subject.cancelled(call)
    const refs = isSlow ? handle.trickle.remote(call, items, everyMs) : handle.stream.remote(call, items)
    book.count(isLeft ? 'streams left' : 'streams')
    const read = async (): Promise<Answer | undefined> => {
      let last: Answer | undefined
      let taken = 0
      for await (const ref of refs) {
        last = await get(ref).finally(() => ref.release())
        if (last.index !== taken || last.call !== call)
          book.fault(`${titleOf(live)}: item ${taken} of ${call} was item ${String(last.index)} of ${last.call}`)
        if (++taken >= items / 2 && isLeft) return undefined
      }
      if (taken !== items) book.fault(`${titleOf(live)}: ${call} gave ${taken} items instead of ${items}`)
      return last
    }
    const over = read().then(
      (last) => {
        if (last === undefined) book.unknown(live, [call])
        else book.settled(live, { call, answer: last })
      },
      (error: Error) => book.settled(live, failure(call, error)),
    )
    book.track([live], `the stream ${call}`, over)
  }

  #cancel(): void {
    const live = this.#some()
    const afterMs = randomInt(this.#random, 80)
    const before = randomInt(this.#random, 3)
    if (live === undefined) return
    const { handle, subject } = live
    for (let i = 0; i < before; i++) this.#book.call(live, 'slowly', (call) => handle.slowly.remote(call, 20))
    const { ref, call, over } = this.#book.call(live, 'slowly', (number) => handle.slowly.remote(number, 40))
    subject.cancelled(call)
    this.#book.count('cancels')
    if (afterMs < 10) {
      cancel(ref)
      return
    }
    // Once its outcome is known its ref is released, and nobody's to cancel.
    const timer = setTimeout(() => cancel(ref), afterMs)
    void over.finally(() => clearTimeout(timer))
  }

  #kill(): void {
    const live = this.#some(({ isShared }) => !isShared)
    const noRestart = this.#random.float() < 0.5
    const isFromAfar = this.#random.float() < 0.3
    const place = this.#pick(this.#places)
    const more = randomInt(this.#random, 3)
    if (live === undefined) return
    const { subject, handle } = live
    const book = this.#book
    book.count(noRestart ? 'kills for good' : 'kills with a restart')
    const how = `kill(${noRestart ? '' : 'noRestart: false'}) in turn ${this.#turn}${isFromAfar ? ` from ${place}` : ''}`
    if (isFromAfar) {
      if (noRestart) subject.end(how)
      else subject.lose(how)
      const ref = killFrom.options({ ...at(place), maxRetries: 0 }).remote(handle, noRestart)
      book.track(
        [live],
        'killFrom',
        get(ref).then(() => ref.release()),
      )
    } else {
      if (noRestart) subject.endNow(how)
      else subject.lose(how)
      kill(handle, { noRestart })
    }
    for (let i = 0; i < more; i++) book.call(live, 'add', (call) => handle.add.remote(call))
    if (noRestart) book.drop(live)
  }

  #crash(): void {
    // What crashes a light one takes along all in its thread, and then little can be said of those: it is done less often.
    const isOfLight = this.#random.float() < 0.3
    const live = this.#some(({ isShared, isHeavy }) => !isShared && isHeavy !== isOfLight)
    if (live === undefined) return
    const { handle } = live
    this.#book.count(isOfLight ? 'crashes of shared threads' : 'crashes')
    const crashing = this.#book.crashing(live)
    const once = { maxTaskRetries: 0 }
    const { over } = this.#book.call(live, 'crash', (call) => handle.crash.options(once).remote(call), { retries: 0 })
    crashing.over(over)
  }

  #leave(): void {
    const live = this.#some(({ isShared }) => !isShared)
    if (live === undefined) return
    const { handle, subject } = live
    this.#book.count('exits')
    subject.end(`exitActor in turn ${this.#turn}`)
    const once = { maxTaskRetries: 0 }
    this.#book.call(live, 'leave', (call) => handle.leave.options(once).remote(call), { retries: 0 })
    this.#book.drop(live)
  }

  #drop(): void {
    const live = this.#some()
    if (live === undefined) return
    this.#book.count('handles dropped')
    this.#book.drop(live)
  }

  #retire(): void {
    const live = this.#some()
    if (live !== undefined) this.#book.retire(live)
  }

  /** All tabs ask for an actor of one of a few names; whoever is first makes it. */
  #share(): void {
    const name = `shared ${randomInt(this.#random, SHARED_NAMES)}`
    const calls = 1 + randomInt(this.#random, 5)
    if (this.#book.live.length >= MOST_LIVE) return
    const options = { name, namespace: NAMESPACE, getIfExists: true, numCpus: 0 }
    const live = this.#book.make(options, { isShared: true })
    this.#book.count('getIfExists')
    for (let i = 0; i < calls; i++) this.#book.call(live, 'add', (call) => live.handle.add.remote(call))
  }

  #find(): void {
    const live = this.#some(
      ({ name, isShared, subject }) => name !== undefined && !isShared && subject.incarnations > 0,
    )
    if (live?.name === undefined) return
    const { subject, name } = live
    const book = this.#book
    const caller = `whoever found it in turn ${this.#turn}`
    const call = book.newCall(live, 'add', { caller })
    book.count('found by name')
    const find = async (): Promise<Told> => {
      const found = await getActor<{ add(call: number): Answer }>(name, { namespace: NAMESPACE })
      const ref: ObjectRef<Answer> = found.add.remote(call)
      return { call, answer: await get(ref).finally(() => ref.release()) }
    }
    const over = find().then(
      (told) => book.settled(live, told),
      (error: Error) => {
        if (error.name !== 'ActorNotFoundError') book.settled(live, failure(call, error))
        else {
          if (!subject.mayBeDead) book.fault(`${titleOf(live)}: nobody found it by its name`)
          book.unknown(live, [call])
        }
      },
    )
    book.track([live], caller, over)
  }
}
