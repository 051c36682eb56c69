import { LIMITS, messageBytes, streamItem, valueBytes } from '@shoal/protocol'
import type { EncodedValue, NodeId, NodeMessage, ObjectId, ResultValue } from '@shoal/protocol'
import type { GuestRequest } from './guests.ts'
import type { Objects } from './objects.ts'

export interface YieldsOptions {
  readonly self: NodeId
  readonly objects: Pick<Objects, 'retain' | 'release' | 'keepForOwner' | 'state'>
  send(to: NodeId, message: NodeMessage): void
  canReach(node: NodeId): boolean
  answerer(owner: NodeId): NodeId
  /** Of a ledger that this node has come to answer for itself. */
  yieldedHere(owner: NodeId, message: NodeMessage & { type: 'task.yielded' }): void
}

type Message = NodeMessage & { type: 'task.yielded' }
type Request = Pick<GuestRequest, 'owner' | 'number' | 'attempt' | 'streamId'>

interface Batch {
  readonly first: number
  readonly values: ResultValue[]
  readonly refs: ObjectId[]
  bytes: number
}

/** Of values, what stands in one message. */
const BATCH_BYTES = LIMITS.inlineValueBytes
const BATCH_VALUES = 256

/**
 * What generators yield that run here for other tabs: told in order to whoever answers for their ledgers, all of one turn
 * in one message. Large values stay here until they are pulled or freed. It keeps nothing for a ledger that nobody answers
 * for: a run of which something could not be told is lost.
 */
export class Yields {
  readonly #options: YieldsOptions
  readonly #batches = new Map<Request, Batch>()
  readonly #broken = new WeakSet<Request>()
  #isScheduled = false

  constructor(options: YieldsOptions) {
    this.#options = options
  }

  add(request: Request, index: number, value: EncodedValue): void {
    const { objects } = this.#options
    const bytes = messageBytes(value)
    const isInline = bytes <= LIMITS.inlineValueBytes
    let batch = this.#batches.get(request)
    if (batch !== undefined && (batch.bytes + bytes > BATCH_BYTES || batch.values.length >= BATCH_VALUES)) {
      this.flush(request)
      batch = undefined
    }
    if (batch === undefined) {
      batch = { first: index, values: [], refs: [], bytes: 0 }
      this.#batches.set(request, batch)
      this.#flushSoon()
    }
    if (!isInline) {
      const id = { owner: request.owner, number: streamItem(request.streamId, index) }
      // What a former attempt made here is what its owner knows of.
      if (objects.state(id).kind !== 'here') objects.keepForOwner(id, request.attempt, value)
      batch.values.push({ type: 'stored', bytes: valueBytes(value), refs: [...value.refs] })
      return
    }
    for (const id of value.refs) objects.retain(id)
    batch.refs.push(...value.refs)
    batch.values.push({ type: 'inline', value })
    batch.bytes += bytes
  }

  /** Says what waits of a run, before anything else is said of it. False when some of it could not be told. */
  flush(request: Request): boolean {
    const batch = this.#batches.get(request)
    if (batch !== undefined) {
      this.#batches.delete(request)
      this.#send(request, batch)
    }
    return !this.#broken.has(request)
  }

  #send(request: Request, { first, values, refs }: Batch): void {
    const { self, objects, answerer, canReach } = this.#options
    const { owner, number, attempt, streamId } = request
    const to = answerer(owner)
    const ledger = owner === to ? undefined : owner
    const message: Message = { type: 'task.yielded', ledger, number, attempt, streamId, first, values, handOver: 0 }
    if (to === self) this.#options.yieldedHere(owner, message)
    else if (canReach(to)) this.#options.send(to, message)
    else this.#broken.add(request)
    for (const id of refs) objects.release(id)
  }

  #flushSoon(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      for (const request of [...this.#batches.keys()]) this.flush(request)
    })
  }
}
