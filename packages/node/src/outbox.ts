import type { Log, Timer } from '@shoal/base'
import { formatObjectId } from '@shoal/protocol'
import type { NodeId, NodeMessage, ObjectId } from '@shoal/protocol'

export interface OutboxOptions {
  readonly log: Log
  /** Undefined while there is no room. */
  link(): { isAlive(node: NodeId): boolean; send(to: NodeId, message: NodeMessage): void } | undefined
  after(delayMs: number, callback: () => void): Timer
}

interface Line {
  readonly messages: NodeMessage[]
  /** Refs in the first of them or later ones, of which nothing can be told yet. */
  readonly untold: Set<string>
  timer: Timer | undefined
}

/** Messages kept for one peer; what comes past it is dropped, and its pulls ask again by themselves. */
const MOST_KEPT = 10_000
/** A ref waits this long for its record, and then goes without. */
const UNTOLD_MS = 2_000

/**
 * What waits before it goes to a peer, in its order: for the peer's first link, or until the record that rides with a ref can
 * be written, which takes as long as the check of its function's code. Whatever that takes itself passes by.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #lines = new Map<NodeId, Line>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Peers for whom something waits. */
  peers(): Iterable<NodeId> {
    return this.#lines.keys()
  }

  send(to: NodeId, message: NodeMessage): void {
    const link = this.#options.link()
    if (link === undefined) return
    const isAlive = link.isAlive(to)
    const line = this.#lines.get(to)
    if (isAlive && (line === undefined || mayPass(message))) {
      link.send(to, message)
      return
    }
    const { messages } = line ?? this.#line(to)
    if (messages.length < MOST_KEPT) messages.push(message)
    else this.#options.log.warn('too much waits for a peer', { to, isAlive })
  }

  /** A ref is about to go to the peer, and nothing can be told of it yet: what is sent from now on waits for that. */
  hold(to: NodeId, id: ObjectId): void {
    const line = this.#line(to)
    line.untold.add(formatObjectId(id))
    line.timer ??= this.#options.after(UNTOLD_MS, () => {
      this.#options.log.warn('refs go to a peer without their records: their code is still being checked', { to })
      line.untold.clear()
      this.#flush(to, line)
    })
  }

  /** What is to be told of a ref has been told to the peer. */
  told(to: NodeId, id: ObjectId): void {
    const line = this.#lines.get(to)
    if (line?.untold.delete(formatObjectId(id)) === true) this.#flush(to, line)
  }

  /** The peer's first link is there: what waited for it goes, unless it waits for more. */
  linked(to: NodeId): void {
    const line = this.#lines.get(to)
    if (line !== undefined) this.#flush(to, line)
  }

  /** Nothing is sent to it any more. */
  forget(to: NodeId): void {
    this.#lines.get(to)?.timer?.cancel()
    this.#lines.delete(to)
  }

  clear(): void {
    for (const to of [...this.#lines.keys()]) this.forget(to)
  }

  #line(to: NodeId): Line {
    const line = this.#lines.get(to) ?? { messages: [], untold: new Set(), timer: undefined }
    this.#lines.set(to, line)
    return line
  }

  #flush(to: NodeId, line: Line): void {
    const link = this.#options.link()
    if (line.untold.size > 0 || link?.isAlive(to) !== true) return
    this.forget(to)
    for (const message of line.messages) link.send(to, message)
  }
}

/** Records and the leave of code are what others wait for; bytes of pulls come on a lane of their own, behind their head. */
function mayPass({ type }: NodeMessage): boolean {
  return type.startsWith('ledger.') || type.startsWith('code.') || PULLS.has(type)
}

const PULLS: ReadonlySet<string> = new Set(
  ['pull', 'head', 'have', 'also', 'missing', 'stop'].map((kind) => `object.${kind}`),
)
