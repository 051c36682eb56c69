import { CPU, formatJobId, newWireError } from '@shoal/protocol'
import type { JobId, LedgerTemplate, NodeId, RoomId, WireError } from '@shoal/protocol'
import { whenCode } from './code-store.ts'
import type { CodeStore } from './code-store.ts'
import { ledgerTemplate, workTemplate } from './own-task.ts'
import type { JobTemplate, OwnTemplate } from './own-task.ts'

export interface JobTemplatesOptions {
  readonly self: NodeId
  readonly codes: CodeStore
  /** Undefined while this tab is alone. */
  room(): RoomId | undefined
  /** Where a job's actors are found by name. */
  namespaceOf(job: JobId): string
  /** A number for a template that peers know it by, unique on this node. */
  nextWire(): number
}

/**
 * What tasks and actors of one function and one job share: their code, once it is here, and the leave to send it to other tabs,
 * once it is signed for the room.
 */
export class JobTemplates {
  readonly #options: JobTemplatesOptions

  constructor(options: JobTemplatesOptions) {
    this.#options = options
  }

  /**
   * Calls back once the code is here and it is known whether it may leave this tab; with an error where it may not run.
   * `hasToLeave`: that is asked in any case.
   */
  when(
    template: OwnTemplate,
    job: JobId,
    callback: (template: JobTemplate | undefined, error: WireError | undefined) => void,
    hasToLeave = false,
  ): void {
    if (template.code.state.kind === 'pending') {
      whenCode(template.code, () => this.when(template, job, callback, hasToLeave))
      return
    }
    if (template.code.state.kind === 'refused') {
      callback(undefined, template.code.state.error)
      return
    }
    const known = this.#of(template, job)
    const room = this.#options.room()
    if (room === undefined || known.grant?.room === room) {
      callback(known, undefined)
      return
    }
    const atHand = this.#options.codes.knownGrant(job, known.work.hash, room)
    if (atHand !== undefined) {
      known.grant = { room, value: atHand }
      callback(known, undefined)
      return
    }
    const isDriver = job.driver === this.#options.self
    // What any tab can run may stay here: to wait for its leave would make deep trees wait for one round trip after another.
    // It is asked for all the same: a ref of it may leave, and its record then has to.
    const { resources, labels, bundle } = template.definition
    const isAnywhere = bundle === undefined && labels.hard.length + labels.soft.length === 0
    const mayStay = isAnywhere && resources.every(({ name }) => name === CPU)
    const waits = isDriver || !mayStay || hasToLeave
    if (!waits) callback(known, undefined)
    this.#options.codes.grantFor(job, known.work.hash, room, isDriver).then(
      (grant) => {
        known.grant = { room, value: grant }
        if (waits) callback(known, undefined)
      },
      (error: unknown) => {
        if (waits) callback(undefined, newWireError('permission', `the code could not be signed: ${String(error)}`))
      },
    )
  }

  /** Whether the code is signed for the room that this tab is in now. */
  mayLeave(template: JobTemplate): boolean {
    return template.grant?.value !== undefined && template.grant.room === this.#options.room()
  }

  /** It will be known whether it may leave, but is not yet. */
  isUnchecked(template: OwnTemplate, job: JobId): boolean {
    const room = this.#options.room()
    if (room === undefined || template.code.state.kind === 'refused') return false
    return template.jobs.get(formatJobId(job))?.grant?.room !== room
  }

  /** Asks for the leave also where a run could do without, and calls back if it is given: a record has to leave. */
  whenMayLeave(template: OwnTemplate, job: JobId, callback: () => void): void {
    const made = (known: JobTemplate | undefined): void => {
      if (known !== undefined && this.mayLeave(known)) callback()
    }
    this.when(template, job, made, true)
  }

  /** What a record says of it; undefined while its code may not leave this tab. `later`: now it may. */
  recorded(template: OwnTemplate, job: JobId, later: () => void): LedgerTemplate | undefined {
    const known = template.jobs.get(formatJobId(job))
    if (known !== undefined && this.mayLeave(known)) return ledgerTemplate(known, template.definition)
    if (this.#options.room() !== undefined) this.whenMayLeave(template, job, later)
    return undefined
  }

  #of(template: OwnTemplate, job: JobId): JobTemplate {
    const key = formatJobId(job)
    const known = template.jobs.get(key)
    if (known !== undefined) return known
    const { state } = template.code
    if (state.kind !== 'ready') throw new TypeError('a template without code')
    const made: JobTemplate = {
      wire: this.#options.nextWire(),
      grant: undefined,
      work: workTemplate(template, job, state, this.#options.namespaceOf(job)),
    }
    template.jobs.set(key, made)
    return made
  }
}
