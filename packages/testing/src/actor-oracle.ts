import { must } from '@shoal/base'
import type { LedgerRoom } from './ledger-room.ts'
import type { WorkerGlobals } from './sim-worker-host.ts'

/** What the room may expect of an actor. */
export interface ActorSpec {
  readonly label: string
  /** The tab whose job it is of. */
  readonly driver: string
  /** Infinity: for ever. */
  readonly maxRestarts: number
  readonly maxConcurrency: number
  /** In the room's namespace. Of `isShared` ones several actors want it, and handles may be of another's. */
  readonly name: string | undefined
  readonly isShared: boolean
  readonly isDetached: boolean
  /** How often it was asked to end and be made again. */
  restartKills: number
  /** It was killed for good, or asked to leave. */
  isEnded: boolean
  /** Somebody was told by it that it lives. */
  isHeard: boolean
}

/** What a method gives back: which incarnation ran it, in which run, and what the actor's count was then. */
export type Told = readonly [serial: number, run: number, count: number]

/** One call, as its caller knows it. */
export interface IssuedCall {
  readonly caller: string
  readonly label: string
  readonly n: number
  /** Infinity: for ever. */
  readonly retries: number
  readonly mayThrow: boolean
  /** Whether who made it is still there to be told. */
  isAlive(): boolean
  outcome: { readonly value: Told } | { readonly error: unknown } | undefined
}

/** One life of an actor, from its constructor on. */
export interface Incarnation {
  readonly serial: number
  /** Of the actor: a task that runs again makes another one. */
  readonly actor: string
  readonly spec: ActorSpec
  /** The tab whose ledger it is in, if that was there when it was made. */
  readonly owner: string | undefined
  readonly tab: string
  isAlive(): boolean
  /** Sum of what the calls that ended here have added. */
  count: number
  readonly open: Set<Run>
  /** Of each caller, the calls that ran here, in the order in which they first did. */
  readonly ran: Map<string, number[]>
}

interface Run {
  readonly id: number
  readonly incarnation: Incarnation
  readonly caller: string
  readonly n: number
  readonly added: number
  /** The count as it was told. */
  count: number | undefined
}

/**
 * The simulator's eyes in every actor: each constructor announces itself and gets a serial, each execution begins and ends
 * here, each caller says what it asked and what it was told. Invariants A2, A4, A5 and A8 and the number of restarts are
 * checked as it goes on, the rest by `actor-checks.ts` at the end.
 */
export class ActorOracle {
  readonly specs = new Map<string, ActorSpec>()
  readonly incarnations: Incarnation[] = []
  readonly calls = new Map<string, IssuedCall>()
  /** Callers whose calls, and those made for their sake, may end as cancelled. */
  readonly cancelled = new Set<string>()
  /** Workers that their own code ended, with all that shared the thread. */
  crashes = 0
  readonly #room: LedgerRoom
  readonly #runs: Run[] = []
  /** Where the tasks ran that made an actor or its caller. */
  readonly #makers = new Map<string, string>()
  readonly #executions = new Map<string, number>()

  constructor(room: LedgerRoom) {
    this.#room = room
  }

  /** For the workers of one tab. */
  globalsOf(tab: string): WorkerGlobals {
    return (isWorkerAlive) => {
      const isAlive = (): boolean => isWorkerAlive() && this.isPresent(tab)
      return {
        simBorn: (actor: string) => this.#born(actor, tab, isAlive),
        simBegin: (serial: number, caller: string, n: number, added: number) => this.#begin(serial, caller, n, added),
        simEnd: (run: number, count: number) => this.#end(run, count),
        simCaller: (name: string) => this.#caller(name, tab),
        simIssue: (caller: string, label: string, n: number, retries: number) =>
          this.issue({ caller, label, n, retries, mayThrow: false, isAlive }),
        simTold: (caller: string, n: number, value: Told | undefined, error: unknown) =>
          this.told(caller, n, value === undefined ? { error } : { value }),
        simDies: (caller: string, n: number) => this.#dies(keyOf(caller, n)),
      }
    }
  }

  isPresent(tab: string): boolean {
    return this.#room.present().some((seat) => seat.tab.ports.name === tab)
  }

  /** A call that is made again crashes nothing more. */
  #dies(call: string): boolean {
    if ((this.#executions.get(call) ?? 0) > 1) return false
    this.crashes++
    return true
  }

  /** A name for one run of a task, which may run more than once. */
  #caller(name: string, tab: string): string {
    const made = `${name}@${this.#makers.size}`
    this.#makers.set(made, tab)
    return made
  }

  /** What may be expected of an actor by its label, whichever attempt of a task made it. */
  specOf(label: string): ActorSpec {
    return must(this.specs.get(label.replace(/@.*/, '')), label)
  }

  runOf(id: number): Run | undefined {
    return this.#runs[id]
  }

  issue(call: Omit<IssuedCall, 'outcome'>): void {
    this.calls.set(keyOf(call.caller, call.n), { ...call, outcome: undefined })
  }

  told(caller: string, n: number, outcome: IssuedCall['outcome']): void {
    const call = must(this.calls.get(keyOf(caller, n)))
    if (call.outcome !== undefined) this.#room.violated(`T1: ${caller} #${n} has two outcomes`)
    // What a tab's end says to its own.
    if (!call.isAlive()) return
    call.outcome = outcome
    this.#room.world.trace.add(
      `${caller} #${n} of ${call.label} is ${outcome && 'value' in outcome ? outcome.value.join(' ') : 'an error'}`,
    )
  }

  /** Lives of an actor that nobody has ended. */
  living(): Incarnation[] {
    return this.incarnations.filter((incarnation) => incarnation.isAlive())
  }

  get #isCertain(): boolean {
    return this.#room.verdictMs.length === 0
  }

  #born(actor: string, tab: string, isAlive: () => boolean): number {
    const spec = this.specOf(actor)
    const serial = this.incarnations.length
    const former = this.incarnations.filter((other) => other.actor === actor)
    this.#room.world.trace.add(`${tab} makes ${actor} as ${serial}`)
    const owner = this.#makers.get(actor) ?? spec.driver
    const isOrphan = !this.isPresent(owner)
    if (former.length > 0) this.#room.count(isOrphan ? 'made again when its owner is gone' : 'made again')
    if (this.#isCertain) {
      if (former.length > spec.maxRestarts + this.crashes)
        this.#room.violated(`${actor} was made ${former.length + 1} times, with maxRestarts ${spec.maxRestarts}`)
      for (const other of former)
        if (other.isAlive() && other.open.size > 0)
          this.#room.violated(`A2: ${actor} is made at ${tab} while ${other.serial} of it runs at ${other.tab}`)
    }
    this.incarnations.push({
      serial,
      actor,
      spec,
      owner: isOrphan ? undefined : owner,
      tab,
      isAlive,
      count: 0,
      open: new Set(),
      ran: new Map(),
    })
    return serial
  }

  #begin(serial: number, caller: string, n: number, added: number): number {
    const incarnation = must(this.incarnations[serial])
    const { actor, spec, owner, open, ran } = incarnation
    if (owner !== undefined && !this.isPresent(owner)) this.#room.count('outlives its owner')
    const id = this.#runs.length
    const what = `${caller} #${n} in ${serial} of ${actor}`
    this.#room.world.trace.add(`${incarnation.tab} runs ${what} as run ${id}`)
    const run: Run = { id, incarnation, caller, n, added, count: undefined }
    this.#runs.push(run)
    open.add(run)
    if (open.size > spec.maxConcurrency) this.#room.violated(`A8: ${what} is one of ${open.size} that run at once`)
    const order = ran.get(caller) ?? []
    ran.set(caller, order)
    if (!order.includes(n)) {
      if (n < (order.at(-1) ?? 0)) this.#room.violated(`A4: ${what} runs after #${order.at(-1)}`)
      order.push(n)
    }
    const key = keyOf(caller, n)
    const count = (this.#executions.get(key) ?? 0) + 1
    this.#executions.set(key, count)
    if (count > 1) this.#room.count('call made again')
    if (!this.#isCertain) return id
    if (count > 1 + (this.calls.get(key)?.retries ?? Infinity)) this.#room.violated(`A5: ${what} runs ${count} times`)
    for (const other of this.incarnations)
      if (other.actor === actor && other !== incarnation && (other.serial > serial || runs(other)))
        this.#room.violated(`A2: ${what} runs beside ${other.serial}`)
    return id
  }

  #end(id: number, count: number): Told {
    const run = must(this.#runs[id])
    const { incarnation } = run
    const { serial, actor } = incarnation
    incarnation.open.delete(run)
    incarnation.count += run.added
    run.count = count
    if (count !== incarnation.count)
      this.#room.violated(`A4: ${serial} of ${actor} counts ${count} and not ${incarnation.count}`)
    return [serial, id, count]
  }
}

function runs(incarnation: Incarnation): boolean {
  return incarnation.open.size > 0 && incarnation.isAlive()
}

function keyOf(caller: string, n: number): string {
  return `${caller} #${n}`
}
