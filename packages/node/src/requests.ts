import { must, RecentMap, toError } from '@shoal/base'
import type { Spilling } from '@shoal/object-store'
import {
  FIRST_ATTEMPT,
  formatObjectId,
  isWithin,
  LIMITS,
  newWireError,
  PlainEncoder,
  ProtocolError,
  valueBytes,
} from '@shoal/protocol'
import type {
  CodeDefinition,
  EncodedValue,
  GroupDefinition,
  JobId,
  NodeId,
  ObjectId,
  RegisteredName,
  TemplateDefinition,
  WireError,
} from '@shoal/protocol'
import type { CallRequest } from './actors/actor-calls.ts'
import { withSharedFacts } from './actors/shared-facts.ts'
import type { Actors } from './actors/actors.ts'
import { taskCancelled } from './cancelled.ts'
import type { Cancelling } from './cancelled.ts'
import type { CodeEntry, CodeStore } from './code-store.ts'
import { storeFull } from './fetches.ts'
import type { Groups } from './groups/groups.ts'
import type { Objects } from './objects.ts'
import type { OwnTemplate } from './own-task.ts'
import type { OwnTasks } from './own-tasks.ts'
import type { Question } from './questions.ts'
import type { Streams } from './streams.ts'
import type { CodeOrigin, Submission, Submitter, SubmitterHandlers } from './submitter.ts'
import type { StateRows } from './state/merge-answers.ts'
import type { StateQuestion } from './state/state-service.ts'
import type { Run } from './workers.ts'

export interface RequestsOptions {
  readonly self: NodeId
  readonly objects: Objects
  readonly spilling: Spilling
  readonly codes: CodeStore
  readonly tasks: OwnTasks
  /** Those of this node's own ledger. */
  readonly streams: Streams
  actors(): Actors
  groups(): Groups
  /** The run that a worker says it is in, or without its word the one that it must be in. */
  runOf(from: Submitter, number: number | undefined): Run | undefined
  /** The page's refs of these are to outlive it: see Ownership. */
  keep(ids: readonly ObjectId[]): void
  /** Where a job's actors are found by name. */
  namespaceOf(job: JobId): string
  cancel(id: ObjectId, how: Cancelling): void
  /** The run that submits was cancelled, and with it all that it submits. */
  takesAlong(parent: Run): boolean
  /** See `ShoalNode.state`. */
  state(question: StateQuestion): Promise<StateRows>
  /** In a room a page submits only with the owner's link; its tasks, once they run, may submit others. */
  maySubmit(from: Submitter): boolean
}

type RequestHandlers = Omit<
  SubmitterHandlers,
  'actorEnded' | 'done' | 'yielded' | 'blocked' | 'dropped' | 'log' | 'frameEnd'
>

/** What one submitter has told us so far, by its own numbers. */
interface Known {
  readonly codes: Map<number, CodeEntry>
  readonly templates: RecentMap<number, OwnTemplate>
  /** The job of the newest run of a worker: what a task does after its end still belongs to it. */
  lastJob: JobId | undefined
}

/**
 * What the page and the workers of this tab ask of their node: code, tasks, objects, actors. It turns their numbers into
 * the node's own terms and counts what each of them refers to; what then happens is not its business.
 */
export class Requests {
  readonly handlers: RequestHandlers
  readonly #options: RequestsOptions
  readonly #pageJob: JobId
  /** By driver: refs inside of what functions were given by name. */
  readonly #pinned = new Map<NodeId, ObjectId[]>()
  readonly #known = new WeakMap<Submitter, Known>()
  /** By group: the templates of what it captures. */
  readonly #captured = new WeakMap<OwnTemplate, Map<string, OwnTemplate>>()

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#pageJob = { driver: options.self, number: 1 }
    this.handlers = {
      code: (from, code, origin, definition) => this.#onCode(from, code, origin, definition),
      template: (from, definition) => this.#onTemplate(from, definition),
      submit: (from, template, submission) => this.#onSubmit(from, template, submission),
      put: (from, number, value) => this.#onPut(from, number, value),
      want: (from, id, question) => this.#onWant(from, id, question),
      watch: (from, id, question) =>
        options.objects.whenKnown(id, () => {
          if (question.answered()) from.sendReady(id)
        }),
      keep: (ids) => {
        options.objects.adopt(ids)
        options.keep(ids)
      },
      release: (from, ids) => {
        for (const id of ids) if (from.unhold(id)) options.objects.release(id)
      },
      cancel: (id, how) => options.cancel(id, how),
      owesItem: (from) => options.streams.isOwed(from),
      streamNext: (from, number, taken, asked) => options.streams.onNext(from, number, taken, asked),
      streamDrop: (from, number) => options.streams.onDrop(from, number),
      actorCreate: (from, template, submission) => this.#onActorCreate(from, template, submission),
      actorCall: (from, request) => {
        this.#onActorCall(from, request)
      },
      group: (from, definition) => this.#onGroup(from, definition),
      groupRemove: (group) => options.groups().remove(group),
      actorKill: (_from, actor, noRestart) => options.actors().kill(actor, noRestart),
      actorFind: (from, question, parentRun, name) => this.#onActorFind(from, question, parentRun, name),
      stateAsk: (from, question, number) => this.#onStateAsk(from, question, number),
    }
  }

  /** What functions of a job were given by name is kept until the job ends. */
  jobGone(driver: NodeId): void {
    for (const id of this.#pinned.get(driver) ?? []) this.#options.objects.release(id)
    this.#pinned.delete(driver)
  }

  #onCode(from: Submitter, code: number, origin: CodeOrigin, definition: CodeDefinition): void {
    const { codes, objects } = this.#options
    const { driver } = this.#jobOf(from, undefined)
    if (definition.type === 'inline' && definition.uses !== undefined && definition.uses.refs.length > 0) {
      for (const id of definition.uses.refs) objects.retain(id)
      this.#pinned.set(driver, [...(this.#pinned.get(driver) ?? []), ...definition.uses.refs])
    }
    const made = codes.define(definition, origin, driver)
    const waiting = this.#code(from, code)
    const settle = (): void => {
      waiting.state = made.state
      for (const waiter of waiting.waiters.splice(0)) waiter()
    }
    if (made.state.kind === 'pending') made.waiters.push(settle)
    else settle()
  }

  #onTemplate(from: Submitter, definition: TemplateDefinition): void {
    if (!isWithin(definition.held, definition.resources))
      throw new ProtocolError('malformed', 'an actor that keeps more than it was placed for')
    const actor = withSharedFacts(definition.actor)
    const job = this.#jobOf(from, undefined)
    const registered = actor?.registered && {
      name: actor.registered.name,
      namespace: actor.registered.namespace || this.#options.namespaceOf(job),
    }
    this.#of(from).templates.set(definition.template, {
      definition: { ...definition, actor: actor && { ...actor, registered } },
      code: this.#code(from, definition.code),
      key: `${from.number}:${definition.template}`,
      jobs: new Map(),
    })
  }

  #onSubmit(from: Submitter, templateNumber: number, submission: Submission): void {
    const { self, objects, tasks, streams, runOf } = this.#options
    const parent = submission.parentRun === undefined ? undefined : runOf(from, submission.parentRun)
    const template = this.#placed(this.#template(from, templateNumber), parent)
    const { numReturns, stream: mode } = template.definition
    const job = this.#jobOf(from, submission.parentRun)
    this.#createObjects(from, submission.number, numReturns, job)
    const refuse = (error: WireError): void => {
      for (let i = 0; i < numReturns; i++) objects.fail({ owner: self, number: submission.number + i }, error)
      if (mode > 0) streams.refuse(from, submission.number, mode, job, error)
    }
    if (!this.#options.maySubmit(from)) {
      refuse(notAllowed())
      return
    }
    if (parent !== undefined && this.#options.takesAlong(parent)) {
      // It was written before the worker heard of it. Nobody is to be told of an error that it caused itself.
      const error = taskCancelled({ owner: self, number: submission.number }, template.definition.name)
      objects.told(error)
      refuse(error)
      return
    }
    if (parent !== undefined) parent.submitted = template.code
    const depth = parent === undefined ? (from.number === 0 ? 0 : 1) : parent.work.depth + 1
    const stream = mode === 0 ? undefined : streams.open(from, submission.number, mode, job)
    tasks.submit(template, submission, job, depth, parent?.work.id, stream)
  }

  #onPut(from: Submitter, number: number, value: EncodedValue): void {
    this.#createObjects(from, number, 1, this.#jobOf(from, undefined))
    const { self, objects, spilling } = this.#options
    const id = { owner: self, number }
    const bytes = valueBytes(value)
    if (spilling.canTake(bytes)) objects.storeHere(id, FIRST_ATTEMPT, value)
    else objects.fail(id, storeFull(bytes, spilling.limitBytes))
  }

  #onWant(from: Submitter, id: ObjectId, question: Question): void {
    const { objects } = this.#options
    objects.whenKnown(id, () => {
      // What nobody waits for any more is not fetched from another tab either.
      if (!question.isOpen) {
        question.answered()
        return
      }
      objects.whenHere(id, (value, error) => {
        if (!question.answered()) return
        if (value === undefined) {
          objects.told(must(error))
          from.sendError(id, must(error))
          return
        }
        if (!from.isClosed)
          for (const inner of value.refs) {
            objects.retain(inner)
            from.hold(inner)
          }
        from.sendValue(id, value)
      })
    })
  }

  #onActorCall(from: Submitter, request: Omit<CallRequest, 'job' | 'parent' | 'stream'>): void {
    const { self, actors, runOf, takesAlong } = this.#options
    const { number, parentRun } = request.submission
    const job = this.#jobOf(from, parentRun)
    this.#createObjects(from, number, request.numReturns, job)
    const parent = parentRun === undefined ? undefined : runOf(from, parentRun)
    const { mode } = request
    const stream = mode === 0 ? undefined : this.#options.streams.open(from, number, mode, job)
    actors().call({ ...request, stream, job, parent: parent?.work.id })
    // It was written before the worker heard of it.
    if (parent !== undefined && takesAlong(parent))
      actors().cancel({ owner: self, number }, { isForced: false, isRecursive: true })
  }

  #onActorFind(from: Submitter, question: number, parentRun: number | undefined, wanted: RegisteredName): void {
    const { actors, namespaceOf } = this.#options
    const name = { ...wanted, namespace: wanted.namespace || namespaceOf(this.#jobOf(from, parentRun)) }
    actors()
      .find(name)
      .then(
        (found) => {
          if (found === undefined) {
            const where = wanted.namespace === '' ? '' : ` in the namespace ${wanted.namespace}`
            from.sendNoActor(question, newWireError('actor-not-found', `no actor has the name ${name.name}${where}`))
          } else from.sendActor(question, found.id, found.facts)
        },
        (error: unknown) => from.sendNoActor(question, newWireError('actor-not-found', String(error))),
      )
  }

  #onStateAsk(from: Submitter, question: StateQuestion, number: number): void {
    // What the frame holds before it is taken up first: a task sees what it has just submitted.
    this.#options.state(question).then(
      (rows) => from.sendState(number, new PlainEncoder().encode(rows, 'rows')),
      (error: unknown) => from.sendNoState(number, newWireError('task-failed', toError(error).message)),
    )
  }

  #onActorCreate(from: Submitter, templateNumber: number, submission: Submission): void {
    const actors = this.#options.actors()
    const { parentRun } = submission
    const parent = parentRun === undefined ? undefined : this.#options.runOf(from, parentRun)
    const template = this.#placed(this.#template(from, templateNumber), parent)
    const job = this.#jobOf(from, submission.parentRun)
    this.#createObjects(from, submission.number, 1, job)
    if (!this.#options.maySubmit(from)) actors.refuse(submission.number, notAllowed())
    else actors.create(template, submission, job, from.number === 0 ? 0 : 1)
  }

  #onGroup(from: Submitter, definition: GroupDefinition): void {
    const { self, objects, groups, maySubmit } = this.#options
    const { number } = definition
    this.#createObjects(from, number, 1, this.#pageJob)
    if (maySubmit(from)) groups().create(definition, this.#pageJob)
    else objects.fail({ owner: self, number }, notAllowed())
  }

  /** What says nothing of where it runs is in the group of what submits it, if that captures it. */
  #placed(template: OwnTemplate, parent: Run | undefined): OwnTemplate {
    const bundle = parent?.work.template.shape.bundle
    if (bundle?.captures !== true || !template.definition.isFree) return template
    const made = this.#captured.get(template) ?? new Map<string, OwnTemplate>()
    this.#captured.set(template, made)
    const group = formatObjectId(bundle.group)
    const known = made.get(group) ?? {
      ...template,
      definition: { ...template.definition, bundle: { ...bundle, bundle: 0 } },
      key: `${template.key} in ${group}`,
      jobs: new Map(),
    }
    made.set(group, known)
    return known
  }

  #createObjects(from: Submitter, number: number, count: number, job: JobId): void {
    for (let i = 0; i < count; i++) {
      this.#options.objects.create(number + i, job)
      from.hold({ owner: this.#options.self, number: number + i })
    }
  }

  #jobOf(from: Submitter, parentRun: number | undefined): JobId {
    if (from.number === 0) return this.#pageJob
    const known = this.#of(from)
    const run = this.#options.runOf(from, parentRun)
    if (run !== undefined) known.lastJob = run.work.template.job
    return known.lastJob ?? this.#pageJob
  }

  /** Code may be named by a template before its text is there. */
  #code(from: Submitter, code: number): CodeEntry {
    const { codes } = this.#of(from)
    let entry = codes.get(code)
    if (entry === undefined) {
      entry = { state: { kind: 'pending' }, waiters: [] }
      codes.set(code, entry)
    }
    return entry
  }

  #template(from: Submitter, template: number): OwnTemplate {
    const known = this.#of(from).templates.get(template)
    if (known === undefined) throw new ProtocolError('malformed', `a task of the unknown template ${template}`)
    return known
  }

  #of(from: Submitter): Known {
    let known = this.#known.get(from)
    if (known === undefined) {
      known = { codes: new Map(), templates: new RecentMap(4 * LIMITS.templatesKept), lastJob: undefined }
      this.#known.set(from, known)
    }
    return known
  }
}

function notAllowed(): WireError {
  return newWireError('permission', "this tab joined by a helper's link, which does not let it submit work")
}
