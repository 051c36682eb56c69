import type { Log } from '@shoal/base'
import type { SchedulerEvent } from '@shoal/scheduler'
import { formatJobId, LIMITS, newWireError, valueBytes } from '@shoal/protocol'
import type {
  Attempt,
  NodeId,
  NodeMessage,
  ResultValue,
  RoomId,
  TaskArgument,
  TaskOutcome,
  TaskTemplate,
  WireError,
  EncodedValue,
} from '@shoal/protocol'
import { whenCode } from './code-store.ts'
import type { CodeEntry, CodeStore } from './code-store.ts'
import type { Objects } from './objects.ts'
import { placedMilliCpus } from './work.ts'
import type { Work, WorkOutcome, WorkTemplate } from './work.ts'

interface GuestTemplate {
  readonly wire: TaskTemplate
  readonly code: CodeEntry
  readonly key: string
  admission: 'pending' | 'admitted' | 'denied'
  waiters: (() => void)[]
  work: WorkTemplate | undefined
}

export interface GuestsOptions {
  readonly self: NodeId
  readonly log: Log
  readonly objects: Objects
  readonly codes: CodeStore
  schedule(event: SchedulerEvent<Work>): void
  send(to: NodeId, message: NodeMessage): void
  room(): RoomId | undefined
  /** Whether the room's owner listed the key; waits a moment for the directory before it says no. */
  isListed(submitter: NodeId, publicKey: Uint8Array): Promise<boolean>
  /** Whether this tab lends its workers. */
  isLending(): boolean
  canReach(node: NodeId): boolean
}

/** What a peer asks to be run: a task's attempt, or the birth of an actor. */
export interface GuestRequest {
  readonly kind: 'task' | 'actor-new'
  readonly template: number
  readonly number: number
  readonly attempt: Attempt
  readonly depth: number
  readonly dependencies: readonly TaskArgument[]
  readonly args: EncodedValue
}

/**
 * Work that other tabs sent here on our credits: its code is fetched and its grant checked once, its arguments counted
 * while it is here, and its outcome sent back to the owner. It never sends a task on.
 */
export class Guests {
  readonly #options: GuestsOptions
  readonly #templates = new Map<NodeId, Map<number, GuestTemplate>>()

  constructor(options: GuestsOptions) {
    this.#options = options
  }

  onTemplate(from: NodeId, wire: TaskTemplate): void {
    const { codes, room } = this.#options
    const template: GuestTemplate = {
      wire,
      code: codes.byHash(wire.fn, from),
      key: `${from} ${wire.template}`,
      admission: 'pending',
      waiters: [],
      work: undefined,
    }
    const templates = this.#templates.get(from) ?? new Map<number, GuestTemplate>()
    this.#templates.set(from, templates)
    templates.set(wire.template, template)
    const roomId = room()
    const admitted =
      roomId === undefined
        ? Promise.resolve(false)
        : codes.admit(wire.job, wire.fn, roomId, wire, (node, key) => this.#options.isListed(node, key))
    admitted.then(
      (isAdmitted) => settle(template, isAdmitted ? 'admitted' : 'denied'),
      (error: unknown) => {
        this.#options.log.warn('a grant could not be checked', { from, error: String(error) })
        settle(template, 'denied')
      },
    )
  }

  /** Queues the work once its code is here; what may not run is refused. `ended` hears how a run went. */
  accept(from: NodeId, request: GuestRequest, ended: (outcome: WorkOutcome, cpuMicros: number) => void): void {
    const { objects } = this.#options
    const template = this.#templates.get(from)?.get(request.template)
    for (const { object } of request.dependencies) objects.fromDependency(from, object, true)
    for (const id of request.args.refs) objects.retain(id)
    const letGo = (): void => {
      for (const { object } of request.dependencies) objects.release(object.id)
      for (const id of request.args.refs) objects.release(id)
    }
    const refuse = (error: WireError | undefined): void => {
      letGo()
      const milliCpus = placedMilliCpus(request.kind, template?.wire.shape.milliCpus ?? 0)
      this.#options.schedule({ type: 'returned', node: from, milliCpus, count: 1 })
      this.#options.send(from, { type: 'task.refused', number: request.number, attempt: request.attempt, error })
    }
    if (template === undefined) {
      refuse(newWireError('permission', 'a task came without its template'))
      return
    }
    whenAdmitted(template, () => {
      if (template.admission === 'denied') {
        refuse(newWireError('permission', `the tab ${from.slice(0, 8)} may not submit work to this room`))
        return
      }
      if (!this.#options.isLending()) {
        refuse(undefined)
        return
      }
      whenCode(template.code, () => {
        if (template.code.state.kind === 'refused') {
          refuse(template.code.state.error)
          return
        }
        this.#queue(from, template, request, (outcome, cpuMicros) => {
          ended(outcome, cpuMicros)
          letGo()
        })
      })
    })
  }

  /** The owner's side of a task's outcome; large values stay here until the owner frees them. */
  sendResult(to: NodeId, request: GuestRequest, outcome: WorkOutcome, cpuMicros: number, position: number): void {
    // A large result would be kept for an owner that can never free it.
    if (!this.#options.canReach(to)) return
    this.#options.send(to, {
      type: 'task.result',
      number: request.number,
      attempt: request.attempt,
      outcome: this.#outcome(to, request, outcome),
      cpuMicros,
      position,
    })
  }

  peerGone(node: NodeId): void {
    this.#templates.delete(node)
  }

  #queue(
    from: NodeId,
    template: GuestTemplate,
    request: GuestRequest,
    ended: (outcome: WorkOutcome, cpuMicros: number) => void,
  ): void {
    const work: Work = {
      kind: request.kind,
      id: { owner: from, number: request.number },
      attempt: request.attempt,
      template: (template.work ??= workTemplate(template)),
      method: '',
      depth: request.depth,
      dependencies: request.dependencies.map(({ place, object }) => ({ place, id: object.id })),
      args: request.args,
      isGuest: true,
      ended,
    }
    this.#options.schedule({
      type: 'guest',
      node: from,
      milliCpus: placedMilliCpus(request.kind, template.wire.shape.milliCpus),
      task: {
        key: work,
        kind: work.template.key,
        staysHere: true,
        depth: request.depth,
        isExclusive: work.template.isExclusive || work.kind !== 'task',
        inputs: [],
      },
    })
  }

  #outcome(to: NodeId, request: GuestRequest, outcome: WorkOutcome): TaskOutcome {
    if (outcome.kind !== 'values') return { type: 'failed', error: outcome.error }
    const values = outcome.values.map((value, index): ResultValue => {
      for (const id of value.refs) this.#options.objects.share(id)
      if (valueBytes(value) <= LIMITS.inlineValueBytes && value.refs.length < 1000) return { type: 'inline', value }
      const id = { owner: to, number: request.number + index }
      this.#options.objects.keepForOwner(id, request.attempt, value)
      return { type: 'stored', bytes: valueBytes(value), refs: [...value.refs] }
    })
    return { type: 'values', values }
  }
}

function whenAdmitted(template: GuestTemplate, callback: () => void): void {
  if (template.admission === 'pending') template.waiters.push(callback)
  else callback()
}

function settle(template: GuestTemplate, admission: 'admitted' | 'denied'): void {
  template.admission = admission
  const { waiters } = template
  template.waiters = []
  for (const waiter of waiters) waiter()
}

function workTemplate(template: GuestTemplate): WorkTemplate {
  const { wire, code, key } = template
  if (code.state.kind !== 'ready') throw new TypeError('a template without code')
  return {
    key: `${key} ${formatJobId(wire.job)}`,
    hash: code.state.hash,
    definition: code.state.definition,
    exportName: wire.exportName,
    name: wire.name,
    job: wire.job,
    numReturns: wire.numReturns,
    milliCpus: wire.shape.milliCpus,
    timeoutMs: wire.timeoutMs,
    isExclusive: wire.timeoutMs > 0 || wire.maxRetries === 0,
  }
}
