import type { Clock } from '@shoal/base'
import { MAX_HOPS } from '@shoal/protocol'
import type { NodeId, RoutedChunk, RoutedFrame } from '@shoal/protocol'
import type { ProvenLink } from './proven-link.ts'
import { RELAY_BURST_BYTES, RELAY_BYTES_PER_SECOND } from './timing.ts'

export interface RelayOptions {
  readonly self: NodeId
  readonly clock: Clock
  /** The open link to a neighbour. */
  link(neighbour: NodeId): ProvenLink | undefined
  /** The neighbour through whom the node is reached, not counting our own link to `without`. */
  next(to: NodeId, without?: NodeId): NodeId | undefined
  /** A frame for us; its sender's name is not proven. */
  frame(frame: RoutedFrame): void
  chunk(chunk: RoutedChunk): void
}

/**
 * Carries frames between nodes that have no link of their own, from neighbour to neighbour. Each relay decides by its
 * own map; a frame that comes back to its sender, would go back to where it came from, or passed too many hops is
 * dropped, as is what a neighbour has carried beyond its rate. Whoever needs it delivered sends again.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #budgets = new Map<NodeId, { bytes: number; at: number }>()
  #droppedCount = 0
  #carriedCount = 0

  constructor(options: RelayOptions) {
    this.#options = options
  }

  get droppedCount(): number {
    return this.#droppedCount
  }

  get carriedCount(): number {
    return this.#carriedCount
  }

  /** Sends a frame of ours; with `around`, not over our own link to the receiver. False when no way is known. */
  send(to: NodeId, frame: Uint8Array<ArrayBuffer>, around = false): boolean {
    const { self } = this.#options
    const first = this.#options.next(to, around ? to : undefined)
    if (first === undefined) return false
    return this.sendOver(first, { type: 'routed', from: self, to, hops: 0, frame })
  }

  sendOver(first: NodeId, frame: RoutedFrame): boolean {
    const link = this.#options.link(first)
    link?.write(frame)
    return link !== undefined
  }

  sendChunk(chunk: RoutedChunk): void {
    const first = this.#options.next(chunk.to)
    if (first !== undefined) this.#options.link(first)?.sendRoutedChunk(chunk)
  }

  onFrame(arrivedFrom: NodeId, frame: RoutedFrame): void {
    if (frame.to === this.#options.self) {
      this.#options.frame(frame)
      return
    }
    const link = this.#onward(arrivedFrom, frame, frame.frame.length)
    link?.write({ ...frame, hops: frame.hops + 1 })
  }

  onChunk(arrivedFrom: NodeId, chunk: RoutedChunk): void {
    if (chunk.to === this.#options.self) {
      this.#options.chunk(chunk)
      return
    }
    this.#onward(arrivedFrom, chunk, chunk.bytes.length)?.sendRoutedChunk({ ...chunk, hops: chunk.hops + 1 })
  }

  forget(neighbour: NodeId): void {
    this.#budgets.delete(neighbour)
  }

  #onward(
    arrivedFrom: NodeId,
    { from, to, hops }: { readonly from: NodeId; readonly to: NodeId; readonly hops: number },
    bytes: number,
  ): ProvenLink | undefined {
    const { self, next, link } = this.#options
    const isLoop = from === self || hops + 1 >= MAX_HOPS
    const onward = isLoop || !this.#affords(arrivedFrom, bytes) ? undefined : next(to)
    const way = onward === undefined || onward === arrivedFrom ? undefined : link(onward)
    if (way === undefined) this.#droppedCount++
    else this.#carriedCount++
    return way
  }

  #affords(neighbour: NodeId, bytes: number): boolean {
    const now = this.#options.clock.now()
    let budget = this.#budgets.get(neighbour)
    if (budget === undefined) this.#budgets.set(neighbour, (budget = { bytes: RELAY_BURST_BYTES, at: now }))
    const earned = ((now - budget.at) * RELAY_BYTES_PER_SECOND) / 1000
    budget.bytes = Math.min(RELAY_BURST_BYTES, budget.bytes + earned)
    budget.at = now
    if (budget.bytes < bytes) return false
    budget.bytes -= bytes
    return true
  }
}
