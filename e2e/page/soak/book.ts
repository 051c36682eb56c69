// What one tab of the long run has made and called: every actor with its oracle, every call with its outcome, all counted.
import { get, kill } from '@shoal/sdk'
import type { ActorOptions, ObjectRef } from '@shoal/sdk'
import { Subject } from './oracle.ts'
import type { Answer, CallFacts, Told } from './oracle.ts'
import { Probe } from './soak.remote.ts'
import type { ProbeHandle } from './soak.remote.ts'

/** What a tab tells at the end of a phase. */
export interface SoakReport {
  readonly counts: Readonly<Record<string, number>>
  /** Calls by what came of them. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly faults: readonly string[]
  /** Answers of actors that all tabs share. */
  readonly shared: readonly Answer[]
}

export interface ActorKind {
  /** It reserves CPUs and so has a thread of its own. */
  readonly isHeavy?: boolean
  readonly isShared?: boolean
  readonly isDetached?: boolean
}

/** An actor that this page has a handle of. */
export interface Live extends Required<ActorKind> {
  readonly number: number
  readonly name: string | undefined
  readonly handle: ProbeHandle
  readonly subject: Subject
  /** `maxTaskRetries` of its calls. */
  readonly retries: number
  /** What of it has no outcome yet. */
  readonly open: Set<Promise<void>>
}

interface CallKind extends Partial<Pick<CallFacts, 'retries' | 'isRetriedAfterThrow'>> {
  /** Of what it gave. */
  isRight?(answer: Answer): boolean
}

const OUTCOME_WITHIN_MS = 90_000
const MOST_FAULTS = 50
/** Numbers of calls are one tab's. */
const CALLS_OF_A_TAB = 1e9
const PAGE = 'the page'

export class SoakBook {
  readonly #tab: number
  readonly #counts: Record<string, number> = {}
  readonly #outcomes: Record<string, number> = {}
  readonly #faults: string[] = []
  readonly #shared: Answer[] = []
  readonly #live = new Set<Live>()
  /** Those whose handle is gone but not all of whose outcomes are known, too. */
  readonly #subjects = new Set<Subject>()
  readonly #open = new Set<Promise<void>>()
  #lastActor = 0
  #lastCall = 0
  /** Crashes of light actors that were asked for: they may take along what is made meanwhile. */
  #openCrashes = 0

  constructor(tab: number) {
    this.#tab = tab
  }

  get live(): readonly Live[] {
    return [...this.#live]
  }

  /** Calls and tasks without an outcome. */
  get openCount(): number {
    return this.#open.size
  }

  /** Resolves when one of those has its outcome. */
  async oneOver(): Promise<void> {
    await Promise.race(this.#open)
  }

  async allOver(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  report(): SoakReport {
    const [counts, outcomes, faults, shared] = [this.#counts, this.#outcomes, this.#faults, this.#shared]
    return { counts, outcomes, faults, shared }
  }

  count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }

  fault(text: string): void {
    if (this.#faults.length < MOST_FAULTS) this.#faults.push(`tab ${this.#tab}: ${text}`)
  }

  make(options: ActorOptions, kind: ActorKind): Live {
    const { isHeavy = false, isShared = false, isDetached = false } = kind
    const { maxRestarts = 0, maxTaskRetries = 0, maxConcurrency = 1, name } = options
    const number = ++this.#lastActor
    const subject = new Subject({
      title: `actor ${number} ${JSON.stringify(options)}`,
      maxRestarts,
      isConcurrent: maxConcurrency > 1,
      isLight: !isHeavy,
      isNamed: name !== undefined,
      isShared,
    })
    this.#subjects.add(subject)
    if (!isHeavy) for (let i = 0; i < this.#openCrashes; i++) subject.lose('beside a crash', false)
    const handle = Probe.options(options).remote()
    const retries = maxTaskRetries
    const live = {
      number,
      name,
      handle,
      subject,
      retries,
      open: new Set<Promise<void>>(),
      isHeavy,
      isShared,
      isDetached,
    }
    this.#live.add(live)
    this.count('actors made')
    if (name !== undefined) this.count('names')
    return live
  }

  /** A call of an actor that is about to be made, by this page or by whom it gives the handle. */
  newCall({ subject, retries }: Live, method: string, more: Partial<CallFacts> = {}): number {
    const call = this.#tab * CALLS_OF_A_TAB + ++this.#lastCall
    subject.called({ call, method, retries, isRetriedAfterThrow: false, isStream: false, caller: PAGE, ...more })
    this.count('calls')
    return call
  }

  /** Makes one call from this page, and waits for its outcome beside everything else. */
  call(
    live: Live,
    method: string,
    submit: (call: number) => ObjectRef<Answer | never>,
    { isRight, ...more }: CallKind = {},
  ): { readonly ref: ObjectRef; readonly call: number; readonly over: Promise<void> } {
    const call = this.newCall(live, method, more)
    const ref = submit(call) as ObjectRef<Answer>
    const told = get(ref).then(
      (answer): Told => {
        if (isRight?.(answer) === false)
          this.fault(`${live.subject.facts.title}: ${method}(${call}) gave a wrong value`)
        return { call, answer: bare(answer) }
      },
      (error: Error): Told => failure(call, error),
    )
    const over = told.then((outcome) => {
      this.settled(live, outcome)
      ref.release()
    })
    this.track([live], `${method}(${call})`, over)
    return { ref, call, over }
  }

  settled({ subject, isShared }: Live, told: Told): void {
    const what = 'answer' in told ? 'values' : told.error
    this.#outcomes[what] = (this.#outcomes[what] ?? 0) + 1
    subject.settled(told)
    if (isShared && 'answer' in told) this.#shared.push(bare(told.answer))
  }

  /** What came of a call is not known, and never will be. */
  unknown({ subject }: Live, calls: readonly number[]): void {
    this.#outcomes['not known'] = (this.#outcomes['not known'] ?? 0) + calls.length
    for (const call of calls) subject.unknown(call)
  }

  /** Something that has to end, with the actors that it is about. It never rejects but by a fault of this code. */
  track(about: readonly Live[], what: string, over: Promise<void>): void {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.fault(`${what} is open after ${OUTCOME_WITHIN_MS / 1000} s: ${about.map(titleOf).join(', ')}`)
        resolve()
      }, OUTCOME_WITHIN_MS)
    })
    const tracked = Promise.race([over, late]).then(
      () => end(),
      (error: unknown) => {
        this.fault(`${what}: ${String(error)}: ${about.map(titleOf).join(', ')}`)
        end()
      },
    )
    const end = (): void => {
      clearTimeout(timer)
      this.#open.delete(tracked)
      for (const { open } of about) open.delete(tracked)
    }
    this.#open.add(tracked)
    for (const { open } of about) open.add(tracked)
  }

  /** The actor is about to crash, and with a light one all that may share its thread. `over`: of the call that does it. */
  crashing(live: Live): { over(done: Promise<void>): void } {
    if (live.isHeavy) {
      live.subject.lose('crash')
      return { over: () => undefined }
    }
    live.subject.lose('crash')
    for (const subject of this.#subjects)
      if (subject.facts.isLight && subject !== live.subject) subject.lose('beside a crash', false)
    this.#openCrashes++
    return { over: (done) => void done.finally(() => this.#openCrashes--) }
  }

  /** Lets go of the handle at once; the calls that are open go on. */
  drop(live: Live): void {
    this.#live.delete(live)
    if (live.isDetached) {
      live.subject.end('killed as detached')
      kill(live.handle)
    }
    live.handle[Symbol.dispose]()
    this.track([], `the end of ${titleOf(live)}`, this.#ended(live))
  }

  /** Once its calls are over it tells what it has executed, and its handle goes. */
  retire(live: Live): void {
    this.#live.delete(live)
    this.track([], `the end of ${titleOf(live)}`, this.#look(live))
  }

  async #look(live: Live): Promise<void> {
    const { subject, handle, open, isShared, isDetached } = live
    while (open.size > 0) await Promise.all(open)
    if (!isShared) {
      const ref = handle.look.remote()
      await get(ref).then(
        (look) => subject.looked(look),
        (error: Error) => {
          if (!subject.mayBeLost) this.fault(`${titleOf(live)}: look() failed with ${error.name}: ${error.message}`)
        },
      )
      ref.release()
    }
    if (isDetached) kill(handle)
    handle[Symbol.dispose]()
    await this.#ended(live)
  }

  async #ended(live: Live): Promise<void> {
    const { subject, open } = live
    while (open.size > 0) await Promise.all(open)
    this.#subjects.delete(subject)
    this.count('actors verified')
    for (let i = 1; i < subject.incarnations; i++) this.count('restarts seen')
    for (const fault of subject.verdict()) this.fault(fault)
  }
}

export function failure(call: number, { name, message }: Error): Told {
  return { call, error: name, message }
}

export function titleOf({ subject }: Live): string {
  return subject.facts.title
}

/** Without its payload. */
function bare({ serial, count, call }: Answer): Answer {
  return { serial, count, call }
}
