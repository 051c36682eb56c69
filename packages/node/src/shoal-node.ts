// Long because every route between the parts of a node is listed here, and nowhere else.
import { Scope } from '@shoal/base'
import type { Clock, Log, Random, Timer } from '@shoal/base'
import type { WorkerHost } from '@shoal/executor'
import { ObjectTable, Transfers } from '@shoal/object-store'
import { CPU, fromResourceSet, LIMITS, newWireError, ProtocolError, RoomError, toResourceSet } from '@shoal/protocol'
import type {
  Crypto,
  FramePort,
  KeyPair,
  LOG_LEVELS,
  LogLine,
  NodeId,
  NodeMessage,
  Refusal,
  ResourceSet,
  RoomId,
  RoomSettings,
  Session,
} from '@shoal/protocol'
import { Scheduler, showShape, workShape } from '@shoal/scheduler'
import type { InfeasibleTasks, SchedulerEffect, SchedulerEvent, WorkShape } from '@shoal/scheduler'
import { Actors } from './actors.ts'
import { carriedRefs, isCarrier } from './carried-refs.ts'
import { CodeStore } from './code-store.ts'
import type { CheckSource } from './code-store.ts'
import { Guests } from './guests.ts'
import { Objects } from './objects.ts'
import { OwnTasks } from './own-tasks.ts'
import type { JobTemplate } from './own-tasks.ts'
import { References } from './references.ts'
import { Requests } from './requests.ts'
import { RoomLink } from './room-link.ts'
import type { RoomLinkOptions, RoomMember } from './room-link.ts'
import { Submitter } from './submitter.ts'
import type { SubmitterHandlers } from './submitter.ts'
import { UnfetchedErrors } from './unfetched-errors.ts'
import { guestsAmong } from './work.ts'
import type { Work, WorkOutcome } from './work.ts'
import { Workers } from './workers.ts'
import type { Run, Worker } from './workers.ts'

export interface NodeOptions {
  readonly self: NodeId
  readonly session: Session
  readonly keyPair: KeyPair
  readonly clock: Clock
  readonly random: Random
  readonly crypto: Crypto
  readonly log: Log
  readonly workerHost: WorkerHost
  readonly checkSource: CheckSource
  readonly pagePort: FramePort
  /** Tasks of one CPU that this tab runs at a time. */
  readonly slots: number
  /** What it has beside its CPUs, e.g. GPUs, memory, a camera. */
  readonly resources?: ResourceSet
  readonly name: string
  readonly agent: string
  readonly cores: number
  readonly isLending: boolean
  /** A line that a task of this tab's job wrote to its console. */
  onLogLine(line: LogLine): void
  /** The room has given this tab's session up: leave it, and join with a higher session. */
  onOver(): void
  /** What the room's owner decided for everybody in it; again after each change. */
  onRoomSettings?(settings: RoomSettings): void
  /** Something that `status` tells has changed. */
  onChange(): void
}

/** A room to join, with the ports that lead into it. */
export type JoinOptions = Pick<
  RoomLinkOptions,
  'room' | 'roomKey' | 'ownerKeyPair' | 'settings' | 'connector' | 'signaling' | 'seed'
> & {
  /** Higher than any this node had in the room before: a session that others gave up is over for good. */
  readonly session?: Session
}

export interface NodeStatus {
  readonly room: RoomId | undefined
  readonly isServerUp: boolean
  readonly isOffline: boolean
  /** Why the room's server will not have this tab. */
  readonly refusal: Refusal | undefined
  readonly isLending: boolean
  readonly slots: number
  /** All that this tab has, and what of it running tasks and actors reserve. */
  readonly resources: ResourceSet
  readonly usedResources: ResourceSet
  readonly running: number
  readonly queued: number
  /** Of those queued, what no known node could take. */
  readonly infeasible: readonly InfeasibleTasks[]
  readonly pending: number
  /** Whether a task or actor call of the job that this tab drives has no outcome yet. */
  readonly hasOwnJob: boolean
  /** Runs in this tab's workers for other tabs, and the names of some. */
  readonly guestsRunning: number
  readonly guestNames: readonly string[]
  /** Actors of other tabs' jobs that live here; they stay until their job ends. */
  readonly guestActors: number
  readonly tasksRun: number
  readonly guestTasksRun: number
  readonly tasksFailed: number
  readonly cpuMicros: number
  readonly objects: number
  readonly objectBytes: number
  /** Hand-overs of references that their receivers have not confirmed. */
  readonly pinned: number
  /** Objects of other tabs that their owners count this one for. */
  readonly borrowed: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly members: readonly RoomMember[]
}

/**
 * What a node keeps for somebody. All but actors and workers are 0 once every ref is released and everything has
 * ended; those two, since actors live as long as their job and workers are kept warm, once the node is closed.
 */
export interface NodeHoldings {
  readonly ownObjects: number
  /** Objects of other owners that are known here. */
  readonly otherObjects: number
  readonly objectBytes: number
  /** References that were handed over and not confirmed, or that owners in other tabs count for this one. */
  readonly borrowed: number
  /** Who waits for an object here. */
  readonly waiters: number
  /** Gets and waits of this tab's page that are not answered. */
  readonly questions: number
  readonly pendingTasks: number
  readonly queuedTasks: number
  readonly runs: number
  readonly calls: number
  readonly actors: number
  /** Results whose tasks could be run again. */
  readonly recipes: number
  readonly pulls: number
  readonly timers: number
  readonly workers: number
}

const MAX_WORKERS = 256
/** People are shown what runs in their tab; more names than this nobody reads. */
const GUEST_NAMES = 3
/** Messages kept for one peer until its first link; what comes past it is dropped, and its pulls ask again by themselves. */
const MOST_UNSENT = 10_000

/**
 * One tab's node: puts ownership, scheduling, workers, objects and the room together, and routes what each says to the
 * others. It decides nothing itself. Long because every route of the node is listed here, and nowhere else.
 * States: open (alone or in a room) -> closed.
 */
export class ShoalNode {
  readonly #options: NodeOptions
  readonly #log: Log
  readonly #scope: Scope
  readonly #page: Submitter
  readonly #codes: CodeStore
  readonly #objects: Objects
  readonly #table = new ObjectTable()
  readonly #transfers: Transfers
  readonly #tasks: OwnTasks
  readonly #guests: Guests
  readonly #actors: Actors
  readonly #workers: Workers
  /** All that this tab has, lent or not. */
  readonly #resources: ResourceSet
  readonly #scheduler: Scheduler<Work>
  readonly #requests: Requests
  readonly #references: References
  readonly #unfetched: UnfetchedErrors
  readonly #introduced = new Map<NodeId, Set<number>>()
  #room: { readonly id: RoomId; readonly link: RoomLink; readonly isOwner: boolean } | undefined
  #isLending: boolean
  #events: SchedulerEvent<Work>[] = []
  #isStepScheduled = false
  readonly #timers = new Set<Timer>()
  /** Messages to peers that have not been linked yet. */
  readonly #unsent = new Map<NodeId, NodeMessage[]>()
  readonly #counts = { tasksRun: 0, guestTasksRun: 0, tasksFailed: 0, cpuMicros: 0 }

  constructor(options: NodeOptions) {
    this.#options = options
    const { self, clock, log } = options
    this.#log = log.child('node')
    this.#scope = new Scope((error) => this.#log.error('closing failed', { error: String(error) }))
    this.#isLending = options.isLending
    this.#resources = toResourceSet({ ...fromResourceSet(options.resources ?? []), [CPU]: options.slots })
    this.#scheduler = new Scheduler<Work>({ self, resources: this.#resources, maxLanes: MAX_WORKERS })
    const send = (to: NodeId, message: NodeMessage): void => this.#send(to, message)
    const canReach = (node: NodeId): boolean => this.#room?.link.canReach(node) ?? false
    const later = (delayMs: number, callback: () => void): void => this.#later(delayMs, callback)
    const schedule = (event: SchedulerEvent<Work>): void => this.#schedule(event)
    const room = (): RoomId | undefined => this.#room?.id
    const introduce = (to: NodeId, template: JobTemplate): void => this.#introduce(to, template)
    this.#transfers = new Transfers({
      log: log.child('transfers'),
      network: {
        send,
        sendBulk: (to, pull, offset, bytes) => this.#room?.link.sendBulk(to, pull, offset, bytes),
        bulkRoom: (to) => this.#room?.link.bulkRoom(to) ?? 0,
        onBulkRoom: (to, callback) => this.#room?.link.onBulkRoom(to, callback),
        canReach,
      },
      lookup: (subject) =>
        subject.type === 'function' ? this.#codes.serve(subject.hash) : this.#table.get(subject.id)?.value,
      // What is inside of code stays with its owner for as long as the code does.
      hold: (to, subject, value) =>
        subject.type === 'object' && value.refs.length > 0 ? this.#references.hold(to, [subject.id]) : 0,
      unhold: (holds) => this.#references.receiveInside([], holds)(),
    })
    this.#references = new References({
      self,
      log: log.child('references'),
      send,
      canReach,
      later,
      retain: (id) => this.#objects.retain(id),
      release: (id) => this.#objects.release(id),
      standing: (id) => this.#objects.standing(id),
      lend: (id, to) => this.#objects.lend(id, to),
      takeBack: (id, from, isCopyGone) => this.#objects.takeBack(id, from, isCopyGone),
      takeBackAll: (from) => this.#objects.takeBackAll(from),
      unknown: (id) => this.#objects.unknown(id),
    })
    this.#codes = new CodeStore({
      crypto: options.crypto,
      keyPair: options.keyPair,
      log: log.child('code'),
      checkSource: options.checkSource,
      fetch: (hash, from, callback) =>
        this.#transfers.pull({ type: 'function', hash }, [from], (outcome) =>
          callback(outcome.kind === 'value' ? outcome.value : undefined),
        ),
    })
    this.#unfetched = new UnfetchedErrors({ self, log: (line) => this.#toDriver(line) })
    this.#objects = new Objects({
      self,
      log: log.child('objects'),
      transfers: this.#transfers,
      table: this.#table,
      send,
      canReach,
      later,
      freed: (id) => this.#tasks.freed(id),
      rebuild: (id) => this.#tasks.rebuild(id),
      dropped: (id, isCopyGone) => this.#references.dropped(id, isCopyGone),
      receiveInside: (refs, holds) => this.#references.receiveInside(refs, holds),
      whyNotRebuilt: (id) => this.#tasks.whyNotRebuilt(id),
      unfetched: (id, error, job) => this.#unfetched.add(id, error, job),
    })
    this.#tasks = new OwnTasks({ self, objects: this.#objects, codes: this.#codes, schedule, send, room, introduce })
    this.#guests = new Guests({
      self,
      log: log.child('guests'),
      objects: this.#objects,
      codes: this.#codes,
      schedule,
      send,
      room,
      isListed: (node, key) => this.#room?.link.isListed(node, key) ?? Promise.resolve(false),
      isLending: () => this.#isLending,
      canReach,
    })
    this.#requests = new Requests({
      self,
      objects: this.#objects,
      codes: this.#codes,
      tasks: this.#tasks,
      actors: () => this.#actors,
      runOf: (from, number) => this.#workers.runOf(from, number),
      maySubmit: (from) => from.number !== 0 || this.#room === undefined || this.#room.isOwner,
    })
    this.#workers = new Workers({
      self,
      clock,
      log: log.child('workers'),
      host: options.workerHost,
      objects: this.#objects,
      handlers: this.#handlers(),
      finished: (run, outcome, cpuMicros) => this.#finished(run, outcome, cpuMicros),
      givenBack: (work, worker) => this.#givenBack(work, worker),
      workerGone: (worker, reason) => {
        this.#schedule({ type: 'lane-gone', lane: worker.lane })
        this.#actors.workerGone(worker, reason)
      },
    })
    const { tasks, guests, workers, objects } = {
      tasks: this.#tasks,
      guests: this.#guests,
      workers: this.#workers,
      objects: this.#objects,
    }
    this.#actors = new Actors({ self, objects, tasks, guests, workers, schedule, send, canReach, introduce })
    this.#schedule({ type: 'lending', isOn: this.#isLending })
    this.#page = new Submitter({ number: 0, self, port: options.pagePort, handlers: this.#handlers(), log: this.#log })
    this.#scope.add(() => {
      for (const timer of this.#timers) timer.cancel()
      this.#timers.clear()
    })
    this.#scope.add(() => this.#page.close())
    this.#scope.add(() => this.#transfers.close())
    this.#scope.add(() => this.#workers.close())
  }

  /** Enters a room. What was submitted before stays here; from now on tasks may go to others. @throws RoomError */
  async join(options: JoinOptions): Promise<void> {
    if (this.#room !== undefined) throw new RoomError('room', 'this tab is in a room already; leave it first')
    const { self, session, keyPair, clock, random, crypto, log } = this.#options
    const link = new RoomLink({
      ...options,
      self,
      session: options.session ?? session,
      keyPair,
      clock,
      random,
      crypto,
      log,
      handlers: {
        alive: (node) => this.#peerAlive(node),
        relinked: (node) => this.#transfers.peerLinked(node),
        dead: (node) => this.#peerDead(node),
        message: (from, message) => this.#onMessage(from, message),
        bulk: (from, pull, offset, bytes) => this.#transfers.onBulk(from, pull, offset, bytes),
        over: () => this.#options.onOver(),
        settings: (settings) => this.#options.onRoomSettings?.(settings),
        changed: () => this.#onRoomChanged(),
      },
    })
    this.#room = { id: options.room, link, isOwner: options.ownerKeyPair !== undefined }
    await this.#introduceSelf()
    this.#options.onChange()
  }

  /** Says goodbye and goes on alone. */
  leave(reason: 'left' | 'closed' | 'reload'): void {
    const room = this.#room
    if (room === undefined) return
    // Those on their way too: what was said or asked of them waits.
    const known = new Set([
      ...room.link.alive(),
      ...room.link.members().map(({ node }) => node),
      ...this.#unsent.keys(),
    ])
    room.link.close(reason)
    this.#room = undefined
    for (const node of known) this.#peerDead(node)
    this.#options.onChange()
  }

  /** Lends this tab's slots to the room, or no more; what runs goes on to its end. */
  lend(isOn: boolean): void {
    if (this.#isLending === isOn) return
    this.#isLending = isOn
    this.#schedule({ type: 'lending', isOn })
    if (this.#room) this.#introduceSelf().catch((error: unknown) => this.#log.warn('no card', { error: String(error) }))
    this.#options.onChange()
  }

  status(): NodeStatus {
    const traffic = this.#room?.link.traffic()
    const guests = guestsAmong(this.#workers.runs(), this.#options.self, GUEST_NAMES)
    return {
      room: this.#room?.id,
      isServerUp: this.#room?.link.isServerUp ?? false,
      isOffline: this.#room?.link.isOffline ?? false,
      refusal: this.#room?.link.refusal,
      isLending: this.#isLending,
      slots: this.#options.slots,
      resources: this.#resources,
      usedResources: this.#scheduler.used,
      running: this.#workers.runCount,
      queued: this.#scheduler.queued,
      infeasible: this.#scheduler.infeasible(),
      pending: this.#tasks.pendingCount,
      hasOwnJob: this.#tasks.hasOwnJob || this.#actors.hasOwnJob,
      guestsRunning: guests.running,
      guestNames: guests.names,
      guestActors: this.#actors.guestCount,
      ...this.#counts,
      objects: this.#table.count,
      objectBytes: this.#table.bytes,
      pinned: this.#references.pinned,
      borrowed: this.#references.borrowed,
      bytesSent: traffic?.sent ?? 0,
      bytesReceived: traffic?.received ?? 0,
      members: this.#room?.link.members() ?? [],
    }
  }

  holdings(): NodeHoldings {
    return {
      ownObjects: this.#objects.ownCount,
      otherObjects: this.#objects.othersCount,
      objectBytes: this.#table.bytes,
      borrowed: this.#references.pinned + this.#references.borrowed,
      waiters: this.#objects.waiterCount,
      questions: this.#page.questionCount,
      pendingTasks: this.#tasks.pendingCount,
      queuedTasks: this.#scheduler.queued,
      runs: this.#workers.runCount,
      calls: this.#actors.callCount,
      actors: this.#actors.hostedCount,
      recipes: this.#tasks.lineageCount,
      pulls: this.#transfers.openPulls,
      timers: this.#timers.size,
      workers: this.#workers.workerCount,
    }
  }

  /** Ends every task and actor of this tab, its workers and its place in the room. Idempotent. */
  close(reason: 'left' | 'closed' | 'reload'): void {
    if (this.#scope.isClosed) return
    const error = newWireError('shutdown', 'this session was shut down')
    this.#objects.close()
    this.#unfetched.close()
    this.leave(reason)
    this.#tasks.failAll(error)
    this.#actors.failAll(error)
    // What waited, for a slot or for a tab that has what it asks for, has its outcome now.
    this.#scheduler.takeWhere(() => true)
    this.#page.frame.flush()
    this.#scope.close()
  }

  #handlers(): SubmitterHandlers {
    return {
      ...this.#requests.handlers,
      done: (from, run, cpuMicros, outcome) =>
        this.#workers.done(
          from,
          run,
          cpuMicros,
          'code' in outcome ? { kind: 'failed', error: outcome } : { kind: 'values', values: outcome },
        ),
      blocked: (from, number, isBlocked) => {
        const run = this.#workers.run(number)
        if (run === undefined || run.worker.submitter !== from || run.worker.isActor) return
        if (isBlocked && !from.isOwed) return
        const { lane } = run.worker
        const kind = run.work.template.key
        this.#schedule(isBlocked ? { type: 'blocked', lane, kind } : { type: 'resumed', lane })
      },
      dropped: (from, run) => this.#workers.dropped(from, run),
      log: (from, run, level, text) => this.#onLog(from, run, level, text),
      frameEnd: () => this.#step(),
    }
  }

  #onLog(from: Submitter, number: number, level: (typeof LOG_LEVELS)[number], text: string): void {
    const run = this.#workers.run(number)
    if (run === undefined || run.worker.submitter !== from) return
    const { job, name } = run.work.template
    const line: LogLine = { job, task: run.work.id, node: this.#options.self, name, level, text }
    this.#toDriver(line)
  }

  #onInfeasible(work: Work, shape: WorkShape, staysHere: boolean): void {
    const { job, name } = work.template
    const text = staysHere
      ? `this was defined by a task in this tab, may run here alone, and here is less than ${showShape(shape)}. It waits for ever: define it in a remote module.`
      : `no tab of this room has what this asks for: ${showShape(shape)}. It waits until one comes.`
    this.#toDriver({ job, task: work.id, node: this.#options.self, name, level: 'warn', text })
  }

  #toDriver(line: LogLine): void {
    const { driver } = line.job
    if (driver === this.#options.self) this.#options.onLogLine(line)
    else this.#send(driver, { type: 'log.lines', lines: [line] })
  }

  #later(delayMs: number, callback: () => void): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer)
      callback()
    })
    this.#timers.add(timer)
  }

  /** What is said to a peer that is not linked yet waits for its first link; to one that is gone, nothing is said. */
  #send(to: NodeId, message: NodeMessage): void {
    const link = this.#room?.link
    if (link === undefined || !link.canReach(to)) return
    if (isCarrier(message)) {
      const handOver = this.#references.handOver(to, carriedRefs(message))
      if (handOver !== 0) message = { ...message, handOver }
    }
    if (link.isAlive(to)) {
      link.send(to, message)
      return
    }
    const waiting = this.#unsent.get(to) ?? []
    this.#unsent.set(to, waiting)
    if (waiting.length < MOST_UNSENT) waiting.push(message)
    else this.#log.warn('too much waits for a peer that is not linked', { to })
  }

  #schedule(event: SchedulerEvent<Work>): void {
    this.#events.push(event)
    if (this.#isStepScheduled) return
    this.#isStepScheduled = true
    queueMicrotask(() => this.#step())
  }

  #step(): void {
    this.#isStepScheduled = false
    while (this.#events.length > 0 && !this.#scope.isClosed) {
      const events = this.#events
      this.#events = []
      for (const effect of this.#scheduler.step(events)) this.#carryOut(effect)
    }
  }

  #carryOut(effect: SchedulerEffect<Work>): void {
    switch (effect.type) {
      case 'start':
        this.#tasks.started(effect.task.key)
        this.#workers.start(effect.task.key, effect.lane)
        return
      case 'send': {
        const work = effect.task.key
        const node = effect.node as NodeId
        if (work.kind === 'actor-new') this.#actors.sendTo(node, work)
        else this.#tasks.sendTo(node, work, this.#options.clock.now())
        return
      }
      case 'want': {
        const message: NodeMessage = { type: 'credit.want', shape: effect.shape, queued: effect.queued }
        if (effect.node !== undefined) this.#room?.link.send(effect.node as NodeId, message)
        else for (const node of this.#room?.link.alive() ?? []) this.#room?.link.send(node, message)
        return
      }
      case 'timer': {
        const { timer, shape } = effect
        this.#later(effect.afterMs, () => this.#schedule({ type: 'passed', timer, shape }))
        return
      }
      case 'refuse':
        effect.task.key.givenBack?.()
        return
      case 'infeasible':
        this.#onInfeasible(effect.task.key, effect.shape, effect.task.staysHere)
        return
      case 'grant':
      case 'return':
        this.#room?.link.send(effect.node as NodeId, {
          type: effect.type === 'grant' ? 'credit.grant' : 'credit.return',
          shape: effect.shape,
          count: effect.count,
        })
    }
  }

  #finished(run: Run, outcome: WorkOutcome, cpuMicros: number): void {
    const { work, worker } = run
    this.#counts.tasksRun++
    this.#counts.cpuMicros += cpuMicros
    if (work.isGuest) this.#counts.guestTasksRun++
    if (outcome.kind !== 'values') this.#counts.tasksFailed++
    if (work.kind === 'actor-new' && outcome.kind === 'values') {
      this.#actors.born(run)
      this.#schedule({ type: 'lane-gone', lane: worker.lane })
    } else if (work.kind !== 'actor-call')
      this.#schedule({ type: 'finished', lane: worker.lane, kind: work.template.key, ms: cpuMicros / 1000 })
    work.ended(outcome, cpuMicros)
    this.#options.onChange()
  }

  #givenBack(work: Work, worker: Worker): void {
    if (work.kind === 'actor-call') {
      work.ended({ kind: 'lost', error: newWireError('actor-died', 'the actor died before the call ran') }, 0)
      return
    }
    const { template } = work
    this.#schedule({
      type: 'given-back',
      lane: worker.lane,
      shape: template.shape,
      task: {
        key: work,
        kind: template.key,
        staysHere: !this.#tasks.givenBack(work),
        isGuest: work.isGuest,
        depth: work.depth,
        isExclusive: template.isExclusive || work.kind !== 'task',
        inputs: [],
      },
    })
  }

  #introduce(to: NodeId, template: JobTemplate): void {
    const known = this.#introduced.get(to) ?? new Set<number>()
    this.#introduced.set(to, known)
    if (known.has(template.wire)) return
    const grant = this.#tasks.mayLeave(template) ? template.grant?.value : undefined
    if (grant === undefined) return
    known.add(template.wire)
    const { job, hash, exportName, name, numReturns, shape, held, timeoutMs, isExclusive } = template.work
    this.#room?.link.send(to, {
      type: 'task.template',
      template: template.wire,
      job,
      fn: hash,
      exportName,
      name,
      submitter: grant.submitter,
      signature: grant.signature,
      shape,
      held: [...held],
      numReturns,
      maxRetries: isExclusive && timeoutMs === 0 ? 0 : 1,
      timeoutMs,
    })
  }

  #peerAlive(node: NodeId): void {
    this.#introduced.delete(node)
    this.#schedule({ type: 'peer', node, resources: this.#room?.link.card(node)?.resources })
    const unsent = this.#unsent.get(node) ?? []
    this.#unsent.delete(node)
    for (const message of unsent) this.#room?.link.send(node, message)
    this.#transfers.peerLinked(node)
    this.#options.onChange()
  }

  #peerDead(node: NodeId): void {
    this.#introduced.delete(node)
    this.#unsent.delete(node)
    this.#schedule({ type: 'peer-gone', node })
    this.#guests.peerGone(node)
    this.#references.peerGone(node)
    // Before the transfers: a pull that is lost with the node finds the object's state as it is now.
    this.#objects.nodeGone(node)
    this.#transfers.peerGone(node)
    this.#tasks.nodeGone(node)
    this.#actors.nodeGone(node)
    this.#endJobsOf(node)
    this.#options.onChange()
  }

  /** Nobody will ever ask for what a driver that is gone wanted: its tasks leave the queue and the workers. */
  #endJobsOf(driver: NodeId): void {
    const isOver = (work: Work): boolean =>
      work.template.job.driver === driver || (work.isGuest && work.id.owner === driver)
    const error = newWireError('owner-died', `the tab ${driver.slice(0, 8)} that wanted this is gone`, {
      nodeId: driver,
    })
    for (const work of this.#scheduler.takeWhere(isOver)) work.ended({ kind: 'failed', error }, 0)
    this.#workers.endWhere(isOver, error)
    this.#actors.jobGone(driver, error)
    this.#workers.jobGone(driver)
    this.#requests.jobGone(driver)
    this.#objects.jobGone(driver)
  }

  #onRoomChanged(): void {
    for (const node of this.#room?.link.alive() ?? []) {
      const card = this.#room?.link.card(node)
      if (card) this.#schedule({ type: 'peer', node, resources: card.resources })
    }
    this.#options.onChange()
  }

  async #introduceSelf(): Promise<void> {
    const { name, cores, agent } = this.#options
    const resources = this.#isLending ? this.#resources : []
    await this.#room?.link.introduce({ name, cores, resources, agent, joinedAtMs: 0 })
  }

  #onMessage(from: NodeId, message: NodeMessage): void {
    if (!isCarrier(message)) {
      this.#handle(from, message)
      return
    }
    const letGo = this.#references.receive(from, message.handOver, carriedRefs(message))
    try {
      this.#handle(from, message)
    } finally {
      letGo()
    }
  }

  #handle(from: NodeId, message: NodeMessage): void {
    if (this.#transfers.onMessage(from, message) || this.#references.onMessage(from, message)) return
    switch (message.type) {
      case 'task.template':
        this.#guests.onTemplate(from, message)
        return
      case 'task.submit':
        this.#onSubmit(from, message)
        return
      case 'task.result':
        this.#onResult(from, message)
        return
      case 'task.refused':
        this.#tasks.onRefused(from, message.number, message.attempt, message.error)
        this.#actors.onRefused(from, message.number, message.error)
        this.#schedule({ type: 'sent-ended', node: from, kind: '', ms: undefined })
        return
      case 'task.recall':
        // An owner that wants work back gets its result instead while recall is not decided on: see docs/decisions.
        return
      case 'credit.want':
        this.#schedule({ type: 'wanted', node: from, shape: workShape(message.shape), queued: message.queued })
        return
      case 'credit.grant':
        this.#schedule({ type: 'granted', node: from, shape: workShape(message.shape), count: message.count })
        return
      case 'credit.return':
        this.#schedule({ type: 'returned', node: from, shape: workShape(message.shape), count: message.count })
        return
      default:
        this.#onObjectMessage(from, message)
    }
  }

  #onObjectMessage(from: NodeId, message: NodeMessage): void {
    switch (message.type) {
      case 'object.want':
        this.#objects.onWant(from, message.id)
        return
      case 'object.answer':
        this.#objects.onAnswer(from, message)
        return
      case 'object.held':
        this.#objects.onHeld(from, message.id, message.attempt)
        return
      case 'object.free':
        this.#objects.onFree(from, message.ids)
        return
      case 'actor.create':
        this.#actors.onCreate(from, message)
        return
      case 'actor.status':
        this.#actors.onStatus(from, message)
        return
      case 'actor.want':
        this.#actors.onWant(from, message.actor)
        return
      case 'actor.place':
        this.#actors.onPlace(from, message)
        return
      case 'actor.call':
        this.#actors.onCall(from, message)
        return
      case 'log.lines':
        for (const line of message.lines) if (line.job.driver === this.#options.self) this.#options.onLogLine(line)
        return
      default:
        throw new ProtocolError('malformed', `${message.type} is not expected here`)
    }
  }

  #onSubmit(from: NodeId, message: NodeMessage & { type: 'task.submit' }): void {
    if (message.depth > LIMITS.taskDepth) throw new ProtocolError('too-large', `a task ${message.depth} levels deep`)
    const request = { ...message, kind: 'task' } as const
    this.#guests.accept(from, request, (outcome, cpuMicros) =>
      this.#guests.sendResult(from, request, outcome, cpuMicros, 0),
    )
  }

  #onResult(from: NodeId, message: NodeMessage & { type: 'task.result' }): void {
    const kind = this.#tasks.kindOf(message.number)
    if (this.#tasks.onResult(from, message))
      this.#schedule({ type: 'sent-ended', node: from, kind, ms: message.cpuMicros / 1000 })
    else this.#actors.onResult(from, message)
  }
}
