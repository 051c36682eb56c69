// Long because a worker's whole life is here: made, shared, given work, timed out, ended and crashed.
import { assert, must } from '@shoal/base'
import type { Clock, Log, Timer } from '@shoal/base'
import type { HostedWorker, WorkerHost } from '@shoal/executor'
import type { Spilling } from '@shoal/object-store'
import {
  argumentFailed,
  compareAttempts,
  CPU,
  formatObjectId,
  functionHash,
  newWireError,
  runTemplate,
  showId,
  TO_SUBMITTER,
  valueBytes,
} from '@shoal/protocol'
import type { Attempt, EncodedValue, FunctionHash, NodeId, ObjectId, WireError } from '@shoal/protocol'
import { taskCancelled } from './cancelled.ts'
import type { CodeEntry } from './code-store.ts'
import { storeFull } from './fetches.ts'
import type { Objects } from './objects.ts'
import { Submitter } from './submitter.ts'
import type { SubmitterHandlers } from './submitter.ts'
import type { Work, WorkOutcome } from './work.ts'

/** One attempt in one worker, from its start to its end. */
export interface Run {
  readonly number: number
  readonly work: Work
  readonly worker: Worker
  timer: Timer | undefined
  /** False while its arguments are gathered: the worker does not know of it yet. */
  isSent: boolean
  /** Cancelled with force: once it is the one that runs, its worker ends. */
  isForced: boolean
  /** It waits for others. */
  isBlocked: boolean
  /** Of the task that it submitted last. */
  submitted: CodeEntry | undefined
  /** Its arguments, once they are all here. */
  gathered: Gathered | undefined
}

interface Gathered {
  readonly values: readonly EncodedValue[]
  readonly error: WireError | undefined
}

/** A worker of this tab and what is in it. */
export interface Worker {
  readonly lane: number
  readonly submitter: Submitter
  readonly hosted: HostedWorker
  readonly codes: Map<FunctionHash, number>
  readonly templates: Map<string, number>
  /** Of those sent, in the order in which they were: the first one runs. */
  readonly runs: Map<number, Run>
  /** Calls of its actor in their order, from the first on whose arguments come from disk: none overtakes another. */
  readonly unsent: Run[]
  /** The drivers whose tasks it was given. */
  readonly served: Set<NodeId>
  /** True for one that hosts an actor, or is to: it runs that actor's calls and nothing else. */
  readonly isActor: boolean
  /** Who shares its thread, itself among them. */
  readonly thread: Set<Worker>
  /** The driver whose light actors may be made in the same thread. */
  readonly sharedBy: NodeId | undefined
}

/** Told of every run, while somebody looks. */
export interface RunWatcher {
  began(run: Run): void
  /** Its arguments are gathered, and its worker has it. */
  sent(run: Run): void
  blocked(run: Run, isBlocked: boolean): void
  /** It ended; else `dropped`. */
  ended(run: Run, outcome: WorkOutcome, cpuMicros: number): void
  /** It was given back unstarted. */
  dropped(run: Run): void
}

export interface WorkersOptions {
  readonly self: NodeId
  readonly clock: Clock
  readonly log: Log
  readonly host: WorkerHost
  readonly objects: Objects
  readonly spilling: Spilling
  readonly handlers: SubmitterHandlers
  /** CPUs of this tab: more threads than that only get in each other's way. */
  readonly slots: number
  /** Calls back when such work may begin: at once, or when what this tab lends has rested. */
  whenMayBegin(work: Work, callback: () => void): void
  /** A run's outcome is known; the scheduler is told of the lane. */
  finished(run: Run, outcome: WorkOutcome, cpuMicros: number): void
  /** Work that was in the worker and did not start. */
  givenBack(work: Work, worker: Worker): void
  /** Its actor has ended in good order. */
  actorEnded(worker: Worker): void
  /** It tells nothing any more, and what it held is let go. */
  submitterGone(submitter: Submitter): void
  /** `wasBusy`: it ran something of its own, so that its end may have been that one's doing. */
  workerGone(worker: Worker, reason: string, wasBusy: boolean): void
}

/** At least and at most so many threads are actors' alone; those that reserve no CPU share them past that. */
const ACTOR_THREADS = { least: 2, most: 8 }

/**
 * The workers of this tab: makes one a lane when it is first needed, sends it code, templates and runs, each once, and
 * ends what runs too long. A worker that crashed is gone with its lane; the next start in a new lane makes another. An
 * actor is made in a worker of its own beside the lanes; many light ones share threads.
 * It decides nothing about where work goes.
 */
export class Workers {
  watcher: RunWatcher | undefined
  readonly #options: WorkersOptions
  readonly #byLane = new Map<number, Worker>()
  readonly #bySubmitter = new Map<number, Worker>()
  readonly #runs = new Map<number, Run>()
  readonly #actorThreads = new Set<Set<Worker>>()
  #nextSubmitter = 1
  #nextRun = 1
  #isClosed = false

  constructor(options: WorkersOptions) {
    this.#options = options
  }

  get runCount(): number {
    return this.#runs.size
  }

  get workerCount(): number {
    return this.#bySubmitter.size
  }

  runs(): Iterable<Run> {
    return this.#runs.values()
  }

  /** Every worker, for people who look. */
  all(): Iterable<Worker> {
    return this.#bySubmitter.values()
  }

  run(number: number): Run | undefined {
    return this.#runs.get(number)
  }

  /** The worker's run of that number; without one, the run that it is in. */
  runOf(from: Submitter, number: number | undefined): Run | undefined {
    if (number !== undefined) return this.#runOf(from, number)
    const runs = this.#bySubmitter.get(from.number)?.runs.values() ?? []
    for (const run of runs) if (run.isSent) return run
    return undefined
  }

  /** Starts work in the lane's worker, once the arguments that are refs are here. */
  start(work: Work, lane: number): void {
    if (work.kind === 'actor-new') this.startIn(work, this.#newActorWorker(work, lane))
    else this.startIn(work, this.#byLane.get(lane) ?? this.#newWorker(lane))
  }

  startIn(work: Work, worker: Worker): void {
    const run: Run = {
      number: this.#nextRun++,
      work,
      worker,
      timer: undefined,
      isSent: false,
      isForced: false,
      isBlocked: false,
      submitted: undefined,
      gathered: undefined,
    }
    this.#runs.set(run.number, run)
    worker.runs.set(run.number, run)
    this.watcher?.began(run)
    const { spilling } = this.#options
    this.#options.whenMayBegin(work, () => {
      if (spilling.hasRoom) this.#begin(run)
      // Results would only make it worse.
      else spilling.whenRoom(0, () => this.#begin(run))
    })
  }

  #begin(run: Run): void {
    const { work, worker } = run
    // Of a worker that was removed while this waited: whoever removed it ends it, or gives it back.
    if (this.#runs.get(run.number) !== run || this.#bySubmitter.get(worker.submitter.number) !== worker) return
    const { unsent } = worker
    const isOrdered = work.kind === 'actor-call' && (unsent.length > 0 || work.dependencies.length > 0)
    if (isOrdered) unsent.push(run)
    this.#gather(work, (values, error) => {
      if (this.#runs.get(run.number) !== run) return
      run.gathered = { values, error }
      if (isOrdered) this.#sendReady(worker)
      else this.#sendGathered(run, run.gathered)
    })
  }

  #sendReady(worker: Worker): void {
    if (this.#bySubmitter.get(worker.submitter.number) !== worker) return
    const { unsent } = worker
    for (let run = unsent[0]; run !== undefined; run = unsent[0]) {
      const isOver = this.#runs.get(run.number) !== run
      if (!isOver && run.gathered === undefined) return
      unsent.shift()
      if (!isOver && run.gathered !== undefined) this.#sendGathered(run, run.gathered)
    }
  }

  #sendGathered(run: Run, { values, error }: Gathered): void {
    if (error === undefined) this.#send(run, values)
    // What this tab has no room for another may have.
    else this.#end(run, { kind: error.code === 'object-store-full' ? 'lost' : 'failed', error }, 0)
  }

  /** A worker told how a run ended. Ignored when it is over already. */
  done(from: Submitter, number: number, cpuMicros: number, outcome: WorkOutcome): void {
    const run = this.#runOf(from, number)
    if (run === undefined) return
    this.#end(run, this.#taken(run, outcome), cpuMicros)
    this.#endForced(run.worker)
  }

  /**
   * Results that this tab has no room for are lost: another tab may have it; and so is a run whose GPU went. A call's are not
   * made again unasked.
   */
  #taken({ work }: Run, outcome: WorkOutcome): WorkOutcome {
    if (outcome.kind === 'failed' && outcome.error.code === 'gpu-device-lost' && work.kind === 'task')
      return { kind: 'lost', error: outcome.error }
    if (outcome.kind !== 'values') return outcome
    const { spilling } = this.#options
    const bytes = outcome.values.reduce((sum, value) => sum + valueBytes(value), 0)
    if (spilling.canTake(bytes)) return outcome
    return { kind: work.kind === 'task' ? 'lost' : 'failed', error: storeFull(bytes, spilling.limitBytes) }
  }

  /** A worker gave a run back unstarted. */
  dropped(from: Submitter, number: number): void {
    const run = this.#runOf(from, number)
    if (run === undefined) return
    this.#forget(run)
    this.watcher?.dropped(run)
    this.#options.givenBack(run.work, run.worker)
  }

  /**
   * A task is given back if it has not started, now or by `dropped`; else it is told, and with `isForced` its worker ends.
   * One behind another in its worker may start before it is told: then that is its turn to be ended.
   */
  cancel(run: Run, isForced: boolean): void {
    if (!run.isSent) {
      this.#forget(run)
      this.watcher?.dropped(run)
      this.#options.givenBack(run.work, run.worker)
      return
    }
    run.isForced ||= isForced
    if (this.#endForced(run.worker)) return
    this.#options.host.tellCancelled?.(run.number)
    run.worker.submitter.frame.begin(TO_SUBMITTER.cancel).varint(run.number)
  }

  /** So many items of a stream that runs here were taken; `isOver`: nobody takes any more. */
  consumed(task: ObjectId, attempt: Attempt, consumed: number, isOver: boolean): void {
    for (const { number, work, worker, isSent } of this.#runs.values()) {
      const { id, kind } = work
      if (!isSent || kind === 'actor-new' || id.number !== task.number || id.owner !== task.owner) continue
      if (compareAttempts(work.attempt, attempt) !== 0) continue
      const writer = worker.submitter.frame.begin(TO_SUBMITTER.consumed)
      writer.varint(number)
      writer.varint(consumed)
      writer.u8(isOver ? 1 : 0)
    }
  }

  /** What a worker's run has yielded. */
  yielded(from: Submitter, number: number, index: number, value: EncodedValue): void {
    this.#runOf(from, number)?.work.yielded?.(index, value)
  }

  /** A worker says that its actor has ended. */
  endedIn(from: Submitter): void {
    const worker = this.#bySubmitter.get(from.number)
    if (worker?.isActor === true) this.#options.actorEnded(worker)
  }

  /** The worker's actor is to end itself, once the calls that wait have run. */
  endActor(worker: Worker): void {
    worker.submitter.frame.begin(TO_SUBMITTER.actorEnd)
  }

  /** Ends a worker in the middle of whatever it does; its runs end with `error`. */
  kill(worker: Worker, error: WireError): void {
    if (!this.#remove(worker)) return
    worker.hosted.terminate(firstSent(worker) !== undefined)
    for (const run of [...worker.runs.values()]) this.#end(run, { kind: 'failed', error }, 0)
  }

  /** Ends the workers that run what matches: nobody waits for it any more. What else was in them is given back. */
  endWhere(
    matches: (work: Work, worker: Worker) => boolean,
    error: WireError,
    kind: 'failed' | 'lost' = 'failed',
  ): void {
    for (const worker of [...this.#bySubmitter.values()]) {
      // An actor's calls end with it, and it is its job's no more than others'; its birth is a run of its own.
      const ended = [...worker.runs.values()].filter(({ work }) => work.kind !== 'actor-call' && matches(work, worker))
      if (ended.length === 0) continue
      this.#remove(worker)
      worker.hosted.terminate(firstSent(worker) !== undefined)
      for (const run of ended) this.#end(run, { kind, error }, 0)
      this.#giveBackAll(worker)
      this.#options.workerGone(worker, error.message, true)
    }
  }

  /** Ends the idle workers that ran code of a driver that is gone: what it left in them, refs and timers, goes too. */
  jobGone(driver: NodeId): void {
    for (const worker of [...this.#bySubmitter.values()]) {
      if (worker.isActor || worker.runs.size > 0 || !worker.served.has(driver)) continue
      this.#remove(worker)
      worker.hosted.terminate()
      this.#options.workerGone(worker, 'its job is over', false)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const worker of [...this.#bySubmitter.values()]) {
      for (const run of worker.runs.values()) run.timer?.cancel()
      this.#remove(worker)
      worker.hosted.terminate()
    }
    this.#runs.clear()
    this.#options.host.close()
  }

  #newWorker(lane: number): Worker {
    const worker = this.#make(lane, false, undefined)
    this.#byLane.set(lane, worker)
    return worker
  }

  /** A thread of its own for who reserves CPUs, and for the first few; else beside the fewest others of its job. */
  #newActorWorker({ template }: Work, lane: number): Worker {
    const isLight = !template.held.some(({ name }) => name === CPU)
    const most = Math.max(ACTOR_THREADS.least, Math.min(this.#options.slots, ACTOR_THREADS.most))
    let fewest: Set<Worker> | undefined
    if (isLight && this.#actorThreads.size >= most)
      for (const thread of this.#actorThreads) {
        const [first] = thread
        const isShared = first?.sharedBy === template.job.driver
        if (isShared && thread.size < (fewest?.size ?? Infinity)) fewest = thread
      }
    return this.#make(lane, true, fewest, isLight ? template.job.driver : undefined)
  }

  #make(lane: number, isActor: boolean, thread: Set<Worker> | undefined, sharedBy?: NodeId): Worker {
    assert(!this.#isClosed, 'a worker is wanted of a closed tab')
    const { self, host, handlers, log } = this.#options
    const number = this.#nextSubmitter++
    const [beside] = thread ?? []
    const hosted = host.start({ submitter: number, workerId: number, nodeId: self }, beside?.hosted)
    const submitter = new Submitter({ number, self, port: hosted.port, handlers, log })
    const worker: Worker = {
      lane,
      submitter,
      hosted,
      codes: new Map(),
      templates: new Map(),
      runs: new Map(),
      unsent: [],
      served: new Set(),
      isActor,
      thread: thread ?? new Set(),
      sharedBy,
    }
    worker.thread.add(worker)
    if (isActor) this.#actorThreads.add(worker.thread)
    this.#bySubmitter.set(number, worker)
    hosted.onEnded((reason, isNeighbours = false) => this.#crashed(worker, reason, isNeighbours))
    return worker
  }

  /** Calls back with the values of the refs among the arguments, at once when all are here. */
  #gather(work: Work, callback: (values: readonly EncodedValue[], error: WireError | undefined) => void): void {
    const { dependencies } = work
    if (dependencies.length === 0) {
      callback(NO_VALUES, undefined)
      return
    }
    const values = new Array<EncodedValue>(dependencies.length)
    let missing = dependencies.length
    // Those that are here already stay until the others are.
    const unpins: (() => void)[] = []
    const unpin = (): void => {
      for (const each of unpins.splice(0)) each()
    }
    dependencies.forEach(({ id, place }, index) => {
      this.#options.objects.whenHere(id, (value, error) => {
        if (missing <= 0) return
        if (value === undefined) {
          missing = 0
          unpin()
          if (error !== undefined) this.#options.objects.told(error)
          const isFull = error?.code === 'object-store-full' && work.kind === 'task'
          callback(NO_VALUES, isFull ? error : argumentFailed(must(error), place, work.template.name))
          return
        }
        values[index] = value
        if (--missing > 0) {
          unpins.push(this.#options.objects.fetches.pin(id))
          return
        }
        callback(values, undefined)
        unpin()
      })
    })
  }

  #send(run: Run, values: readonly EncodedValue[]): void {
    const { work, worker } = run
    const { submitter } = worker
    run.isSent = true
    this.watcher?.sent(run)
    worker.served.add(work.template.job.driver)
    worker.runs.delete(run.number)
    worker.runs.set(run.number, run)
    const { frame } = submitter
    const template = this.#template(worker, work)
    const kind = { task: TO_SUBMITTER.run, 'actor-new': TO_SUBMITTER.actorNew, 'actor-call': TO_SUBMITTER.actorRun }
    const writer = frame.begin(kind[work.kind])
    writer.varint(run.number)
    writer.varint(template)
    if (work.kind === 'actor-call') writer.string(work.method)
    frame.id(work.id)
    writer.varint(work.attempt.epoch)
    writer.varint(work.attempt.number)
    writer.varint(values.length)
    values.forEach((value, index) => {
      writer.varint(must(work.dependencies[index]).place)
      this.#giveRefs(submitter, value)
      frame.value(value, true)
    })
    this.#giveRefs(submitter, work.args)
    frame.value(work.args, true)
    const { timeoutMs } = work.template
    if (timeoutMs > 0) run.timer = this.#options.clock.after(timeoutMs, () => this.#timedOut(run))
  }

  #template(worker: Worker, work: Work): number {
    const { template } = work
    const known = worker.templates.get(template.key)
    if (known !== undefined) return known
    let code = worker.codes.get(template.hash)
    const { frame } = worker.submitter
    if (code === undefined) {
      code = worker.codes.size + 1
      worker.codes.set(template.hash, code)
      const writer = frame.begin(TO_SUBMITTER.code)
      writer.varint(code)
      functionHash.write(writer, template.hash)
      frame.definition(template.definition)
      if (template.definition.type === 'inline' && template.definition.uses)
        this.#giveRefs(worker.submitter, template.definition.uses)
    }
    const number = worker.templates.size + 1
    worker.templates.set(template.key, number)
    const { exportName, name, job, numReturns, stream, namespace, shape, held, actor } = template
    runTemplate.write(frame.begin(TO_SUBMITTER.template), {
      template: number,
      code,
      exportName,
      name,
      job,
      numReturns,
      stream,
      namespace,
      group: shape.bundle === undefined ? '' : formatObjectId(shape.bundle.group),
      resources: actor === undefined ? shape.resources : held,
      actor: actor && {
        maxConcurrency: actor.facts.groups.reduce((sum, { limit }) => sum + limit, actor.maxConcurrency),
        registered: actor.registered,
        maxTaskRetries: actor.facts.maxTaskRetries,
        groups: actor.facts.groups,
      },
    })
    return number
  }

  /** Every ref inside a value becomes one reference of the worker, which releases it, or loses it with its life. */
  #giveRefs(submitter: Submitter, value: EncodedValue): void {
    for (const id of value.refs) {
      this.#options.objects.retain(id)
      submitter.hold(id)
    }
  }

  #end(run: Run, outcome: WorkOutcome, cpuMicros: number): void {
    if (!this.#forget(run)) return
    this.watcher?.ended(run, outcome, cpuMicros)
    this.#options.finished(run, outcome, cpuMicros)
  }

  #forget(run: Run): boolean {
    run.timer?.cancel()
    run.worker.runs.delete(run.number)
    const isKnown = this.#runs.delete(run.number)
    if (run.worker.unsent.length > 0) this.#sendReady(run.worker)
    return isKnown
  }

  #timedOut(run: Run): void {
    const { work, worker } = run
    const { name, timeoutMs } = work.template
    const error = newWireError('task-timeout', `${name} ran longer than its limit of ${timeoutMs} ms`, {
      taskId: formatObjectId(work.id),
      taskName: name,
    })
    this.#end(run, { kind: 'failed', error }, timeoutMs * 1000)
    this.#remove(worker)
    worker.hosted.terminate()
    this.#giveBackAll(worker)
    this.#options.workerGone(worker, 'a task ran past its time limit', true)
  }

  #endForced(worker: Worker): boolean {
    const first = firstSent(worker)
    if (first?.isForced !== true) return false
    const { work } = first
    this.#end(first, { kind: 'failed', error: taskCancelled(work.id, work.template.name) }, 0)
    this.#remove(worker)
    worker.hosted.terminate()
    this.#giveBackAll(worker)
    this.#options.workerGone(worker, 'a task was cancelled with force', true)
    return true
  }

  #crashed(worker: Worker, reason: string, isNeighbours: boolean): void {
    if (!this.#remove(worker)) return
    this.#options.log.warn('a worker ended', { worker: worker.submitter.number, reason })
    // What still gathers its arguments cannot have done it; of an actor's calls several may have run.
    const sent = [...worker.runs.values()].filter(({ isSent }) => isSent)
    for (const first of worker.isActor ? sent : sent.slice(0, 1)) {
      const { name } = first.work.template
      const message = `the worker that ran ${name} (${showId(first.work.id)}) ended: ${reason}`
      this.#end(first, { kind: 'lost', error: newWireError('worker-crashed', message, { taskName: name }) }, 0)
    }
    this.#giveBackAll(worker)
    this.#options.workerGone(worker, reason, sent.length > 0 && !isNeighbours)
  }

  #giveBackAll(worker: Worker): void {
    for (const run of [...worker.runs.values()]) {
      this.#forget(run)
      this.watcher?.dropped(run)
      this.#options.givenBack(run.work, worker)
    }
  }

  #remove(worker: Worker): boolean {
    if (!this.#bySubmitter.delete(worker.submitter.number)) return false
    if (this.#byLane.get(worker.lane) === worker) this.#byLane.delete(worker.lane)
    worker.thread.delete(worker)
    if (worker.thread.size === 0) this.#actorThreads.delete(worker.thread)
    worker.submitter.close()
    this.#options.submitterGone(worker.submitter)
    for (const [id, count] of worker.submitter.takeHeld())
      for (let i = 0; i < count; i++) this.#options.objects.release(id)
    return true
  }

  #runOf(from: Submitter, number: number): Run | undefined {
    const run = this.#runs.get(number)
    return run?.worker.submitter === from ? run : undefined
  }
}

const NO_VALUES: readonly EncodedValue[] = []

/** The one that runs. Looked for without a copy: of an actor's calls there may be thousands. */
function firstSent(worker: Worker): Run | undefined {
  for (const run of worker.runs.values()) if (run.isSent) return run
  return undefined
}
