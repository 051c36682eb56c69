import { ByteWriter, LIMITS, linkFrame, ProtocolError } from '@shoal/protocol'
import type { Clock, Log } from '@shoal/base'
import type { NodeId, Session, Signal } from '@shoal/protocol'
import type { SignalBox } from './signal-box.ts'
import { SerialTasks } from './serial-tasks.ts'
import { TELL_OVER_EVERY_MS, WAITING_SIGNALS } from './timing.ts'

/** Signals that are none of simple-peer's. The sender has given the receiver's session up... */
const OVER = 'session over'
/** ...or wants a link that only the receiver can begin. */
const PLEASE = 'link wanted'

export interface SignalPostOptions {
  readonly box: SignalBox
  readonly session: Session
  readonly clock: Clock
  readonly log: Log
  /** Sends a sealed blob by whatever way there is. */
  post(to: NodeId, blob: Uint8Array<ArrayBuffer>): void
  /** A proven signal for our present session. */
  signal(signal: Signal): void
  over(from: NodeId): void
  asked(from: NodeId): void
  bad(from: NodeId, error: unknown): void
}

/**
 * Seals and opens signals in order for each peer, however long the cryptography takes, whether they go through the
 * server or over members. It knows neither links nor who lives.
 */
export class SignalPost {
  readonly #options: SignalPostOptions
  readonly #sealing: SerialTasks<NodeId>
  readonly #opening: SerialTasks<NodeId>
  readonly #toldOverAt = new Map<NodeId, number>()
  #isClosed = false

  constructor(options: SignalPostOptions) {
    this.#options = options
    const bounds = { limit: WAITING_SIGNALS, keysLimit: LIMITS.roomMembers }
    this.#sealing = new SerialTasks<NodeId>({
      ...bounds,
      onError: (peer, error) => {
        options.log.error('a signal could not be sent', { peer, error })
      },
    })
    this.#opening = new SerialTasks<NodeId>({ ...bounds, onError: (from, error) => options.bad(from, error) })
  }

  send(to: NodeId, toSession: Session, connection: number, data: string): void {
    const { box, log, post } = this.#options
    const isTaken = this.#sealing.add(to, async () => {
      const blob = await box.seal(to, toSession, connection, data)
      if (!this.#isClosed) post(to, blob)
    })
    if (!isTaken) log.warn('too many signals wait to be sealed', { peer: to })
  }

  ask(to: NodeId, toSession: Session): void {
    this.send(to, toSession, 0, PLEASE)
  }

  /** Who hears of its own death begins a new session; without a word it would try for ever under the old one. */
  tellOver(node: NodeId, session: Session): void {
    const now = this.#options.clock.now()
    const toldAt = this.#toldOverAt.get(node)
    if (toldAt !== undefined && now - toldAt < TELL_OVER_EVERY_MS) return
    if (this.#toldOverAt.size > LIMITS.roomMembers) this.#toldOverAt.clear()
    this.#toldOverAt.set(node, now)
    this.send(node, session, 0, OVER)
  }

  open(from: NodeId, blob: Uint8Array<ArrayBuffer>): void {
    const { box, log } = this.#options
    const isTaken = this.#opening.add(from, async () => {
      const signal = await box.open(from, blob)
      // Meant for a life of ours that is over, or not known to us yet: the sender will learn, and try again.
      if (this.#isClosed || signal.toSession !== this.#options.session) return
      // Also from one that we have given up ourselves: each of the two has to begin anew.
      if (signal.data === OVER) this.#options.over(from)
      else if (signal.data === PLEASE) this.#options.asked(from)
      else this.#options.signal(signal)
    })
    if (!isTaken) log.warn('too many signals wait to be opened', { peer: from })
  }

  close(): void {
    this.#isClosed = true
  }
}

/** A blob as it travels over members. */
export function signalFrame(blob: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (blob.length > LIMITS.signalingBlobBytes) throw new ProtocolError('too-large', 'a signal is too large')
  const writer = new ByteWriter(blob.length + 16)
  linkFrame.write(writer, { type: 'signal', blob })
  return writer.finish()
}
