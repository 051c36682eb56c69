// Long because all that is kept of work for others is here: asked for, admitted, queued, told, and told again.
import { Queue, RecentMap } from '@shoal/base'
import type { Log } from '@shoal/base'
import { workShape } from '@shoal/scheduler'
import type { SchedulerEvent, WorkShape } from '@shoal/scheduler'
import {
  compareAttempts,
  formatJobId,
  isWithin,
  LIMITS,
  messageBytes,
  newWireError,
  ProtocolError,
  valueBytes,
} from '@shoal/protocol'
import type {
  ActorRevival,
  Attempt,
  JobId,
  NodeId,
  NodeMessage,
  ObjectId,
  ResultValue,
  RoomId,
  TaskArgument,
  TaskOutcome,
  TaskTemplate,
  WireError,
  EncodedValue,
} from '@shoal/protocol'
import { fromWire } from './actors/checkpoint.ts'
import { withSharedFacts } from './actors/shared-facts.ts'
import { whenCode } from './code-store.ts'
import type { CodeEntry, CodeStore } from './code-store.ts'
import type { Objects } from './objects.ts'
import { roomBeside } from './message-room.ts'
import { Yields } from './yields.ts'
import type { YieldsOptions } from './yields.ts'
import { isOthers } from './work.ts'
import type { Work, WorkOutcome, WorkTemplate } from './work.ts'

/**
 * unknown -> asking -> admitted | forged, or back to unknown: a grant that the directory does not list yet may come any
 * moment, so the next task asks again; a signature that does not hold never will.
 */
type Admission = 'unknown' | 'asking' | 'admitted' | 'forged'

interface GuestTemplate {
  readonly wire: TaskTemplate
  readonly shape: WorkShape
  readonly key: string
  admission: Admission
  waiters: ((isAdmitted: boolean) => void)[]
  /** Fetched once the template was admitted, and once more after it could not be had. */
  code: CodeEntry | undefined
  work: WorkTemplate | undefined
}

export interface GuestsOptions {
  readonly self: NodeId
  readonly log: Log
  readonly objects: Objects
  readonly codes: CodeStore
  now(): number
  schedule(event: SchedulerEvent<Work>): void
  send(to: NodeId, message: NodeMessage): void
  room(): RoomId | undefined
  /** Whether the room's owner listed the key; waits a moment for the directory before it says no. */
  isListed(publicKey: Uint8Array): Promise<boolean>
  /** Where a job's actors are found by name, as its tasks say. */
  namespace(job: JobId, namespace: string): void
  /** Whether this tab takes work of others now. */
  takesGuests(): boolean
  canReach(node: NodeId): boolean
  /** Who answers for a ledger; it may be gone until a take-over is done. */
  answerer(owner: NodeId): NodeId
  /** The outcome of work of a ledger that this node has come to answer for itself. */
  endedHere(request: GuestRequest, outcome: WorkOutcome): void
  readonly yieldedHere: YieldsOptions['yieldedHere']
}

interface Untold {
  readonly request: GuestRequest
  readonly outcome: WorkOutcome
  readonly cpuMicros: number
  readonly position: number
  readonly refs: readonly ObjectId[]
}

/** An outcome that was sent on its way. */
interface Told {
  readonly request: GuestRequest
  readonly outcome: WorkOutcome
  readonly cpuMicros: number
  readonly position: number
  readonly atMs: number
}

/**
 * Whoever was told of an outcome may have been dead by then, or have died before a successor had its record: for longer
 * than that takes to be known, small outcomes are at hand for whoever takes over. Large ones are copies, which are reported.
 */
const TOLD_MS = 10_000
const MOST_TOLD = 1_000
const TOLD_BYTES = 4_096

/** What a peer asks to be run: a task's attempt, or the birth of an actor. */
export interface GuestRequest {
  readonly kind: 'task' | 'actor-new'
  readonly template: number
  /** Whose ledger the work is of: the sender's own, or one that it answers for. */
  readonly owner: NodeId
  readonly number: number
  readonly attempt: Attempt
  readonly depth: number
  /** See `task.submit`. */
  readonly streamId: number
  readonly dependencies: readonly TaskArgument[]
  readonly args: EncodedValue
  /** Of actors: see `actor.create`. */
  readonly revival?: ActorRevival | undefined
}

/**
 * Work that other tabs sent here on our credits: its code is fetched and its grant checked once, its arguments counted
 * while it is here, and its outcome sent back to the owner. It never sends a task on.
 */
export class Guests {
  readonly #options: GuestsOptions
  readonly #templates = new Map<NodeId, RecentMap<number, GuestTemplate>>()
  /** Accepted, and neither given back nor ended. */
  readonly #active = new Set<GuestRequest>()
  /** Of those, what waits for leave or code: each with what gives it back. */
  readonly #early = new Map<GuestRequest, () => void>()
  /** Outcomes for ledgers that nobody answers for now. */
  readonly #untold = new Map<NodeId, Untold[]>()
  /** Oldest first; those that are too old go when the next one comes. */
  readonly #told = new Queue<Told>()

  readonly #yields: Yields

  constructor(options: GuestsOptions) {
    this.#options = options
    this.#yields = new Yields(options)
  }

  /** A generator has yielded a value. */
  yielded(request: GuestRequest, index: number, value: EncodedValue): void {
    this.#yields.add(request, index, value)
  }

  onTemplate(from: NodeId, wire: TaskTemplate): void {
    if (!isWithin(wire.held, wire.shape.resources))
      throw new ProtocolError('malformed', 'an actor that keeps more than it was placed for')
    const template: GuestTemplate = {
      wire: { ...wire, actor: withSharedFacts(wire.actor) },
      shape: workShape(wire.shape),
      key: `${from} ${wire.template}`,
      admission: 'unknown',
      waiters: [],
      code: undefined,
      work: undefined,
    }
    this.#options.namespace(wire.job, wire.namespace)
    // More than its sender takes this node to know: that one tells of those that it has forgotten anew.
    const templates = this.#templates.get(from) ?? new RecentMap<number, GuestTemplate>(2 * LIMITS.templatesTold)
    this.#templates.set(from, templates)
    templates.set(wire.template, template)
    // Its first task is on its way: by then the code shall be here.
    this.#whenAdmitted(from, template, (isAdmitted) => {
      if (isAdmitted) this.#code(from, template)
    })
  }

  /** Queues the work once its code is here; what may not run is refused. `ended` hears how a run went. */
  accept(from: NodeId, request: GuestRequest, ended: (outcome: WorkOutcome, cpuMicros: number) => void): void {
    const { objects } = this.#options
    const template = this.#templates.get(from)?.get(request.template)
    const checkpoint = request.revival?.checkpoint
    const dependencies = [...request.dependencies, ...(checkpoint?.dependencies ?? [])]
    const refs = [...request.args.refs, ...(checkpoint?.args.refs ?? [])]
    for (const { object } of dependencies) objects.fromDependency(from, object, true)
    for (const id of refs) objects.retain(id)
    this.#active.add(request)
    const letGo = (): void => {
      this.#active.delete(request)
      this.#early.delete(request)
      for (const { object } of dependencies) objects.release(object.id)
      for (const id of refs) objects.release(id)
    }
    const giveBack = (error: WireError | undefined): void => {
      letGo()
      const { owner, number, attempt } = request
      const to = this.#options.answerer(owner)
      if (to === this.#options.self) {
        const outcome = { kind: 'lost', error: error ?? newWireError('object-lost', 'a run was given back') } as const
        this.#options.endedHere(request, outcome)
        return
      }
      this.#options.send(to, { type: 'task.refused', ledger: owner === to ? undefined : owner, number, attempt, error })
    }
    const refuse = (error: WireError | undefined): void => {
      giveBack(error)
      if (template) this.#options.schedule({ type: 'returned', node: from, shape: template.shape, count: 1 })
    }
    if (template === undefined) {
      refuse(newWireError('permission', 'a task came without its template'))
      return
    }
    this.#early.set(request, () => refuse(undefined))
    this.#whenAdmitted(from, template, (isAdmitted) => {
      if (!this.#early.has(request)) return
      if (!isAdmitted) {
        refuse(newWireError('permission', `the tab ${from.slice(0, 8)} may not submit work to this room`))
        return
      }
      if (!this.#options.takesGuests()) {
        refuse(undefined)
        return
      }
      const code = this.#code(from, template)
      whenCode(code, () => {
        if (!this.#early.delete(request)) return
        // It may have come to a pause, or to its limits, while the code was on its way.
        if (!this.#options.takesGuests()) {
          refuse(undefined)
          return
        }
        if (code.state.kind === 'refused') {
          if (template.code === code) template.code = undefined
          refuse(code.state.error)
          return
        }
        const end = (outcome: WorkOutcome, cpuMicros: number): void => {
          ended(outcome, cpuMicros)
          letGo()
        }
        this.#queue(from, template, request, { ended: end, givenBack: () => giveBack(undefined) })
      })
    })
  }

  /**
   * A task's outcome, to whoever answers for its ledger now; large values stay here until that node frees them. While nobody
   * answers it is kept.
   */
  sendResult(request: GuestRequest, ended: WorkOutcome, cpuMicros: number, position: number): void {
    const outcome = this.#yields.flush(request) || ended.kind !== 'values' ? ended : itemsLost()
    const { owner, number, attempt } = request
    const to = this.#options.answerer(owner)
    if (to === this.#options.self) {
      this.#options.endedHere(request, outcome)
      return
    }
    if (!this.#options.canReach(to)) {
      const kept = this.#untold.get(owner) ?? []
      this.#untold.set(owner, kept)
      // What is inside has to stay until somebody hears of it.
      const refs = outcome.kind === 'values' ? outcome.values.flatMap((value) => value.refs) : []
      for (const id of refs) this.#options.objects.retain(id)
      kept.push({ request, outcome, cpuMicros, position, refs })
      return
    }
    if (isSmall(request, outcome)) this.#keepTold({ request, outcome, cpuMicros, position, atMs: this.#options.now() })
    this.#options.send(to, {
      type: 'task.result',
      ledger: owner === to ? undefined : owner,
      number,
      attempt,
      outcome: this.#outcome(request, outcome),
      cpuMicros,
      position,
      handOver: 0,
    })
  }

  /** Gives back attempts of a task up to this one that still wait for leave or code. True if there were any. */
  recall(owner: NodeId, number: number, attempt: Attempt): boolean {
    let found = false
    for (const [request, giveBack] of this.#early) {
      if (request.kind !== 'task' || request.owner !== owner || request.number !== number) continue
      if (compareAttempts(request.attempt, attempt) > 0) continue
      giveBack()
      found = true
    }
    return found
  }

  /** A call that an actor here was asked for: as a run until it is over. */
  track(request: GuestRequest): () => void {
    this.#active.add(request)
    return () => this.#active.delete(request)
  }

  /** Tasks of a ledger that are queued or running here, or done without anybody having heard of it for sure. */
  runsOf(owner: NodeId): readonly GuestRequest[] {
    const ended = [...(this.#untold.get(owner) ?? []), ...this.#lately(owner)].map(({ request }) => request)
    return [...this.#active, ...ended].filter((request) => request.kind === 'task' && request.owner === owner)
  }

  /** Whose work is here. */
  owners(): Set<NodeId> {
    return new Set([...this.#untold.keys(), ...[...this.#active].map(({ owner }) => owner)])
  }

  /** Somebody answers for the ledger and knows of its runs here: the outcomes that nobody was told go there. */
  moved(owner: NodeId): void {
    const kept = this.#untold.get(owner) ?? []
    this.#untold.delete(owner)
    for (const { request, outcome, cpuMicros, position } of this.#lately(owner))
      this.sendResult(request, outcome, cpuMicros, position)
    for (const { request, outcome, cpuMicros, position, refs } of kept) {
      this.sendResult(request, outcome, cpuMicros, position)
      for (const id of refs) this.#options.objects.release(id)
    }
  }

  /** Nobody will ever ask for the outcomes. */
  ledgerOver(owner: NodeId): void {
    for (const { refs } of this.#untold.get(owner) ?? []) for (const id of refs) this.#options.objects.release(id)
    this.#untold.delete(owner)
  }

  peerGone(node: NodeId): void {
    this.#templates.delete(node)
  }

  /** What is here and neither given back nor ended, for people who look. */
  active(): Iterable<GuestRequest> {
    return this.#active
  }

  #keepTold(told: Told): void {
    this.#told.push(told)
    for (let first = this.#told.peek(); first; first = this.#told.peek()) {
      if (this.#told.length <= MOST_TOLD && told.atMs - first.atMs < TOLD_MS) return
      this.#told.shift()
    }
  }

  /** The last one of each run. */
  #lately(owner: NodeId): Told[] {
    const since = this.#options.now() - TOLD_MS
    const found = new Map<GuestRequest, Told>()
    for (const told of this.#told) if (told.request.owner === owner && told.atMs > since) found.set(told.request, told)
    return [...found.values()]
  }

  #whenAdmitted(from: NodeId, template: GuestTemplate, callback: (isAdmitted: boolean) => void): void {
    if (template.admission === 'admitted' || template.admission === 'forged') {
      callback(template.admission === 'admitted')
      return
    }
    template.waiters.push(callback)
    if (template.admission === 'asking') return
    template.admission = 'asking'
    const { wire } = template
    const { codes, room } = this.#options
    const roomId = room()
    const answer =
      roomId === undefined
        ? Promise.resolve('unlisted' as const)
        : codes.admit(wire.job, wire.fn, roomId, wire, this.#options.isListed)
    answer.then(
      (result) => settle(template, result === 'unlisted' ? 'unknown' : result),
      (error: unknown) => {
        this.#options.log.warn('a grant could not be checked', { from, error: String(error) })
        settle(template, 'unknown')
      },
    )
  }

  /** Strangers' code costs them an admission before it costs us a fetch. */
  #code(from: NodeId, template: GuestTemplate): CodeEntry {
    return (template.code ??= this.#options.codes.byHash(template.wire.fn, from))
  }

  #queue(from: NodeId, template: GuestTemplate, request: GuestRequest, ends: Pick<Work, 'ended' | 'givenBack'>): void {
    const work: Work = {
      kind: request.kind,
      id: { owner: request.owner, number: request.number },
      attempt: request.attempt,
      template: (template.work ??= workTemplate(template)),
      method: '',
      depth: request.depth,
      dependencies: request.dependencies.map(({ place, object }) => ({ place, id: object.id })),
      args: request.args,
      revival: request.revival && {
        callers: request.revival.callers,
        checkpoint: request.revival.checkpoint && fromWire(request.revival.checkpoint),
      },
      isGuest: true,
      yielded: (index, value) => this.#yields.add(request, index, value),
      ...ends,
    }
    this.#options.schedule({
      type: 'guest',
      node: from,
      shape: template.shape,
      task: {
        key: work,
        kind: work.template.key,
        staysHere: true,
        isGuest: true,
        isOthers: isOthers(work, this.#options.self),
        depth: request.depth,
        isExclusive: work.template.isExclusive && work.kind === 'task',
        inputs: [],
      },
    })
  }

  #outcome(request: GuestRequest, outcome: WorkOutcome): TaskOutcome {
    if (outcome.kind !== 'values') return { type: 'failed', error: outcome.error }
    // Together they stay within what one message holds.
    let room = roomBeside(0, outcome.values.length)
    const values = outcome.values.map((value, index): ResultValue => {
      if (messageBytes(value) <= room) {
        room -= messageBytes(value)
        return { type: 'inline', value }
      }
      const id = { owner: request.owner, number: request.number + index }
      this.#options.objects.keepForOwner(id, request.attempt, value)
      return { type: 'stored', bytes: valueBytes(value), refs: [...value.refs] }
    })
    return { type: 'values', values }
  }
}

/** Nobody answered for its ledger while it ran. */
function itemsLost(): WorkOutcome {
  const error = newWireError('worker-crashed', 'what the generator yielded could not be told to anybody')
  return { kind: 'failed', error }
}

/** Refs in it would have to be held for its sake. */
function isSmall({ kind }: GuestRequest, outcome: WorkOutcome): boolean {
  if (kind !== 'task') return false
  if (outcome.kind !== 'values') return true
  const bytes = outcome.values.reduce((sum, value) => sum + messageBytes(value), 0)
  return bytes <= TOLD_BYTES && outcome.values.every(({ refs }) => refs.length === 0)
}

function settle(template: GuestTemplate, admission: Exclude<Admission, 'asking'>): void {
  template.admission = admission
  const { waiters } = template
  template.waiters = []
  for (const waiter of waiters) waiter(admission === 'admitted')
}

function workTemplate(template: GuestTemplate): WorkTemplate {
  const { wire, code, key } = template
  if (code?.state.kind !== 'ready') throw new TypeError('a template without code')
  return {
    key: `${key} ${formatJobId(wire.job)}`,
    hash: code.state.hash,
    definition: code.state.definition,
    exportName: wire.exportName,
    name: wire.name,
    job: wire.job,
    numReturns: wire.numReturns,
    stream: wire.stream,
    shape: template.shape,
    held: wire.held,
    timeoutMs: wire.timeoutMs,
    namespace: wire.namespace,
    actor: wire.actor,
    isExclusive: wire.timeoutMs > 0 || wire.maxRetries === 0,
  }
}
