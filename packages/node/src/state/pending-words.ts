import { showId, showResources, unitsOf, UNITS_OF_ONE, CPU } from '@shoal/protocol'
import type { NodeId, ObjectId, PlacedRef, ResourceSet, WireError } from '@shoal/protocol'
import { workShape } from '@shoal/scheduler'
import type { WorkShape } from '@shoal/scheduler'
import type { Step, Waiting } from './run-index.ts'
import type { MadeWith, TaskView } from './views.ts'

/** What the words are made of. */
export interface PendingPorts {
  readonly self: NodeId
  /** All that this tab has, and what of it is in use. */
  readonly resources: ResourceSet
  readonly used: ResourceSet
  /** What each other tab lends; nothing while it does not. */
  readonly lent: readonly ResourceSet[]
  nameOf(node: NodeId): string
  objectState(id: ObjectId): ObjectView
  /** The task that makes an object, where its ledger is answered for here. */
  makerOf(id: ObjectId): TaskView | undefined
  outlook(shape: WorkShape): { readonly isFeasibleHere: boolean; readonly peers: number; readonly credits: number }
}

type ObjectView =
  | { readonly kind: 'pending' | 'here' }
  | { readonly kind: 'elsewhere'; readonly holders: readonly NodeId[] }
  | { readonly kind: 'failed'; readonly error: WireError }

/** Why something does not run, in words for people. Made for one question: what is the same for many tasks is found once. */
export class PendingWords {
  readonly #ports: PendingPorts
  readonly #queued = new Map<MadeWith, string>()

  constructor(ports: PendingPorts) {
    this.#ports = ports
  }

  isReady(dependencies: readonly PlacedRef[]): boolean {
    return !dependencies.some(({ id }) => this.#isMissing(id))
  }

  /** The first argument that is not there; undefined when all are. */
  argument(dependencies: readonly PlacedRef[]): string | undefined {
    const missing = dependencies.filter(({ id }) => this.#isMissing(id))
    const [first] = missing
    if (first === undefined) return undefined
    const more = missing.length > 1 ? `, and for ${missing.length - 1} more` : ''
    return `waits for argument ${first.place} (${showId(first.id)}${this.#maker(first.id)})${more}`
  }

  /** Its arguments are there and it is not queued yet. */
  code(code: { readonly state: { readonly kind: string } }): string {
    return code.state.kind === 'pending'
      ? 'waits for its code to be checked or loaded'
      : 'waits for its code to be signed'
  }

  queued(made: MadeWith, waiting: Waiting | undefined): string {
    const ahead = waiting === undefined || waiting.ahead === 0 ? '' : `; ${waiting.ahead} of its kind before it`
    if (waiting?.task.staysHere === true) {
      const { name, lacks } = {
        name: this.#ports.nameOf(this.#ports.self),
        lacks: lacking(made.resources, [this.#ports.resources]),
      }
      const why =
        lacks === undefined ? `queued: ${this.#taken(made)}` : `${name} has not got ${showResources(made.resources)}`
      return `${why}, and its code may not leave ${name}${ahead}`
    }
    let words = this.#queued.get(made)
    if (words === undefined) {
      words = this.#whyQueued(made)
      this.#queued.set(made, words)
    }
    return words + ahead
  }

  /** See `stepWords`. */
  step(step: Step | undefined, node: NodeId): string | undefined {
    return stepWords(step, this.#ports.nameOf(node))
  }

  #isMissing(id: ObjectId): boolean {
    const state = this.#ports.objectState(id)
    return state.kind === 'pending' || (state.kind === 'elsewhere' && state.holders.length === 0)
  }

  #maker(id: ObjectId): string {
    const { makerOf, nameOf, self } = this.#ports
    const task = makerOf(id)
    if (task === undefined) return id.owner === self ? '' : `, of ${nameOf(id.owner)}`
    const { at, template } = task
    const where =
      at === undefined ? 'itself waits' : at === 'queue' ? 'is queued' : `runs on ${nameOf(at === 'here' ? self : at)}`
    return `, made by ${template.definition.name}, which ${where}`
  }

  #whyQueued(made: MadeWith): string {
    const { resources, lent, nameOf, self, outlook } = this.#ports
    const { isFeasibleHere, peers, credits } = outlook(workShape(made))
    if (made.bundle !== undefined) {
      const group = `the placement group ${showId(made.bundle.group)}`
      return isFeasibleHere || peers > 0 ? `queued: what ${group} has is in use` : `waits for ${group} to be there`
    }
    if (!isFeasibleHere && peers === 0) return lacking(made.resources, [resources, ...lent]) ?? 'queued'
    const here = isFeasibleHere ? this.#taken(made) : `${nameOf(self)} has not got ${showResources(made.resources)}`
    const others =
      lent.length === 0
        ? ''
        : peers === 0
          ? ', and no other tab lends what it needs'
          : credits === 0
            ? ', and the others gave no credits'
            : ''
    return `queued: ${here}${others}`
  }

  /** What of this tab's it needs and others have. */
  #taken({ resources }: MadeWith): string {
    const { resources: total, used, nameOf, self } = this.#ports
    const name = nameOf(self)
    const short = resources.find(({ name: each, units }) => unitsOf(total, each) - unitsOf(used, each) < units)
    if (short === undefined) return `${name} is about to look at it`
    const count = unitsOf(total, short.name) / UNITS_OF_ONE
    if (short.name === CPU) return count === 1 ? `the slot of ${name} runs` : `all ${count} slots of ${name} run`
    return `${name} has ${showResources([{ name: short.name, units: unitsOf(total, short.name) }])}, in use by others`
  }
}

/** An attempt that is with the tab of that name; undefined when it runs. `step`: undefined until that tab has told. */
export function stepWords(step: Step | undefined, name: string): string | undefined {
  switch (step?.step) {
    case undefined:
      return `on its way to ${name}`
    case 'code':
      return `waits on ${name} for its code to be loaded and its leave to be checked`
    case 'queued':
      return step.ahead === 0 ? `next on ${name}, whose slots all run` : `${before(step.ahead)} on ${name}`
    case 'behind':
      return `${before(step.ahead)} in its worker on ${name}`
    case 'fetching':
      return `its arguments are on their way to ${name}`
    case 'running':
    case 'waiting':
      return undefined
  }
}

function before(ahead: number): string {
  return ahead === 1 ? '1 task ahead of it' : `${ahead} tasks ahead of it`
}

/** What no node has; undefined when one has all of it. */
export function lacking(wanted: ResourceSet, nodes: readonly ResourceSet[]): string | undefined {
  for (const resource of wanted) {
    const { name, units } = resource
    const most = Math.max(0, ...nodes.map((node) => unitsOf(node, name)))
    if (most >= units) continue
    const needs = `needs ${showResources([resource])}`
    if (most > 0) return `${needs}, the largest node has ${most / UNITS_OF_ONE}`
    return `${needs} and no node has ${units <= UNITS_OF_ONE ? 'one' : 'any'}`
  }
  const fits = nodes.some((node) => wanted.every(({ name, units }) => unitsOf(node, name) >= units))
  return fits ? undefined : `needs ${showResources(wanted)} together, and no node has all of that`
}
