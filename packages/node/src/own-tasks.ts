// Long because a task's whole life, lost and found again, is decided here and nowhere else.
import { must } from '@shoal/base'
import type { ReadyTask, SchedulerEvent } from '@shoal/scheduler'
import { FIRST_ATTEMPT, formatJobId, newWireError, showId } from '@shoal/protocol'
import type {
  Attempt,
  EncodedValue,
  ErrorCode,
  JobId,
  LedgerTemplate,
  NodeId,
  NodeMessage,
  ObjectId,
  PlacedRef,
  ReconstructionFailure,
  TaskArgument,
  TaskResult,
  TaskYielded,
  WireError,
} from '@shoal/protocol'
import type { Reports } from '@shoal/control-store'
import { taskCancelled, workerEnded } from './cancelled.ts'
import { ChildTasks } from './child-tasks.ts'
import { JobTemplates } from './job-templates.ts'
import type { JobTemplatesOptions } from './job-templates.ts'
import { ownerDied } from './loss-errors.ts'
import type { Objects } from './objects.ts'
import { argumentsOf, inputsOf } from './inputs.ts'
import { LINEAGE, Lineage } from './lineage.ts'
import type { LineageLimits } from './lineage.ts'
import {
  isRetried,
  isSameAttempt,
  ledgerTemplate,
  lostOf,
  needs,
  placeOf,
  results,
  returns,
  taskBody,
  wrongCount,
} from './own-task.ts'
import type { JobTemplate, OwnTask, OwnTemplate, PendingTask, TaskRecordBody, TaskSpec } from './own-task.ts'
import type { EndedTasks } from './state/ended-tasks.ts'
import type { TaskView } from './state/views.ts'
import type { Stream, Streams } from './streams.ts'
import type { Submission } from './submitter.ts'
import { whenArguments } from './when-arguments.ts'
import { isOthers } from './work.ts'
import type { Work, WorkOutcome } from './work.ts'

export interface OwnTasksOptions extends JobTemplatesOptions {
  /** False only where the simulation shows what the count of retries prevents (X1). */
  readonly countsRetries?: boolean
  readonly countsRecipes?: boolean
  /** Whose ledger the tasks are of: this node's own, or one that it took over. */
  readonly owner: NodeId
  /** Of the ledger: attempts are numbered within it. */
  epoch(): number
  /** As `BatchTime` counts. */
  now(): number
  /** Remembers attempts that ended. */
  readonly ended: EndedTasks
  readonly objects: Objects
  readonly streams: Streams
  readonly lineage?: LineageLimits | undefined
  /** See `PinnedCopies`. */
  askForCopy(id: ObjectId, places: readonly NodeId[]): NodeId | undefined
  schedule(event: SchedulerEvent<Work>): void
  send(to: NodeId, message: NodeMessage): void
  /** Tells the peer what a template is, once a session. */
  introduce(to: NodeId, template: JobTemplate): void
}

/** What `ready` needs of a task or an actor's birth. */
export interface Startable {
  readonly template: OwnTemplate
  readonly job: JobId
  readonly dependencies: readonly PlacedRef[]
}

/**
 * The tasks of one ledger that this tab answers for, its own or one that it took over, from `.remote()` to their outcome: waits for arguments and code, queues each ready
 * attempt, retries what was lost with a worker or tab, keeps the recipe of results whose only copies are elsewhere.
 * Where a task runs is the scheduler's business. A task's states: waiting -> queued -> here | sent -> done, and back to
 * queued with the next attempt while retries are left.
 */
export class OwnTasks {
  readonly #options: OwnTasksOptions
  readonly #templates: JobTemplates
  readonly #tasks = new Map<number, OwnTask>()
  /** Tasks that are done and can be done again. */
  readonly #lineage: Lineage
  readonly #works = new WeakMap<Work, OwnTask>()
  /** Runs of a ledger that was taken over of which nobody has the record: their outcome is all that will be known of them. */
  readonly #loose = new Map<number, { readonly node: NodeId; readonly attempt: Attempt }>()
  /** Tasks of a ledger that was taken over: what their records say of retries is not true any more. */
  readonly #adopted = new Set<number>()
  /** Tasks whose grant was asked for on behalf of their records. */
  readonly #asked = new WeakSet<OwnTask>()
  /** Tasks of more than one return, by all but the first. */
  readonly #ofMany = new Map<number, OwnTask>()

  /** Tasks that have failed: the next one may wait for the one before, so each is told after the other, not within it. */
  #failing: (readonly [OwnTask, WireError])[] = []
  readonly #children = new ChildTasks()

  constructor(options: OwnTasksOptions) {
    this.#options = options
    this.#templates = new JobTemplates(options)
    const { self, owner, objects, lineage, countsRecipes, askForCopy } = options
    const limits = lineage ?? LINEAGE
    this.#lineage = new Lineage({ self, owner, objects, limits, counts: countsRecipes !== false, ask: askForCopy })
  }

  get owner(): NodeId {
    return this.#options.owner
  }

  get ended(): EndedTasks {
    return this.#options.ended
  }

  /** As `BatchTime` counts. */
  now(): number {
    return this.#options.now()
  }

  get pendingCount(): number {
    return this.#tasks.size
  }

  /** Tasks without an outcome, for people who look: nothing of them is kept. */
  pending(): Iterable<TaskView> {
    return this.#tasks.values()
  }

  /** The task that makes an object, or would make it again: all that the state API knows of lineage comes from here. */
  makerOf(number: number): TaskView | undefined {
    return this.#taskOf(number)
  }

  /** Results whose recipe is kept, by number. */
  get lineageCount(): number {
    return this.#lineage.count
  }

  /** Whether a task of the job that this tab drives has no outcome yet. */
  get hasOwnJob(): boolean {
    // The first one in nearly all cases: tasks of other tabs' jobs are owned here only while their parents run here.
    for (const { job } of this.#tasks.values()) if (job.driver === this.#options.self) return true
    return false
  }

  submit(
    template: OwnTemplate,
    submission: Submission,
    job: JobId,
    depth: number,
    parent: ObjectId | undefined,
    stream?: Stream,
  ): void {
    const { number, dependencies, args } = submission
    const { maxRetries } = template.definition
    const task: OwnTask = {
      number,
      template,
      job,
      depth,
      parent,
      stream,
      dependencies,
      args,
      attempt: FIRST_ATTEMPT,
      retriesLeft: maxRetries,
      at: undefined,
      createdAtMs: this.#options.now(),
      startedAtMs: undefined,
      cancelled: undefined,
      former: [],
    }
    this.#tasks.set(number, task)
    if (parent !== undefined) this.#children.add(parent, number)
    for (const each of results(task)) if (each !== number) this.#ofMany.set(each, task)
    this.#pin(task, 1)
    this.#enqueue(task)
  }

  /** Calls back once code, grant and arguments are there, or with the error of one of them. */
  whenReady(
    start: Startable,
    callback: (template: JobTemplate | undefined, error: WireError | undefined) => void,
  ): void {
    const { template, dependencies, job } = start
    whenArguments(this.#options.objects, dependencies, template.definition.name, (error) => {
      if (error === undefined) this.#templates.when(template, job, callback)
      else callback(undefined, error)
    })
  }

  /**
   * The task that makes an object, if it has no outcome yet, is cancelled from now on: nothing starts it again, and whoever
   * takes the ledger over shall know. Where it is now has to be told, or `neverStarted` be called.
   */
  cancel(number: number, isForced: boolean): PendingTask | undefined {
    const task = this.#taskOf(number)
    if (task === undefined || this.#tasks.get(task.number) !== task) return undefined
    const isNew = task.cancelled === undefined
    task.cancelled = isForced || task.cancelled === 'forced' ? 'forced' : 'asked'
    if (isNew) for (const each of returns(task)) this.#options.objects.toldAnew(this.#object(each))
    return task
  }

  /** A cancelled task that no worker has begun, and none will. */
  neverStarted(number: number): void {
    const task = this.#tasks.get(number)
    if (task?.cancelled !== undefined) this.#endCancelled(task, taskCancelled)
  }

  /** Tasks without an outcome that the runs of this one here have submitted. */
  childrenOf(parent: ObjectId): readonly number[] {
    return this.#children.of(parent)
  }

  /** What a cancelled task comes to unless it ends with a value; undefined for any other. */
  cancellationOf(number: number): { readonly attempt: Attempt; readonly error: WireError } | undefined {
    const task = this.#taskOf(number)
    if (task?.cancelled === undefined) return undefined
    return { attempt: task.attempt, error: taskCancelled(this.#id(task), task.template.definition.name) }
  }

  /** A scheduler effect: the work starts in a worker of this tab. */
  started(work: Work): void {
    const task = this.#works.get(work)
    if (task === undefined) return
    task.at = 'here'
    task.startedAtMs = this.#options.now()
  }

  /** The work did not start after all and waits again. True when it may go to another tab. */
  givenBack(work: Work): boolean {
    const task = this.#works.get(work)
    if (task === undefined) return false
    task.at = 'queue'
    const template = task.template.jobs.get(formatJobId(task.job))
    return this.#options.room() === undefined || (template !== undefined && this.mayLeave(template))
  }

  /** A scheduler effect: the work goes to a peer on one of its credits. */
  sendTo(node: NodeId, work: Work): boolean {
    const task = this.#works.get(work)
    const template = task === undefined ? undefined : must(task.template.jobs.get(formatJobId(task.job)))
    // Or somebody else answers for it by now.
    if (task === undefined || template === undefined || this.#tasks.get(task.number) !== task) return false
    // Queued before this tab had a room, it has no grant yet; without one the code may not leave.
    const mayLeave = this.mayLeave(template)
    const dependencies = mayLeave ? this.arguments(task.dependencies, task.args) : undefined
    if (dependencies === undefined) {
      this.#unsent(node, template)
      this.#enqueue(task)
      return true
    }
    task.at = node
    task.startedAtMs = this.#options.now()
    this.#options.introduce(node, template)
    const { number, attempt, depth, parent, args } = task
    this.#options.send(node, {
      type: 'task.submit',
      template: template.wire,
      ledger: this.#options.owner === this.#options.self ? undefined : this.#options.owner,
      number,
      attempt,
      depth,
      parent,
      streamId: task.stream?.id ?? 0,
      dependencies,
      args,
      handOver: 0,
    })
    return true
  }

  /** Whether the code is signed for the room that this tab is in now. */
  mayLeave(template: JobTemplate): boolean {
    return this.#templates.mayLeave(template)
  }

  /** The work cannot go after all, since it lacks an argument or its grant: the credit goes back. */
  #unsent(node: NodeId, template: JobTemplate): void {
    this.#options.send(node, { type: 'credit.return', shape: template.work.shape, count: 1 })
    this.#options.schedule({ type: 'sent-ended', node, kind: '', ms: undefined })
  }

  /**
   * Arguments as they go into a message; undefined when one does not exist any more. Their refs leave this tab. Together
   * they stay within what one message holds: what does not fit is pulled.
   */
  arguments(dependencies: readonly PlacedRef[], args: EncodedValue): TaskArgument[] | undefined {
    return argumentsOf(this.#options.objects, dependencies, args)
  }

  /** A peer's word on an attempt; false for one that is not, or no longer, with it. */
  onResult(from: NodeId, result: TaskResult): boolean {
    const task = this.#tasks.get(result.number)
    if (task === undefined && this.#onLooseResult(from, result)) return true
    if (task?.at !== from || !isSameAttempt(task.attempt, result.attempt)) return false
    const { outcome } = result
    if (outcome.type === 'failed') {
      const isLost = LOST_THERE.has(outcome.error.code)
      this.#ended(task, { kind: isLost ? 'lost' : 'failed', error: outcome.error })
      return true
    }
    if (outcome.values.length !== results(task).length) {
      this.#ended(task, { kind: 'failed', error: wrongCount(task, outcome.values.length) })
      return true
    }
    if (task.stream?.hasGap === true) {
      this.#ended(task, { kind: 'lost', error: newWireError('object-lost', 'some items were lost on their way') })
      return true
    }
    outcome.values.forEach((value, index) => {
      const id = this.#object(task.number + index)
      if (value.type === 'inline') this.#options.objects.storeHere(id, task.attempt, value.value)
      else this.#options.objects.storeElsewhere(id, task.attempt, value.bytes, [from])
    })
    this.#remember(task, undefined)
    this.#done(task, outcome.values.some((value) => value.type === 'stored') || task.stream?.isElsewhere === true, from)
    return true
  }

  /** What a generator has yielded in another tab; false as for `onResult`. */
  onYielded(from: NodeId, message: TaskYielded): boolean {
    const task = this.#tasks.get(message.number)
    if (task?.stream === undefined || task.at !== from || !isSameAttempt(task.attempt, message.attempt)) return false
    for (const [index, value] of message.values.entries())
      this.#options.streams.yielded(task.stream, message.first + index, task.attempt, value, from)
    return true
  }

  /** A peer will not run the attempt and has not begun. */
  onRefused(from: NodeId, number: number, attempt: Attempt, error: WireError | undefined): void {
    const task = this.#tasks.get(number)
    if (task?.at !== from || !isSameAttempt(task.attempt, attempt)) return
    if (error === undefined) this.#enqueue(task)
    else this.#ended(task, { kind: 'failed', error })
  }

  /** The kind and run time of an attempt that a peer ended, for the scheduler's means. */
  kindOf(number: number): string {
    const task = this.#tasks.get(number)
    return task?.template.jobs.get(formatJobId(task.job))?.work.key ?? ''
  }

  /** A node died: what it ran for us is run again, as far as retries go. */
  nodeGone(node: NodeId): void {
    for (const task of [...this.#tasks.values()]) {
      if (task.at !== node) continue
      const name = task.template.definition.name
      const message = `the tab ${node.slice(0, 8)} that ran ${name} (${showId(this.#id(task))}) is gone`
      this.#ended(task, { kind: 'lost', error: newWireError('node-died', message, { nodeId: node, taskName: name }) })
    }
    this.#lineage.nodeGone(node)
    for (const [number, run] of [...this.#loose])
      if (run.node === node) {
        this.#loose.delete(number)
        this.#options.objects.fail(this.#object(number), ownerDied(this.#object(number)))
      }
  }

  /** All copies of a result are gone: true when the task that made it runs again. */
  rebuild(id: ObjectId): boolean {
    if (this.#lineage.taskOf(id.number)?.cancelled !== undefined) return false
    if (this.#options.streams.taskOf(id.number) !== undefined) {
      // It runs just now, and yields that item once more, or will run again when it is done.
      this.#options.objects.reopen(id)
      this.#options.streams.expect(id.number)
      return true
    }
    return this.#rerun(id.number)
  }

  #rerun(number: number): boolean {
    const task = this.#lineage.take(number)
    if (task === undefined) return false
    this.#nextAttempt(task)
    this.#tasks.set(task.number, task)
    if (task.parent !== undefined) this.#children.add(task.parent, task.number)
    for (const number of lostOf(task, (each) => this.#options.objects.state(this.#object(each))))
      this.#options.objects.reopen(this.#object(number))
    this.#enqueue(task)
    return true
  }

  /** Why `rebuild` refuses; undefined for what no task has made. */
  whyNotRebuilt(id: ObjectId): ReconstructionFailure | undefined {
    if (this.#lineage.taskOf(id.number)?.cancelled !== undefined) return 'task-cancelled'
    return this.#lineage.whyNot(id.number)
  }

  /** An own object is no longer referred to. */
  freed(id: ObjectId): void {
    this.#lineage.taskOf(id.number)?.stream?.items.delete(id.number)
    this.#options.streams.freed(id.number)
    this.#lineage.freed(id.number)
  }

  /** Only recipes refer to it. */
  idle(id: ObjectId): void {
    this.#lineage.idle(id.number)
  }

  /** A node says that it has a copy of it. */
  onHeld(id: ObjectId, node: NodeId): void {
    this.#lineage.onHeld(id.number, node)
  }

  /** Somebody came, or a copy is gone. */
  look(): void {
    this.#lineage.look()
  }

  /** What the ledger's record of an object's task says; undefined where none made it, or its code may not leave this tab. */
  specOf(number: number): TaskSpec | undefined {
    const task = this.#taskOf(number)
    if (task === undefined) return undefined
    const template = task.template.jobs.get(formatJobId(task.job))
    if (template === undefined || !this.mayLeave(template)) {
      this.#askGrant(task)
      return undefined
    }
    const { definition } = task.template
    return {
      attempt: task.attempt,
      body: taskBody(task),
      template: ledgerTemplate(template, definition),
    }
  }

  /** What an actor's record says of its class: see `JobTemplates.recorded`. */
  ledgerTemplateOf(template: OwnTemplate, job: JobId, later: () => void): LedgerTemplate | undefined {
    return this.#templates.recorded(template, job, later)
  }

  /** Whether the answer to `ledgerTemplateOf` or `specOf` is only a matter of the check of code that is under way. */
  isUnchecked(template: OwnTemplate, job: JobId): boolean {
    return this.#templates.isUnchecked(template, job)
  }

  isUncheckedTask(number: number): boolean {
    const task = this.#taskOf(number)
    return task !== undefined && this.isUnchecked(task.template, task.job)
  }

  /** While a task waits for its arguments nobody else asks for the leave that its record needs. */
  #askGrant(task: OwnTask): void {
    if (this.#asked.has(task) || this.#options.room() === undefined) return
    this.#asked.add(task)
    this.#templates.whenMayLeave(task.template, task.job, () => {
      for (const number of returns(task)) this.#options.objects.toldAnew(this.#object(number))
    })
  }

  /** True for what is known of a task here: the record of a ledger that is taken over need not be looked at. */
  has(number: number): boolean {
    return this.#taskOf(number) !== undefined || this.#loose.has(number)
  }

  hasAdopted(number: number): boolean {
    return this.#adopted.has(number)
  }

  /** A task of a ledger that was taken over, run by a peer already, or to be run again. */
  adopt(record: TaskRecordBody, attempt: Attempt, template: OwnTemplate, job: JobId, at: NodeId | undefined): void {
    if (this.#tasks.has(record.task)) return
    const { streamId } = record
    const mode = template.definition.stream
    const { task: number, depth, dependencies, args, retriesLeft } = record
    const task: OwnTask = {
      number,
      template,
      job,
      depth,
      parent: undefined,
      stream: streamId > 0 ? this.#options.streams.adopt(streamId, number, mode) : undefined,
      dependencies,
      args,
      attempt,
      retriesLeft,
      at,
      createdAtMs: this.#options.now(),
      startedAtMs: at && this.#options.now(),
      cancelled: undefined,
      former: [],
    }
    this.#tasks.set(number, task)
    this.#adopted.add(number)
    this.#loose.delete(number)
    // Others of its ledger may need what nobody has asked for.
    for (const each of returns(task)) this.#options.objects.expect(this.#object(each))
    this.#options.objects.adopt([...dependencies.map(({ id }) => id), ...args.refs])
    if (at !== undefined) {
      this.#begin(task)
      if (task.stream !== undefined) this.#options.streams.takenOver(task.stream)
      return
    }
    const name = template.definition.name
    const message = `the tab that owned ${showId(this.#id(task))}, a run of ${name}, is gone`
    this.#ended(task, { kind: 'lost', error: newWireError('owner-died', message, { nodeId: this.#options.owner }) })
  }

  /** Somebody needs what an adopted generator yields there. */
  expectItem(number: number): void {
    this.#options.streams.expect(number)
  }

  /** A run by a peer of which nothing is known but that. */
  adoptRun(number: number, node: NodeId, attempt: Attempt): void {
    if (!this.#tasks.has(number)) this.#loose.set(number, { node, attempt })
  }

  forgetRun(number: number): void {
    this.#loose.delete(number)
  }

  /** Loose runs that are under way for nobody, with their nodes. */
  looseRuns(): readonly (readonly [number: number, node: NodeId, attempt: Attempt])[] {
    return [...this.#loose].map(([number, { node, attempt }]) => [number, node, attempt] as const)
  }

  /** This node answers for the ledger no more: whoever does has its own record of each task. */
  abandon(): void {
    const tasks = [...this.#tasks.values()]
    this.#tasks.clear()
    this.#children.clear()
    this.#loose.clear()
    for (const task of tasks) {
      this.#pin(task, -1)
      this.#notHeard(task)
    }
    this.#lineage.clear()
  }

  /** The peer that runs it tells its end to somebody else. */
  #notHeard({ at }: OwnTask): void {
    if (at === undefined || at === 'queue' || at === 'here') return
    this.#options.schedule({ type: 'sent-ended', node: at, kind: '', ms: undefined })
  }

  /**
   * This node takes its own ledger back: where each of its runs is now, as the reports say. One that nobody has was lost,
   * or its outcome is among the copies.
   */
  takeBack(runs: Reports['runs']): void {
    const hasOutcome = (number: number): boolean => this.#options.objects.state(this.#object(number)).kind !== 'pending'
    for (const task of [...this.#tasks.values()]) {
      if (task.at === undefined || task.at === 'queue' || task.at === 'here') continue
      const isKnown = task.stream === undefined && returns(task).every(hasOutcome)
      if (isKnown && returns(task).length > 0) {
        this.#notHeard(task)
        this.#remember(task, undefined)
        this.#done(task, true)
        continue
      }
      const run = runs.get(task.number)?.find(({ attempt }) => isSameAttempt(attempt, task.attempt))
      // What a generator has yielded meanwhile was not told to this tab.
      if (run !== undefined && task.stream === undefined) {
        task.at = run.node
        continue
      }
      if (run !== undefined) {
        const { number, attempt } = task
        const how = { isForced: false, isRecursive: true }
        this.#options.send(run.node, { type: 'task.recall', ledger: undefined, number, attempt, ...how })
      }
      this.#notHeard(task)
      const name = task.template.definition.name
      const message = `the tab that ran ${name} (${showId(this.#id(task))}) did not know of it any more`
      this.#ended(task, { kind: 'lost', error: newWireError('node-died', message, { taskName: name }) })
    }
    this.#lineage.look()
  }

  #onLooseResult(from: NodeId, result: TaskResult): boolean {
    const run = this.#loose.get(result.number)
    if (run?.node !== from || !isSameAttempt(run.attempt, result.attempt)) return false
    this.#loose.delete(result.number)
    const { objects } = this.#options
    const { outcome } = result
    if (outcome.type === 'failed') {
      objects.recover(this.#object(result.number), { kind: 'failed', error: outcome.error })
      return true
    }
    outcome.values.forEach((value, index) => {
      const id = this.#object(result.number + index)
      if (value.type === 'inline') objects.recoverHere(id, result.attempt, value.value)
      else objects.recover(id, { kind: 'elsewhere', attempt: result.attempt, bytes: value.bytes, holders: [from] })
    })
    return true
  }

  #taskOf(number: number): OwnTask | undefined {
    const task = this.#tasks.get(this.#options.streams.taskOf(number) ?? number) ?? this.#ofMany.get(number)
    // What is done and not in the lineage is no task any more.
    return task !== undefined && this.#tasks.get(task.number) === task ? task : this.#lineage.taskOf(number)
  }

  /** The session ends: every task that has no outcome gets this one. */
  failAll(error: WireError): void {
    for (const task of [...this.#tasks.values()]) this.#ended(task, { kind: 'failed', error })
  }

  #enqueue(task: OwnTask): void {
    task.at = undefined
    task.startedAtMs = undefined
    this.#begin(task)
    if (task.cancelled !== undefined) {
      this.neverStarted(task.number)
      return
    }
    this.whenReady(task, (template, error) => {
      if (this.#tasks.get(task.number) !== task) return
      if (template === undefined) {
        this.#ended(task, { kind: 'failed', error: must(error) })
        return
      }
      task.at = 'queue'
      const work = this.#work(task, template)
      this.#works.set(work, task)
      this.#options.schedule({
        type: 'ready',
        task: this.readyTask(work, template),
        shape: template.work.shape,
      })
    })
  }

  #begin(task: OwnTask): void {
    if (task.stream !== undefined) this.#options.streams.begin(task.stream, () => placeOf(task, this.#options.self))
  }

  /** How the scheduler sees work that this tab owns. */
  readyTask(work: Work, template: JobTemplate): ReadyTask<Work> {
    return {
      key: work,
      kind: template.work.key,
      staysHere: this.#options.room() !== undefined && !this.mayLeave(template),
      isGuest: false,
      isOthers: isOthers(work, this.#options.self),
      depth: work.depth,
      // An actor is made in a worker of its own: nothing waits behind its constructor.
      isExclusive: template.work.isExclusive && work.kind === 'task',
      inputs: inputsOf(work.dependencies, this.#options.objects, this.#options.self),
    }
  }

  #work(task: OwnTask, template: JobTemplate): Work {
    const attempt = task.attempt
    return {
      kind: 'task',
      id: this.#id(task),
      attempt,
      template: template.work,
      method: '',
      depth: task.depth,
      dependencies: task.dependencies,
      args: task.args,
      isGuest: false,
      yielded: (index, value) => {
        if (task.stream === undefined || task.at !== 'here' || task.attempt !== attempt) return
        this.#options.streams.yielded(task.stream, index, attempt, { type: 'inline', value }, this.#options.self)
      },
      ended: (outcome) => {
        if ((task.at === 'here' || task.at === 'queue') && task.attempt === attempt) this.#endedHere(task, outcome)
      },
    }
  }

  #endedHere(task: OwnTask, outcome: WorkOutcome): void {
    if (outcome.kind !== 'values') {
      this.#ended(task, outcome)
      return
    }
    if (outcome.values.length !== results(task).length) {
      this.#ended(task, { kind: 'failed', error: wrongCount(task, outcome.values.length) })
      return
    }
    outcome.values.forEach((value, index) => {
      this.#options.objects.storeHere(this.#object(task.number + index), task.attempt, value)
    })
    this.#remember(task, undefined)
    this.#done(task, task.stream?.isElsewhere === true)
  }

  #ended(task: OwnTask, outcome: Exclude<WorkOutcome, { kind: 'values' }>): void {
    this.#remember(task, outcome.error)
    if (task.cancelled !== undefined) {
      // Whatever its run says of its end, short of a value: with force that its worker was ended, if it did not crash first.
      const wasEnded = task.cancelled === 'forced' && outcome.error.code === 'task-cancelled'
      this.#endCancelled(task, wasEnded ? workerEnded : taskCancelled)
      return
    }
    const mayRetry = task.retriesLeft > 0 || this.#options.countsRetries === false
    if (mayRetry && (outcome.kind === 'lost' || isRetried(task.template.definition.retryExceptions, outcome.error))) {
      this.#nextAttempt(task)
      this.#enqueue(task)
      return
    }
    this.#failed(task, outcome.error)
  }

  #failed(task: OwnTask, failure: WireError): void {
    if (this.#failing.push([task, failure]) > 1) return
    try {
      // It grows: who waits for the result fails with it.
      for (const [each, error] of this.#failing) {
        if (this.#tasks.get(each.number) !== each) continue
        for (const number of results(each)) this.#options.objects.fail(this.#object(number), error)
        this.#done(each, false, undefined, error)
      }
    } finally {
      this.#failing = []
    }
  }

  #endCancelled(task: OwnTask, errorOf: typeof taskCancelled): void {
    const error = errorOf(this.#id(task), task.template.definition.name)
    // Whoever cancelled it knows of it.
    this.#options.objects.told(error)
    this.#failed(task, error)
  }

  #remember(task: OwnTask, error: WireError | undefined): void {
    const { at } = task
    const node = at === 'here' ? this.#options.self : at === 'queue' ? undefined : at
    this.#options.ended.add(task, task.template.definition, 'NORMAL_TASK', node, error)
  }

  #nextAttempt(task: OwnTask): void {
    task.retriesLeft--
    const { at } = task
    if (at !== undefined && at !== 'queue') {
      const node = at === 'here' ? this.#options.self : at
      if (!task.former.includes(node)) task.former = [...task.former, node]
    }
    const epoch = this.#options.epoch()
    task.attempt = { epoch, number: task.attempt.epoch === epoch ? task.attempt.number + 1 : 0 }
    for (const number of returns(task)) this.#options.objects.toldAnew(this.#object(number))
  }

  /** `maker`: where its results are, if that is known. */
  #done(task: OwnTask, keepsRecipe: boolean, maker?: NodeId, error?: WireError): void {
    const { stream } = task
    const lost = stream === undefined || error !== undefined ? [] : this.#options.streams.lostOf(stream)
    this.#tasks.delete(task.number)
    if (task.parent !== undefined) this.#children.delete(task.parent, task.number)
    for (const each of results(task)) this.#ofMany.delete(each)
    if (!keepsRecipe || !this.#lineage.keep(task, maker)) this.#pin(task, -1)
    if (stream === undefined) return
    // Lost since it was yielded: it is run again for their sake.
    if (lost.some((id) => this.#rerun(id.number))) return
    this.#options.streams.ended(stream, error)
  }

  /** The task's arguments stay while it may run, or run again. */
  #pin(task: OwnTask, change: 1 | -1): void {
    const { objects } = this.#options
    for (const id of needs(task)) {
      if (change === 1) objects.retain(id)
      else objects.release(id)
    }
  }

  #id(task: OwnTask): ObjectId {
    return this.#object(task.number)
  }

  #object(number: number): ObjectId {
    return { owner: this.#options.owner, number }
  }
}

/** What is no fault of the task's: it may do better elsewhere. */
const LOST_THERE: ReadonlySet<ErrorCode> = new Set([
  'worker-crashed',
  'object-lost',
  'object-store-full',
  'gpu-device-lost',
])
