import { ALL_ARGUMENTS, FIRST_ATTEMPT, messageBytes, streamItem } from '@shoal/protocol'
import type { EncodedValue, JobId, NodeId, ObjectId } from '@shoal/protocol'
import type { Objects } from '../objects.ts'
import { PinnedCopies } from '../pinned-copies.ts'
import type { KeptState } from './call-log.ts'

export interface KeptStatesOptions {
  readonly self: NodeId
  readonly objects: Objects
  /** See `PinnedCopies`; undefined: there is nobody. */
  askForCopy(id: ObjectId, places: readonly NodeId[]): NodeId | undefined
}

/** A state up to this size goes inside the messages and records that tell of it. */
const INSIDE_BYTES = 32 * 1024
/** No stream has this number: see `streamItem`. */
const STATES = 0
const NONE: EncodedValue = { refs: [], body: new Uint8Array([0]), buffers: [] }

/**
 * The states of this tab's actors for their checkpoints. A small one goes with the checkpoint; a large one is an object of
 * this node's, and is told of once it lies in two tabs.
 */
export class KeptStates {
  readonly #options: KeptStatesOptions
  readonly #pinned: PinnedCopies
  readonly #waiting = new Map<number, () => void>()
  #next = 0

  constructor(options: KeptStatesOptions) {
    this.#options = options
    const { self, objects } = options
    this.#pinned = new PinnedCopies({
      self,
      owner: self,
      objects,
      ask: (id, places) => {
        const asked = options.askForCopy(id, places)
        // In a room of one nobody else can have it.
        if (asked === undefined) this.#safe(id.number)
        return asked
      },
      safe: (number) => this.#safe(number),
      lost: (number) => this.#safe(number),
    })
  }

  /** Keeps a state until it is let go; `kept` once it outlives this tab. */
  keep(state: EncodedValue, job: JobId, kept: (state: KeptState) => void): void {
    const { self, objects } = this.#options
    if (messageBytes(state) <= INSIDE_BYTES) {
      for (const id of state.refs) objects.retain(id)
      const letGo = (): void => {
        for (const id of state.refs) objects.release(id)
      }
      kept({ dependencies: [], args: state, letGo })
      return
    }
    const number = streamItem(STATES, this.#next++)
    const id = { owner: self, number }
    objects.create(number, job)
    objects.storeHere(id, FIRST_ATTEMPT, state)
    const letGo = (): void => {
      this.#pinned.drop(number)
      this.#waiting.delete(number)
      objects.release(id)
    }
    this.#waiting.set(number, () => kept({ dependencies: [{ place: ALL_ARGUMENTS, id }], args: NONE, letGo }))
    this.#pinned.want(number, [self])
  }

  onHeld({ owner, number }: ObjectId, node: NodeId): void {
    if (owner === this.#options.self) this.#pinned.onHeld(number, node)
  }

  nodeGone(node: NodeId): void {
    this.#pinned.nodeGone(node)
  }

  /** Somebody came who may be asked for a copy. */
  look(): void {
    this.#pinned.look()
  }

  #safe(number: number): void {
    const kept = this.#waiting.get(number)
    this.#waiting.delete(number)
    kept?.()
  }
}
