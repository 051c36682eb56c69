import type { Log, Random } from '@shoal/base'
import type { EncodedValue, NodeId, NodeMessage, PullSubject } from '@shoal/protocol'
import type { Sha256 } from './layout.ts'
import { Pulls } from './pulls.ts'
import { Serves } from './serves.ts'

/** What transfers need from the overlay. */
export interface TransferNetwork {
  send(to: NodeId, message: NodeMessage): void
  sendBulk(to: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void
  bulkRoom(to: NodeId): number
  onBulkRoom(to: NodeId, callback: () => void): void
  /** False for a node that is gone: nothing asked of it will ever be answered, and nobody will say so again. */
  canReach(node: NodeId): boolean
}

export interface TransfersOptions {
  readonly self: NodeId
  readonly network: TransferNetwork
  readonly log: Log
  readonly random: Random
  readonly sha256: Sha256
  now(): number
  /** Bytes a millisecond that came from a node, while more were asked of it than had come. */
  measured(node: NodeId, bytesPerMs: number): void
  /** What this node can serve, at once or when it has come from disk; undefined when it is not here. */
  lookup(subject: PullSubject): EncodedValue | Promise<EncodedValue | undefined> | undefined
  /** Keeps what is served here until its receiver confirms the number; 0 when nothing has to be kept. */
  hold(to: NodeId, subject: PullSubject, value: EncodedValue): number
  /** Nothing of it is needed. */
  unhold(holds: PullHolds): void
}

/** What nodes keep for us until we confirm it by its number: see `hold`. */
export type PullHolds = readonly (readonly [holder: NodeId, number: number])[]

/** `lost`: every holder was asked and none has it. `holds` are to be confirmed either way, once what is inside is counted. */
export type PullOutcome =
  | { readonly kind: 'value'; readonly value: EncodedValue; readonly holds: PullHolds }
  | { readonly kind: 'lost'; readonly holds: PullHolds }

/**
 * Moves large objects and code between nodes: pulls in segments from all holders at once, goes on when one goes, one pull for
 * however many wait; serves from what is here, or has come so far, under the link's window. Each segment is checked by the
 * hash that the first holder told. It knows neither owners nor references.
 */
export class Transfers {
  readonly #pulls: Pulls
  readonly #serves: Serves

  constructor(options: TransfersOptions) {
    this.#pulls = new Pulls(
      options,
      (key, segment) => this.#serves.has(key, segment),
      (key) => this.#serves.lost(key),
    )
    this.#serves = new Serves(options, (key) => this.#pulls.partial(key))
  }

  get openPulls(): number {
    return this.#pulls.open
  }

  /** Pulls of other nodes that are served here. */
  get openServes(): number {
    return this.#serves.open
  }

  /**
   * Fetches from those of `holders` that have it. The callback is called exactly once unless `close` comes first. `bytes`: about
   * how many, where that is known.
   */
  pull(subject: PullSubject, holders: readonly NodeId[], callback: (outcome: PullOutcome) => void, bytes = 0): void {
    this.#pulls.pull(subject, holders, callback, bytes)
  }

  /** Takes the messages that belong to transfers; false for any other. */
  onMessage(from: NodeId, message: NodeMessage): boolean {
    switch (message.type) {
      case 'object.pull':
        this.#serves.ask(from, message.pull, message.subject, message.segments)
        return true
      case 'object.stop':
        this.#serves.stop(from, message.pull, message.segments)
        return true
      case 'object.head':
        this.#pulls.onHead(from, message.pull, message)
        return true
      case 'object.have':
        this.#pulls.onHave(from, message.pull, message.segment)
        return true
      case 'object.also':
        this.#pulls.onAlso(from, message.pull, message.nodes)
        return true
      case 'object.missing':
        this.#pulls.onMissing(from, message.pull)
        return true
      default:
        return false
    }
  }

  onBulk(from: NodeId, number: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#pulls.onBulk(from, number, offset, bytes)
  }

  /** A new link to the node: chunks under way on the old one are lost, so what is missing is asked for again. */
  peerLinked(node: NodeId): void {
    this.#serves.forget(node)
    this.#pulls.peerLinked(node)
  }

  peerGone(node: NodeId): void {
    this.#serves.forget(node)
    this.#pulls.peerGone(node)
  }

  close(): void {
    this.#pulls.close()
    this.#serves.close()
  }
}
