// What may become of calls, given what was done to their actor. Knows nothing of the SDK: a driver tells it what it does and
// what comes back.

/** What each executed call of a probe gives back: which incarnation ran it, and as its how manieth. */
export interface Answer {
  readonly serial: string
  /** From 1. */
  readonly count: number
  readonly call: number
  /** Of an item of a stream. */
  readonly index?: number
  readonly bytes?: number
  readonly payload?: Uint8Array
}

/** What came of one call. */
export type Told =
  | { readonly call: number; readonly answer: Answer }
  | { readonly call: number; readonly error: string; readonly message: string }

export interface SubjectFacts {
  /** For faults: how it was made. */
  readonly title: string
  /** -1: for ever. */
  readonly maxRestarts: number
  /** Several calls run at a time. */
  readonly isConcurrent: boolean
  /** It shares a thread with others, perhaps, and then their crashes are its. */
  readonly isLight: boolean
  readonly isNamed: boolean
  /** Of all tabs: whoever made it may let go of it at any time, and others call it too. */
  readonly isShared: boolean
}

export interface CallFacts {
  readonly call: number
  readonly method: string
  /** -1: for ever. */
  readonly retries: number
  /** It may run again in one incarnation: it is made again after it threw. */
  readonly isRetriedAfterThrow: boolean
  /** Its answer is that of its last item, which an earlier run than its last may have given. */
  readonly isStream: boolean
  /** Whose calls keep their order. */
  readonly caller: string
}

interface Call extends CallFacts {
  readonly isAfterEnd: boolean
  isCancelled: boolean
  /** Undefined while it is open; `unknown` where whoever made the call cannot tell any more. */
  outcome: Told | 'unknown' | undefined
}

/** Methods that never give a value. */
const VALUELESS: readonly string[] = ['fail', 'crash', 'leave']

/** One actor as one driver sees it: what was done to it, its calls, and what they came to. */
export class Subject {
  readonly facts: SubjectFacts
  readonly #calls = new Map<number, Call>()
  readonly #faults: string[] = []
  readonly #serials = new Set<string>()
  /** What was done to it, for faults. */
  readonly #history: string[] = []
  #losses = 0
  #uncharged = 0
  #mayDie = false
  #isEnded = false

  constructor(facts: SubjectFacts) {
    this.facts = facts
    this.#mayDie = facts.isShared
  }

  /** Incarnations that answered. */
  get incarnations(): number {
    return this.#serials.size
  }

  get mayBeLost(): boolean {
    return this.#mayDie || this.#losses > 0
  }

  get mayBeDead(): boolean {
    return this.#mayDie
  }

  /**
   * It was asked to crash, to be killed and made again, or may have been taken along by a neighbour that was. `isCharged`:
   * it costs one of its restarts for sure.
   */
  lose(how: string, isCharged = true): void {
    this.#losses++
    if (!isCharged) this.#uncharged++
    this.#history.push(how)
    const { maxRestarts } = this.facts
    if (maxRestarts >= 0 && this.#losses > maxRestarts) this.#mayDie = true
  }

  /** It was asked to end for good. */
  end(how: string): void {
    this.#mayDie = true
    this.#history.push(how)
  }

  /** Who owns it has killed it: what the same page calls after that fails. */
  endNow(how: string): void {
    this.end(how)
    this.#isEnded = true
  }

  called(facts: CallFacts): void {
    this.#calls.set(facts.call, { ...facts, isAfterEnd: this.#isEnded, isCancelled: false, outcome: undefined })
  }

  cancelled(call: number): void {
    const known = this.#calls.get(call)
    if (known !== undefined) known.isCancelled = true
  }

  settled(told: Told): void {
    const call = this.#calls.get(told.call)
    if (call === undefined) this.#fault(`an outcome of the call ${told.call}, which nobody made`)
    else if (call.outcome !== undefined) this.#fault(`a second outcome of ${shown(call)}`)
    else {
      call.outcome = told
      // Who had the name before may not be over yet.
      if ('error' in told && this.facts.isNamed && / is taken /.test(told.message)) this.end('its name was taken')
      const fault = 'answer' in told ? this.#ofAnswer(call, told.answer) : this.#ofError(call, told.error)
      if (fault !== undefined) this.#fault(`${shown(call)} ${fault}${'answer' in told ? '' : `: ${told.message}`}`)
    }
  }

  /** Nobody will ever tell what came of it. */
  unknown(call: number): void {
    const known = this.#calls.get(call)
    if (known !== undefined) known.outcome ??= 'unknown'
  }

  /** The last incarnation's own word: every call that it ran, in order. Asked for when all calls have their outcomes. */
  looked({ serial, executed }: { readonly serial: string; readonly executed: readonly number[] }): void {
    this.#serials.add(serial)
    const places = new Map<number, number[]>()
    executed.forEach((call, index) => places.set(call, [...(places.get(call) ?? []), index + 1]))
    for (const [number, counts] of places) {
      const call = this.#calls.get(number)
      if (call === undefined) {
        if (!this.facts.isShared) this.#fault(`ran the call ${number}, which nobody made`)
        continue
      }
      if (counts.length > 1 && !call.isRetriedAfterThrow)
        this.#fault(`ran ${shown(call)} ${counts.length} times in one incarnation`)
      const { outcome } = call
      if (outcome === undefined || outcome === 'unknown' || call.isCancelled) continue
      if ('answer' in outcome) {
        const isOld = outcome.answer.serial !== serial
        if (isOld && !(call.isStream && call.retries !== 0))
          this.#fault(`ran ${shown(call)} again after it had answered`)
      } else if (!outcome.error.startsWith('TaskError') && call.method !== 'leave')
        this.#fault(`ran ${shown(call)}, and its reply was lost: ${outcome.error}`)
    }
    for (const call of this.#calls.values()) {
      const answer = answerOf(call)
      if (answer?.serial === serial && executed[answer.count - 1] !== call.call)
        this.#fault(`${shown(call)} says that it was number ${answer.count}, where ${executed[answer.count - 1]} ran`)
    }
  }

  /** What was wrong, once nothing is open. */
  verdict(): string[] {
    for (const call of this.#calls.values()) if (call.outcome === undefined) this.#fault(`no outcome of ${shown(call)}`)
    this.#checkCounts()
    this.#checkOrder()
    const { maxRestarts, isShared } = this.facts
    const most = maxRestarts < 0 ? this.#losses : Math.min(this.#losses, maxRestarts + this.#uncharged)
    if (!isShared && this.#serials.size > most + 1)
      this.#fault(`${this.#serials.size} incarnations, and it was lost ${this.#losses} times at most`)
    return this.#faults
  }

  #ofAnswer(call: Call, answer: Answer): string | undefined {
    this.#serials.add(answer.serial)
    if (answer.call !== call.call) return `was given the answer of ${answer.call}`
    if (VALUELESS.includes(call.method)) return 'gave a value'
    return call.isAfterEnd ? 'gave a value, though the actor had been killed before' : undefined
  }

  #ofError(call: Call, error: string): string | undefined {
    const { retries, isCancelled, method } = call
    if (call.isAfterEnd && error !== 'ActorDiedError') return `failed with ${error} after the actor was killed`
    if (error.startsWith('TaskError')) return method === 'fail' ? undefined : `failed with ${error}`
    if (error === 'TaskCancelledError') return isCancelled ? undefined : 'failed as cancelled, and nobody cancelled it'
    if (error === 'ActorDiedError') return this.#mayDie ? undefined : 'failed as of a dead actor'
    if (error === 'ActorUnavailableError') {
      const isPossible =
        this.facts.isShared || (retries >= 0 && this.#losses > (call.isRetriedAfterThrow ? 0 : retries))
      return isPossible ? undefined : `failed with ${error}, with ${retries} retries and ${this.#losses} losses`
    }
    return `failed with ${error}`
  }

  /** Within an incarnation no count is given twice, and one that nobody was given is of a call that failed or ran again. */
  #checkCounts(): void {
    const bySerial = new Map<string, Map<number, Call>>()
    let gaps = 0
    for (const call of this.#calls.values()) {
      const answer = answerOf(call)
      if (answer === undefined) {
        gaps += call.isRetriedAfterThrow ? Infinity : 1
        continue
      }
      if (call.retries !== 0) gaps += Math.min(this.#losses, call.retries < 0 ? Infinity : call.retries)
      const counts = bySerial.get(answer.serial) ?? new Map<number, Call>()
      bySerial.set(answer.serial, counts)
      const other = counts.get(answer.count)
      if (other !== undefined) this.#fault(`${shown(call)} and ${shown(other)} were both number ${answer.count}`)
      counts.set(answer.count, call)
    }
    if (this.facts.isShared) return
    for (const [serial, counts] of bySerial) {
      const missing = Math.max(...counts.keys()) - counts.size
      if (missing > gaps) this.#fault(`${missing} counts of ${serial} were given to nobody, and ${gaps} calls failed`)
      gaps -= missing
    }
  }

  /** A caller's calls run in their order, in one incarnation after the other. */
  #checkOrder(): void {
    const callers = new Map<string, { call: Call; answer: Answer; past: Set<string> }>()
    for (const call of this.#calls.values()) {
      const answer = answerOf(call)
      if (answer === undefined) continue
      // One that was made again may come after one behind it that ran beside it and had its answer.
      const isFree = this.facts.isConcurrent || call.isStream
      if (call.retries !== 0 && isFree && this.#losses > 0) continue
      const last = callers.get(call.caller)
      const past = last?.past ?? new Set<string>()
      if (last?.answer.serial === answer.serial) {
        if (answer.count <= last.answer.count)
          this.#fault(`${shown(call)} ran before ${shown(last.call)}, which the same caller had made before`)
      } else if (past.has(answer.serial)) this.#fault(`${shown(call)} ran in a former incarnation`)
      past.add(answer.serial)
      callers.set(call.caller, { call, answer, past })
    }
  }

  #fault(text: string): void {
    this.#faults.push(`${this.facts.title} (${this.#history.join(', ') || 'left alone'}): ${text}`)
  }
}

function answerOf({ outcome }: Call): Answer | undefined {
  return outcome !== undefined && outcome !== 'unknown' && 'answer' in outcome ? outcome.answer : undefined
}

function shown({ method, call, caller }: Call): string {
  return `${method}(${call}) of ${caller}`
}
