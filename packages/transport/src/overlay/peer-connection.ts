import { unreachable } from '@shoal/base'
import type { Clock, Log, Random } from '@shoal/base'
import type { Crypto, NodeId, Session, Signal } from '@shoal/protocol'
import type { Connection, Connector, OpenLink } from '../connector.ts'
import type { OverlayGuards } from './guards.ts'
import type { LinkIdentity } from './hello.ts'
import { ProvenLink } from './proven-link.ts'
import type { LinkGoodbye, ProvenLinkEnd, ProvenLinkHandlers } from './proven-link.ts'
import {
  ASK_AFTER_MS,
  ASK_EVERY_MS,
  RETRY_FIRST_MS,
  RETRY_LIMIT_MS,
  SLOW_RETRY_FIRST_MS,
  SLOW_RETRY_LIMIT_MS,
  TRY_MS,
  UNREACHABLE_MS,
} from './timing.ts'
import type { Traffic } from './traffic.ts'

/** What every connection of one overlay shares. */
export interface ConnectionParts {
  readonly self: LinkIdentity
  readonly clock: Clock
  readonly random: Random
  readonly crypto: Crypto
  readonly connector: Connector
  readonly guards: OverlayGuards
  readonly log: Log
}

export interface PeerConnectionHandlers {
  /** Whether a signal sent now would find its way. */
  canSignal(): boolean
  /** A number above all that were used before. */
  nextNumber(): number
  signal(peerSession: Session, connection: number, data: string): void
  /** Only the peer can try: it may be asked to. */
  ask(peerSession: Session): void
  opened(link: ProvenLink, peerSession: Session, publicKey: Uint8Array<ArrayBuffer>): void
  /** The link that was `opened` is gone. */
  lost(): void
  unreachable(): void
  incompatible(): void
  /** What the open link carries. */
  readonly traffic: Traffic
  readonly frames: Omit<ProvenLinkHandlers, 'proven' | 'ended'>
}

/** One try. Callbacks of a try that is not the present one are ignored. */
interface Try {
  readonly number: number
  readonly peerSession: Session
  connection: Connection | undefined
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; retryAt: number }
  | { readonly kind: 'negotiating'; readonly attempt: Try; deadline: number }
  | { readonly kind: 'proving'; readonly attempt: Try; readonly link: ProvenLink }
  | { readonly kind: 'open'; readonly attempt: Try; readonly link: ProvenLink }
  | { readonly kind: 'incompatible' }
  | { readonly kind: 'closed' }

/**
 * The one connection to a peer, made again for as long as nobody closes it. The lower node id tries, the other answers:
 * a signal with a higher number than before starts its side anew.
 *
 *   idle --a way for signals--> negotiating --opened--> proving --keys--> open
 *    ^                             |  failed, timed out    |  failed        | ended
 *    +--- no way for signals --- waiting <-----------------+----------------+
 *
 * It knows nothing of messages, and not whether the peer's session is still wanted. It has no timer: `tick` is called.
 */
export class PeerConnection {
  readonly #parts: ConnectionParts
  readonly #peer: NodeId
  readonly #handlers: PeerConnectionHandlers
  readonly #isInitiator: boolean
  #state: State = { kind: 'idle' }
  #targetSession: Session
  #isWanted = true
  #askedAt = Number.NEGATIVE_INFINITY
  #failures = 0
  #wantedSince: number
  #isUnreachable = false
  /** The newest try that the initiator told us of. */
  #seen: { readonly session: Session; readonly number: number } | undefined

  constructor(parts: ConnectionParts, peer: NodeId, targetSession: Session, handlers: PeerConnectionHandlers) {
    this.#parts = parts
    this.#peer = peer
    this.#handlers = handlers
    this.#isInitiator = parts.self.node < peer
    this.#targetSession = targetSession
    this.#wantedSince = parts.clock.now()
  }

  /** The open link. */
  get link(): ProvenLink | undefined {
    return this.#state.kind === 'open' ? this.#state.link : undefined
  }

  /** The session to try for; it takes effect with the next try. */
  target(session: Session): void {
    if (session > this.#targetSession && this.#state.kind === 'incompatible') this.#state = { kind: 'idle' }
    this.#targetSession = session
  }

  /** Whether to try at all. A link that stands is not ended by this, nor one refused that the peer begins. */
  want(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return
    this.#isWanted = isWanted
    const { kind } = this.#state
    if (isWanted) {
      this.#wantedSince = this.#parts.clock.now()
      this.#isUnreachable = false
      this.#failures = 0
      this.tryNow()
    } else if (kind === 'waiting') this.#state = { kind: 'idle' }
  }

  get isWanted(): boolean {
    return this.#isWanted
  }

  /** No link for long, though wanted. */
  get isUnreachable(): boolean {
    return this.#isUnreachable
  }

  /** The peer wants a link, and cannot begin one itself. */
  asked(): void {
    if (this.#state.kind === 'idle' || this.#state.kind === 'waiting') this.#begin()
  }

  /** The peer is there, perhaps again, or signals were lost: a try makes sense now, and a pending one is begun anew. */
  tryNow(): void {
    const { kind } = this.#state
    if (!this.#isWanted) return
    if (kind === 'idle' || kind === 'waiting' || kind === 'negotiating') this.#begin()
  }

  /** A proven signal of the peer. */
  accept(signal: Signal): void {
    if (this.#state.kind === 'closed' || !this.#parts.connector.isAvailable) return
    if (!this.#isInitiator && this.#isNewer(signal)) {
      this.#seen = { session: signal.fromSession, number: signal.connection }
      this.#abandon()
      this.#connect({ number: signal.connection, peerSession: signal.fromSession, connection: undefined })
    }
    const attempt = this.#attempt()
    if (attempt?.number === signal.connection && attempt.peerSession === signal.fromSession) {
      attempt.connection?.accept(signal.data)
    }
  }

  /** Every BEAT_MS. */
  tick(now: number, hasOverslept: boolean): void {
    const state = this.#state
    if (hasOverslept) this.#wantedSince = now
    if (state.kind === 'closed' || state.kind === 'incompatible') return
    if (state.kind === 'open') {
      state.link.tick(now, hasOverslept)
      return
    }
    if (!this.#isWanted) {
      if (state.kind === 'proving') state.link.tick(now, hasOverslept)
      else if (state.kind === 'negotiating' && now > state.deadline) this.#failed('timed out')
      return
    }
    if (!this.#isUnreachable && now - this.#wantedSince > UNREACHABLE_MS) {
      this.#isUnreachable = true
      this.#failures = 0
      this.#handlers.unreachable()
    }
    if (state.kind === 'proving') state.link.tick(now, hasOverslept)
    else if (state.kind === 'negotiating' && now > state.deadline) this.#failed('timed out')
    else if (state.kind === 'waiting' && now >= state.retryAt) this.#begin()
    this.#askNow(now)
  }

  /** The lower node tries by itself while it wants the link; a while without one means that it does not know. */
  #askNow(now: number): void {
    const { kind } = this.#state
    if (this.#isInitiator || this.#isUnreachable || (kind !== 'idle' && kind !== 'waiting')) return
    if (now - this.#wantedSince < ASK_AFTER_MS || now - this.#askedAt < ASK_EVERY_MS) return
    if (!this.#parts.connector.isAvailable || !this.#handlers.canSignal()) return
    this.#askedAt = now
    this.#handlers.ask(this.#targetSession)
  }

  /** Gives the link up, whatever its state, and tries again later. */
  restart(): void {
    this.#abandon()
    this.#wait()
  }

  /** Ends everything; with a reason, after saying it to a peer that listens. */
  close(goodbye?: LinkGoodbye): void {
    const state = this.#state
    if (state.kind === 'closed') return
    this.#state = { kind: 'closed' }
    if (state.kind === 'open' || state.kind === 'proving') state.link.close(goodbye)
    if (state.kind === 'open' || state.kind === 'proving' || state.kind === 'negotiating') {
      state.attempt.connection?.close()
    }
  }

  #attempt(): Try | undefined {
    const state = this.#state
    return state.kind === 'negotiating' || state.kind === 'proving' || state.kind === 'open' ? state.attempt : undefined
  }

  #isNewer(signal: Signal): boolean {
    const seen = this.#seen
    if (seen === undefined || signal.fromSession > seen.session) return true
    return signal.fromSession === seen.session && signal.connection > seen.number
  }

  #begin(): void {
    if (!this.#isInitiator || !this.#parts.connector.isAvailable || !this.#handlers.canSignal()) {
      if (this.#isInitiator) this.#abandon()
      return
    }
    this.#abandon()
    this.#connect({ number: this.#handlers.nextNumber(), peerSession: this.#targetSession, connection: undefined })
  }

  #connect(attempt: Try): void {
    this.#state = { kind: 'negotiating', attempt, deadline: this.#parts.clock.now() + TRY_MS }
    const isCurrent = (): boolean => this.#attempt() === attempt
    const connection = this.#parts.connector.connect(this.#peer, attempt.peerSession, this.#isInitiator, {
      signal: (data) => {
        if (isCurrent()) this.#handlers.signal(attempt.peerSession, attempt.number, data)
      },
      open: (opened) => {
        if (isCurrent()) this.#prove(attempt, opened)
        else opened.link.close()
      },
      failed: (reason) => {
        if (isCurrent() && this.#state.kind === 'negotiating') this.#failed(reason)
      },
      goodbye: () => {
        // Over the same DTLS connection whose ends are proven; before the proof it is nobody's word.
        if (isCurrent() && this.#state.kind === 'open') this.#handlers.frames.goodbye()
      },
    })
    attempt.connection = connection
    // It may have failed before it was even returned.
    if (!isCurrent()) connection.close()
  }

  #prove(attempt: Try, opened: OpenLink): void {
    const { self, clock, crypto, guards, log } = this.#parts
    const { frames, traffic } = this.#handlers
    const isCurrent = (): boolean => this.#attempt() === attempt
    const link = new ProvenLink({
      self,
      peer: this.#peer,
      peerSession: attempt.peerSession,
      opened,
      clock,
      crypto,
      guards,
      log,
      traffic,
      handlers: {
        ...frames,
        proven: (publicKey) => {
          if (!isCurrent()) return
          this.#state = { kind: 'open', attempt, link }
          this.#failures = 0
          this.#isUnreachable = false
          this.#handlers.opened(link, attempt.peerSession, publicKey)
        },
        ended: (why) => {
          if (isCurrent()) this.#linkEnded(why)
        },
      },
    })
    this.#state = { kind: 'proving', attempt, link }
    link.start()
  }

  #linkEnded(why: ProvenLinkEnd): void {
    this.#parts.log.debug?.('a link ended', { peer: this.#peer, why })
    if (why === 'version') {
      this.#abandon()
      this.#state = { kind: 'incompatible' }
      this.#handlers.incompatible()
    } else if (this.#state.kind === 'open') this.restart()
    else this.#failed(why)
  }

  #failed(reason: string): void {
    this.#parts.log.debug?.('a connection could not be made', { peer: this.#peer, reason })
    this.#failures++
    this.restart()
  }

  /** Ends the present try, if any, without starting another. */
  #abandon(): void {
    const state = this.#state
    if (state.kind === 'closed') return
    this.#state = { kind: 'idle' }
    switch (state.kind) {
      case 'open':
        this.#wantedSince = this.#parts.clock.now()
        state.link.close()
        state.attempt.connection?.close()
        this.#handlers.lost()
        return
      case 'proving':
        state.link.close()
        state.attempt.connection?.close()
        return
      case 'negotiating':
        state.attempt.connection?.close()
        return
      case 'idle':
      case 'waiting':
      case 'incompatible':
        return
      default:
        unreachable(state)
    }
  }

  #wait(): void {
    if (this.#state.kind === 'closed' || !this.#isWanted) return
    const { clock, random } = this.#parts
    const [first, limit] = this.#isUnreachable
      ? [SLOW_RETRY_FIRST_MS, SLOW_RETRY_LIMIT_MS]
      : [RETRY_FIRST_MS, RETRY_LIMIT_MS]
    const delay = Math.min(limit, first * 2 ** Math.min(Math.max(0, this.#failures - 1), 10))
    this.#state = { kind: 'waiting', retryAt: clock.now() + delay * (0.5 + random.float() / 2) }
  }
}
