import { RecentMap } from '@shoal/base'
import { LIMITS, namedNode, newWireError } from '@shoal/protocol'
import type { LogLine, NodeId } from '@shoal/protocol'
import { showShape } from '@shoal/scheduler'
import type { Scheduler, SchedulerEffect, SchedulerEvent, WorkShape } from '@shoal/scheduler'
import type { Actors } from './actors/actors.ts'
import type { Cancellation } from './cancellation.ts'
import { taskCancelled } from './cancelled.ts'
import { whenCode } from './code-store.ts'
import type { Groups } from './groups/groups.ts'
import type { Ownership } from './ledger/ownership.ts'
import type { JobTemplate } from './own-task.ts'
import type { OwnTasks } from './own-tasks.ts'
import type { RoomLink } from './room-link.ts'
import type { Lending } from './lending/lending.ts'
import { isOthers } from './work.ts'
import type { Work, WorkOutcome } from './work.ts'
import type { Run, Worker, Workers } from './workers.ts'

export interface DispatcherOptions {
  readonly self: NodeId
  readonly scheduler: Scheduler<Work>
  readonly tasks: OwnTasks
  readonly ownership: Ownership
  readonly actors: Actors
  readonly workers: Workers
  later(delayMs: number, callback: () => void): void
  link(): RoomLink | undefined
  cancellation(): Cancellation
  groups(): Groups
  lending(): Lending
  toDriver(line: LogLine): void
  changed(): void
}

/**
 * Between the scheduler, which decides, and everything that acts: gathers events into one step a microtask, and carries
 * out its effects. It decides nothing. States: open -> closed.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly counts = { tasksRun: 0, guestTasksRun: 0, tasksFailed: 0, cpuMicros: 0 }
  /** Bytes a millisecond that came from each peer, as a mean. */
  readonly #rates = new Map<NodeId, number>()
  /** Outcomes of this tab's own tasks that came from each peer. */
  readonly #doneBy = new Map<NodeId, number>()
  /** Templates that each peer was told of. */
  readonly #introduced = new Map<NodeId, RecentMap<number, true>>()
  #events: SchedulerEvent<Work>[] = []
  #isStepScheduled = false
  /** Something was taken out, and peers may have to hear of it. */
  #hasTaken = false
  #isClosed = false

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  /** A new session of the peer, or the end of one: it knows nothing of what it was told. */
  forget(peer: NodeId): void {
    this.#introduced.delete(peer)
    this.#rates.delete(peer)
  }

  close(): void {
    this.#isClosed = true
  }

  schedule(event: SchedulerEvent<Work>): void {
    this.#events.push(event)
    this.#stepSoon()
  }

  /** Takes out what waits and matches: in the scheduler's queues, or on its way there. */
  takeQueued(matches: (work: Work) => boolean): Work[] {
    const onTheWay: Work[] = []
    this.#events = this.#events.flatMap((event): SchedulerEvent<Work>[] => {
      if (event.type !== 'ready' && event.type !== 'given-back' && event.type !== 'guest') return [event]
      if (!matches(event.task.key)) return [event]
      onTheWay.push(event.task.key)
      if (event.type === 'guest') return [{ type: 'returned', node: event.node, shape: event.shape, count: 1 }]
      return event.type === 'given-back' && event.lane !== undefined ? [{ type: 'left', lane: event.lane }] : []
    })
    const taken = [...onTheWay, ...this.#options.scheduler.takeWhere(matches)]
    if (taken.length > 0) {
      this.#hasTaken = true
      this.#stepSoon()
    }
    return taken
  }

  /** Guests that have not started: what this tab lends is paused, or used up for now. */
  giveBackGuests(): void {
    const waiting = this.takeQueued((work) => work.isGuest && isOthers(work, this.#options.self))
    for (const work of waiting) work.givenBack?.()
  }

  #stepSoon(): void {
    if (this.#isStepScheduled) return
    this.#isStepScheduled = true
    queueMicrotask(() => this.step())
  }

  step(): void {
    this.#isStepScheduled = false
    const groups = this.#options.groups()
    while ((this.#events.length > 0 || this.#hasTaken) && !this.#isClosed) {
      this.#hasTaken = false
      const all = this.#events
      // What is refused ends here, and more may happen because of it.
      this.#events = []
      const events = all.filter((event) => event.type !== 'ready' || !groups.refuses(event.task.key, event.shape))
      for (const effect of this.#options.scheduler.step(events)) this.#carryOut(effect)
    }
    groups.stepped()
    this.#options.lending().stepped()
  }

  #carryOut(effect: SchedulerEffect<Work>): void {
    switch (effect.type) {
      case 'start':
        this.#options.ownership.tasksOf(effect.task.key.id.owner)?.started(effect.task.key)
        this.#options.workers.start(effect.task.key, effect.lane)
        return
      case 'send': {
        const work = effect.task.key
        const node = effect.node as NodeId
        const { actors, ownership, link } = this.#options
        const isSent =
          work.kind === 'actor-new'
            ? actors.sendTo(node, work)
            : ownership.tasksOf(work.id.owner)?.sendTo(node, work) === true
        if (isSent) return
        // It was ended while it was being placed: the credit goes back.
        link()?.send(node, { type: 'credit.return', shape: work.template.shape, count: 1 })
        this.schedule({ type: 'sent-ended', node, kind: '', ms: undefined })
        return
      }
      case 'want': {
        const { shape, queued } = effect
        this.#options.link()?.send(effect.node as NodeId, { type: 'credit.want', shape, queued })
        return
      }
      case 'timer': {
        const { timer, shape } = effect
        this.#options.later(effect.afterMs, () => this.schedule({ type: 'passed', timer, shape }))
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
        this.#options.link()?.send(effect.node as NodeId, {
          type: effect.type === 'grant' ? 'credit.grant' : 'credit.return',
          shape: effect.shape,
          count: effect.count,
        })
    }
  }

  /** A peer lives, or its card is another. */
  peer(node: NodeId): void {
    const { resources, labels = [] } = this.#options.link()?.card(node) ?? {}
    this.schedule({ type: 'peer', node, resources, labels })
  }

  /** Bytes came from a peer at that rate: what is planned with is a mean in which the newest count for a fifth. */
  measured(node: NodeId, bytesPerMs: number): void {
    const known = this.#rates.get(node)
    const mean = known === undefined ? bytesPerMs : known + (bytesPerMs - known) / 5
    this.#rates.set(node, mean)
    this.#events.push({ type: 'rate', node, bytesPerMs: mean })
  }

  doneBy(node: NodeId): number {
    return this.#doneBy.get(node) ?? 0
  }

  sentEnded(node: NodeId, kind: string, ms: number): void {
    this.#doneBy.set(node, this.doneBy(node) + 1)
    this.schedule({ type: 'sent-ended', node, kind, ms })
  }

  finished(run: Run, told: WorkOutcome, cpuMicros: number): void {
    const { work, worker } = run
    const outcome = this.#options.cancellation().outcome(work, told)
    this.counts.tasksRun++
    this.counts.cpuMicros += cpuMicros
    if (work.isGuest) this.counts.guestTasksRun++
    if (outcome.kind !== 'values') this.counts.tasksFailed++
    if (work.kind === 'actor-new') {
      if (outcome.kind === 'values') this.#options.actors.born(run)
      else this.#options.workers.kill(worker, outcome.error)
    }
    if (work.kind === 'actor-call') {
      // Others take turns in it, or wait; then its time is not the tab's.
      const isAlone = work.template.actor?.maxConcurrency === 1
      if (isAlone && isOthers(work, this.#options.self)) this.#options.lending().took(cpuMicros / 1000)
    } else this.schedule({ type: 'finished', lane: worker.lane, kind: work.template.key, ms: cpuMicros / 1000 })
    work.ended(outcome, cpuMicros)
    this.#options.changed()
  }

  /** A task waits for others, or goes on. */
  blocked(run: Run, isBlocked: boolean): void {
    const { lane, runs } = run.worker
    run.isBlocked = isBlocked
    this.#options.workers.watcher?.blocked(run, isBlocked)
    if (!isBlocked) {
      this.schedule({ type: 'resumed', lane })
      return
    }
    const tell = (): void => this.schedule({ type: 'blocked', lane, kind: run.work.template.key })
    if (run.submitted === undefined) tell()
    // Its slot is for what it waits for: until that is ready, another of its kind would take it, and wait too.
    else whenCode(run.submitted, () => run.isBlocked && runs.has(run.number) && tell())
  }

  givenBack(work: Work, worker: Worker): void {
    if (work.kind === 'actor-call' && this.#options.cancellation().isCancelled(work)) {
      work.ended({ kind: 'failed', error: taskCancelled(work.id, `${work.template.name}.${work.method}`) }, 0)
      return
    }
    if (work.kind === 'actor-call') {
      work.ended({ kind: 'lost', error: newWireError('actor-died', 'the actor died before the call ran') }, 0)
      return
    }
    if (this.#options.cancellation().isCancelled(work)) {
      this.schedule({ type: 'left', lane: worker.lane })
      this.#options.cancellation().neverStarted(work)
      return
    }
    const { template } = work
    this.schedule({
      type: 'given-back',
      lane: worker.lane,
      shape: template.shape,
      task: {
        key: work,
        kind: template.key,
        staysHere: this.#options.ownership.tasksOf(work.id.owner)?.givenBack(work) !== true,
        isGuest: work.isGuest,
        isOthers: isOthers(work, this.#options.self),
        depth: work.depth,
        isExclusive: template.isExclusive && work.kind === 'task',
        inputs: [],
      },
    })
  }

  introduce(to: NodeId, template: JobTemplate): void {
    const known = this.#introduced.get(to) ?? new RecentMap<number, true>(LIMITS.templatesTold)
    this.#introduced.set(to, known)
    if (known.get(template.wire) === true) return
    const grant = this.#options.tasks.mayLeave(template) ? template.grant?.value : undefined
    if (grant === undefined) return
    known.set(template.wire, true)
    const { job, hash, exportName, name, numReturns, stream, shape, held, timeoutMs, namespace, actor, isExclusive } =
      template.work
    this.#options.link()?.send(to, {
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
      stream,
      namespace,
      actor,
      maxRetries: isExclusive && timeoutMs === 0 ? 0 : 1,
      timeoutMs,
    })
  }

  #onInfeasible(work: Work, shape: WorkShape, staysHere: boolean): void {
    const { job, name } = work.template
    const node = namedNode(shape.labels)
    if (node !== undefined) {
      const message = `the tab ${node.slice(0, 8)} is not in this room, or can never run this: ${showShape(shape)}`
      const error = newWireError('task-unschedulable', message, { taskName: name, nodeId: node as NodeId })
      const waiting = this.#options.scheduler.takeWhere(({ template }) => template.shape.key === shape.key)
      for (const each of waiting) each.ended({ kind: 'failed', error }, 0)
      return
    }
    if (shape.bundle !== undefined && !staysHere) {
      const error = this.#options.groups().whyNever(shape)
      if (error === undefined) return
      const waiting = this.#options.scheduler.takeWhere(({ template }) => template.shape.key === shape.key)
      for (const each of waiting) each.ended({ kind: 'failed', error }, 0)
      return
    }
    const text = staysHere
      ? `this was defined by a task in this tab, may run here alone, and here is less than ${showShape(shape)}. It waits for ever: define it in a remote module.`
      : `no tab of this room has what this asks for: ${showShape(shape)}. It waits until one comes.`
    this.#options.toDriver({ job, task: work.id, node: this.#options.self, name, level: 'warn', text })
  }
}
