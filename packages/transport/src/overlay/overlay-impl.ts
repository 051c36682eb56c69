import { every } from '@shoal/base'
import type { Clock, Log, Random, Timer } from '@shoal/base'
import { LIMITS, ProtocolError } from '@shoal/protocol'
import type { Crypto, KeyPair, Member, NodeId, NodeMessage, RoomId, Session, Signal } from '@shoal/protocol'
import type { Connector } from '../connector.ts'
import type { LinkStats, Overlay, OverlayHandlers, Peer } from '../overlay.ts'
import type { Signaling } from '../signaling.ts'
import { ALL_GUARDS } from './guards.ts'
import type { OverlayGuards } from './guards.ts'
import { RemotePeer } from './remote-peer.ts'
import type { RemotePeerHost } from './remote-peer.ts'
import { SerialTasks } from './serial-tasks.ts'
import { createSignalBox } from './signal-box.ts'
import type { SignalBox } from './signal-box.ts'
import { BEAT_MS, OVERSLEPT_MS, REMEMBERED_SESSIONS, TELL_OVER_EVERY_MS, WAITING_SIGNALS } from './timing.ts'
import { trapped } from './trapped.ts'

export interface OverlayOptions {
  readonly self: {
    readonly node: NodeId
    readonly session: Session
    readonly keyPair: KeyPair
    readonly publicKey: Uint8Array<ArrayBuffer>
  }
  readonly room: RoomId
  /** The room's secret, 16 bytes; what the signaling server forwards is sealed with a key derived from it. */
  readonly roomKey: Uint8Array<ArrayBuffer>
  readonly clock: Clock
  readonly random: Random
  readonly crypto: Crypto
  readonly connector: Connector
  /** Started by `start`, closed by `close`. */
  readonly signaling: Signaling
  readonly log: Log
}

/** A signal that is none of simple-peer's: the sender has given the receiver's session up. */
const OVER = 'session over'

/** A full mesh over the members that the signaling server announces. Does nothing before `start`. */
export function createOverlay(options: OverlayOptions): Overlay {
  return createGuardedOverlay(options, ALL_GUARDS)
}

/** For the simulation, which proves that each guard is missed. */
export function createGuardedOverlay(options: OverlayOptions, guards: OverlayGuards): Overlay {
  return new MeshOverlay(options, guards)
}

/**
 * Who is known, what is refused, and the way signals take. One timer for the whole overlay: beats, repeated hellos and
 * all deadlines hang on it. The floor of a node is its lowest session that may still be let in.
 */
class MeshOverlay implements Overlay {
  readonly #options: OverlayOptions
  readonly #guards: OverlayGuards
  readonly #box: SignalBox
  readonly #peers = new Map<NodeId, RemotePeer>()
  readonly #floors = new Map<NodeId, Session>()
  readonly #toldOverAt = new Map<NodeId, number>()
  readonly #sealing: SerialTasks<NodeId>
  readonly #opening: SerialTasks<NodeId>
  #handlers: OverlayHandlers | undefined
  #host: RemotePeerHost | undefined
  #ticker: Timer | undefined
  #tickedAt = 0
  #connectionNumber = 0
  #isClosed = false

  constructor(options: OverlayOptions, guards: OverlayGuards) {
    this.#options = options
    this.#guards = guards
    const { self, room, roomKey, crypto, log } = options
    this.#box = createSignalBox({ self, publicKey: self.publicKey, room, roomKey, crypto })
    const bounds = { limit: WAITING_SIGNALS, keysLimit: LIMITS.roomMembers }
    this.#sealing = new SerialTasks<NodeId>({
      ...bounds,
      onError: (peer, error) => {
        log.error('a signal could not be sent', { peer, error })
      },
    })
    this.#opening = new SerialTasks<NodeId>({
      ...bounds,
      onError: (from, error) => {
        this.#onBadSignal(from, error)
      },
    })
  }

  start(handlers: OverlayHandlers): void {
    const { self, room, clock, random, crypto, connector, signaling, log } = this.#options
    this.#handlers = trapped(handlers, log)
    this.#host = {
      parts: { self: { ...self, room }, clock, random, crypto, connector, guards: this.#guards, log },
      handlers: this.#handlers,
      // The place for signals that travel inside the room, once it is more than a mesh.
      canSignal: (peer) => signaling.isUp && peer.isPresent,
      nextNumber: () => ++this.#connectionNumber,
      signal: (peer, session, connection, data) => {
        this.#sendSignal(peer.node, session, connection, data)
      },
      goodbye: (peer, session) => {
        this.#end(peer.node, session)
        this.#handlers?.goodbye(peer.node, session)
      },
    }
    this.#tickedAt = clock.now()
    this.#ticker = every(clock, BEAT_MS, () => {
      this.#tick()
    })
    signaling.start({
      welcome: (members) => {
        this.#handlers?.hint(undefined, self.session, 'present')
        this.#welcome(members)
      },
      joined: (member) => {
        this.#learn(member)
        this.#handlers?.hint(member.node, member.session, 'present')
      },
      left: (member) => {
        this.#left(member)
      },
      relay: (from, blob) => {
        this.#onRelay(from, blob)
      },
      down: (refused) => {
        if (refused !== undefined) {
          log.warn('the signaling server refused us', { reason: refused })
          this.#handlers?.refused?.(refused)
        }
        if (!this.#isClosed) this.#handlers?.hint(undefined, self.session, 'down')
      },
    })
  }

  send(to: NodeId, message: NodeMessage): void {
    this.#peers.get(to)?.send(message)
  }

  sendBulk(to: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#peers.get(to)?.link?.sendBulk(pull, offset, bytes)
  }

  bulkRoom(to: NodeId): number {
    return this.#peers.get(to)?.link?.bulkRoom() ?? 0
  }

  onBulkRoom(to: NodeId, callback: () => void): void {
    const link = this.#peers.get(to)?.link
    if (link === undefined) callback()
    else link.onBulkRoom(callback)
  }

  peers(): readonly Peer[] {
    return [...this.#peers.values()].flatMap((peer) => peer.linked ?? [])
  }

  stats(node: NodeId): LinkStats | undefined {
    return this.#peers.get(node)?.stats
  }

  forget(node: NodeId, session: Session): void {
    if (this.#guards.refusesOldSessions) this.#end(node, session)
  }

  close(reason: 'left' | 'closed' | 'reload'): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ticker?.cancel()
    for (const peer of this.#peers.values()) peer.close(reason)
    this.#peers.clear()
    this.#options.signaling.close()
  }

  #tick(): void {
    const now = this.#options.clock.now()
    const hasOverslept = now - this.#tickedAt > OVERSLEPT_MS
    this.#tickedAt = now
    for (const peer of [...this.#peers.values()]) peer.tick(now, hasOverslept)
  }

  /** The session and all before it are over. */
  #end(node: NodeId, session: Session): void {
    if (session >= this.#floor(node)) {
      this.#floors.delete(node)
      this.#floors.set(node, session + 1)
      const [oldest] = this.#floors.keys()
      if (this.#floors.size > REMEMBERED_SESSIONS && oldest !== undefined) this.#floors.delete(oldest)
    }
    const peer = this.#peers.get(node)
    if (peer === undefined || (peer.session ?? peer.announced) > session) return
    this.#peers.delete(node)
    if (peer.isPresent) this.#tellOver(node, session)
    peer.close()
    // What the server announced above the session that ended is somebody else's life.
    if (peer.announced > session && peer.isPresent) this.#learn({ node, session: peer.announced })
  }

  #floor(node: NodeId): Session {
    return this.#floors.get(node) ?? 0
  }

  #welcome(members: readonly Member[]): void {
    const present = new Set(members.map((member) => member.node))
    // Who is missing may only be slower than we to come back to a restarted server: no hint that it left.
    for (const peer of this.#peers.values()) peer.isPresent = present.has(peer.node)
    for (const member of members) {
      this.#learn(member)
      if (member.node !== this.#options.self.node) this.#handlers?.hint(member.node, member.session, 'present')
    }
  }

  #learn({ node, session }: Member): void {
    if (this.#isClosed || node === this.#options.self.node) return
    if (this.#guards.refusesOldSessions && session < this.#floor(node)) {
      this.#tellOver(node, session)
      return
    }
    const known = this.#peers.get(node)
    if (known !== undefined && session <= known.latestSession) {
      known.announce(session)
      return
    }
    const peer = known ?? this.#add(node, session)
    peer?.announce(session)
    if (peer !== undefined && peer.linked === undefined) this.#handlers?.member(node, session, 'connecting')
  }

  #add(node: NodeId, session: Session): RemotePeer | undefined {
    if (this.#host === undefined || this.#peers.size >= LIMITS.roomMembers) return undefined
    const peer = new RemotePeer(this.#host, node, session)
    this.#peers.set(node, peer)
    return peer
  }

  #left({ node, session }: Member): void {
    const peer = this.#peers.get(node)
    if (peer !== undefined && peer.announced === session) {
      peer.isPresent = false
      // Nobody above knows it as more than a name: there is nothing to keep for it.
      if (peer.session === undefined) {
        this.#peers.delete(node)
        peer.close()
      }
    }
    this.#handlers?.hint(node, session, 'closed')
  }

  #sendSignal(to: NodeId, toSession: Session, connection: number, data: string): void {
    const isTaken = this.#sealing.add(to, async () => {
      const blob = await this.#box.seal(to, toSession, connection, data)
      if (!this.#isClosed) this.#options.signaling.relay(to, blob)
    })
    if (!isTaken) this.#options.log.warn('too many signals wait to be sealed', { peer: to })
  }

  /** Who hears of its own death begins a new session; without a word it would try for ever under the old one. */
  #tellOver(node: NodeId, session: Session): void {
    const { clock } = this.#options
    const toldAt = this.#toldOverAt.get(node)
    if (toldAt !== undefined && clock.now() - toldAt < TELL_OVER_EVERY_MS) return
    if (this.#toldOverAt.size > LIMITS.roomMembers) this.#toldOverAt.clear()
    this.#toldOverAt.set(node, clock.now())
    this.#sendSignal(node, session, 0, OVER)
  }

  #onRelay(from: NodeId, blob: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed || from === this.#options.self.node) return
    const isTaken = this.#opening.add(from, async () => {
      this.#onSignal(await this.#box.open(from, blob))
    })
    if (!isTaken) this.#options.log.warn('too many signals wait to be opened', { peer: from })
  }

  #onSignal(signal: Signal): void {
    const { from, fromSession, toSession } = signal
    // Meant for a life of ours that is over, or not known to us yet: the sender will learn, and try again.
    if (this.#isClosed || toSession !== this.#options.self.session) return
    // Also from one that we have given up ourselves: each of the two has to begin anew.
    if (signal.data === OVER) {
      this.#handlers?.over?.(from)
      return
    }
    const known = this.#peers.get(from)
    if (this.#guards.refusesOldSessions && fromSession < Math.max(this.#floor(from), known?.session ?? 0)) {
      this.#tellOver(from, fromSession)
      return
    }
    if (known === undefined) this.#handlers?.member(from, fromSession, 'connecting')
    const peer = this.#peers.get(from) ?? this.#add(from, fromSession)
    peer?.accept(signal)
  }

  /** The server may have made it up, so no link pays for it. */
  #onBadSignal(from: NodeId, error: unknown): void {
    const peer = this.#peers.get(from)
    if (peer !== undefined) peer.traffic.faults++
    if (!(error instanceof ProtocolError)) {
      this.#options.log.error('a signal could not be handled', { peer: from, error })
      return
    }
    this.#options.log.warn('a bad signal', { peer: from, code: error.code, reason: error.message })
    if (error.code === 'version') this.#handlers?.member(from, peer?.latestSession ?? 0, 'incompatible')
  }
}
