// Long because what goes to a peer is decided by the path there is: a link, members, or none. See the class.
import { ProtocolError } from '@shoal/protocol'
import type {
  LinkAcknowledgement,
  LinkPacket,
  NodeId,
  NodeMessage,
  RoutedChunk,
  Session,
  Signal,
} from '@shoal/protocol'
import type { LinkStats, OverlayHandlers, Peer } from '../overlay.ts'
import { DetouredBulk } from './detoured-bulk.ts'
import type { NumberedChunk } from './detoured-bulk.ts'
import { PeerConnection } from './peer-connection.ts'
import type { ConnectionParts } from './peer-connection.ts'
import type { LinkGoodbye, ProvenLink, RoomFrame } from './proven-link.ts'
import { SessionChannel } from './session-channel.ts'
import type { SendFrame } from './session-channel.ts'
import { DEMAND_MESSAGES, DEMAND_MS, DEMAND_WINDOW_MS, LINK_FIRST_MS, THEIR_CHOICE_MS } from './timing.ts'
import { Traffic } from './traffic.ts'

export interface RemotePeerHost {
  readonly parts: ConnectionParts
  /** The overlay's user; nothing that it throws comes back. */
  readonly handlers: OverlayHandlers
  canSignal(peer: RemotePeer): boolean
  nextNumber(): number
  signal(peer: RemotePeer, peerSession: Session, connection: number, data: string): void
  /** The peer is asked to begin a connection, which only it can. */
  ask(peer: RemotePeer, peerSession: Session): void
  /** A link to it is open, or no longer; whether a way over others is left follows at once. */
  opened(peer: RemotePeer, session: Session): void
  lost(peer: RemotePeer, session: Session): void
  room(peer: RemotePeer, frame: RoomFrame): void
  routedChunk(peer: RemotePeer, chunk: RoutedChunk): void
  /** Sends over others; `around`: though there is a link. False when no way is known. */
  route(to: NodeId, frame: Uint8Array<ArrayBuffer>, around: boolean): boolean
  hasWayAround(to: NodeId): boolean
  sendChunk(peer: RemotePeer, chunk: NumberedChunk): void
  sendTaken(peer: RemotePeer, run: number, chunks: number): void
  /** The peer's session said goodbye. */
  goodbye(peer: RemotePeer, session: Session): void
  /** What the peer's key vouched for replaces an earlier session. */
  replaced(peer: RemotePeer, session: Session): void
}

/**
 * One other node as this one sees it: the connection to it, a way over others where there is one, and the channel of its
 * present session. A session counts as present once the node's own key vouched for it, by a signal, a hello or a report;
 * what the signaling server announces is only what to try for, else a server could end any session by inventing a higher.
 *
 *   no path --a link, or a way over others--> linked (a neighbour, or detoured) --neither is left--> no path
 */
export class RemotePeer {
  readonly node: NodeId
  readonly traffic = new Traffic()
  readonly #host: RemotePeerHost
  readonly #connection: PeerConnection
  readonly #detour: SendFrame
  readonly #around: SendFrame
  #announced: Session
  #session: Session | undefined
  #channel: SessionChannel | undefined
  #bulk: DetouredBulk | undefined
  #peer: Peer | undefined
  /** The key of a session to which others know a way. */
  #wayKey: Uint8Array<ArrayBuffer> | undefined
  #demandedAt = Number.NEGATIVE_INFINITY
  #demandSince = Number.NEGATIVE_INFINITY
  #usedAt = Number.NEGATIVE_INFINITY
  #detoured = { since: Number.NEGATIVE_INFINITY, count: 0 }
  #droppedAt = Number.NEGATIVE_INFINITY
  #isTheirChoice = false
  #isReplacing = false
  /** Whether the signaling server knows it. */
  isPresent = false
  /** We are just ending its link because nobody needs it. */
  isNeedless = false

  constructor(host: RemotePeerHost, node: NodeId, session: Session, isWanted: boolean) {
    this.node = node
    this.#host = host
    this.#announced = session
    this.#detour = (frame) => void host.route(node, frame, false)
    this.#around = (frame) => void host.route(node, frame, true)
    this.#connection = new PeerConnection(host.parts, node, session, {
      canSignal: () => host.canSignal(this),
      nextNumber: () => host.nextNumber(),
      signal: (peerSession, connection, data) => {
        host.signal(this, peerSession, connection, data)
      },
      ask: (peerSession) => {
        host.ask(this, peerSession)
      },
      opened: (link, peerSession, publicKey) => {
        this.#opened(link, peerSession, publicKey)
      },
      lost: () => {
        this.#lost()
      },
      unreachable: () => {
        if (this.#peer === undefined) host.handlers.member(node, this.latestSession, 'unreachable')
      },
      incompatible: () => {
        host.handlers.member(node, this.latestSession, 'incompatible')
      },
      traffic: this.traffic,
      frames: {
        packet: (packet) => {
          this.#usedAt = host.parts.clock.now()
          if (this.#channel?.receive(packet) === 'gap') this.#connection.restart()
        },
        acknowledged: (number) => this.#channel?.acknowledge(number),
        bulk: (pull, offset, bytes) => {
          this.#usedAt = host.parts.clock.now()
          this.#deliverBulk(pull, offset, bytes)
        },
        room: (frame) => {
          host.room(this, frame)
        },
        routedChunk: (chunk) => {
          host.routedChunk(this, chunk)
        },
        goodbye: () => {
          if (this.#session !== undefined) host.goodbye(this, this.#session)
        },
        heard: () => {
          if (this.#session !== undefined) host.handlers.heard(node, this.#session)
        },
      },
    })
    this.#connection.want(isWanted)
  }

  /** The session that its key vouched for. */
  get session(): Session | undefined {
    return this.#session
  }

  /** The newest session that anybody spoke of. */
  get latestSession(): Session {
    return Math.max(this.#session ?? 0, this.#announced)
  }

  get announced(): Session {
    return this.#announced
  }

  /** The proven peer while there is a path to it. */
  get linked(): Peer | undefined {
    return this.#peer
  }

  get link(): ProvenLink | undefined {
    return this.#connection.link
  }

  /** Wanted, and not to be had. */
  get isUnreachable(): boolean {
    return this.#connection.isUnreachable
  }

  get stats(): LinkStats {
    const { roundTripMs, bytesSent, bytesReceived, faults } = this.traffic
    const unacknowledgedBytes = this.#channel?.unacknowledgedBytes ?? 0
    return { roundTripMs, bytesSent, bytesReceived, unacknowledgedBytes, faults }
  }

  /** The signaling server says that this session of the node is in the room. */
  announce(session: Session): void {
    this.isPresent = true
    if (this.#session !== undefined && session < this.#session) return
    this.#announced = session
    this.#connection.target(session)
    this.#connection.tryNow()
  }

  /** A signal that the node's key signed. */
  accept(signal: Signal): void {
    this.#vouched(signal.fromSession)
    this.#connection.accept(signal)
  }

  asked(): void {
    this.#connection.asked()
  }

  want(isWanted: boolean): void {
    this.#connection.want(isWanted)
  }

  /** Ends a link that neither end needs. */
  dropLink(): void {
    this.#droppedAt = this.#host.parts.clock.now()
    this.isNeedless = true
    this.#connection.restart()
    this.isNeedless = false
  }

  /** We need no link to it, but it does. */
  get isTheirChoice(): boolean {
    return this.#isTheirChoice
  }

  /** Bulk, or many messages: worth a link of its own. */
  demand(now: number): void {
    if (now - this.#demandedAt > DEMAND_MS) this.#demandSince = now
    this.#demandedAt = now
  }

  /** When a link to it last carried more than beats and reports. */
  get usedAt(): number {
    return this.#usedAt
  }

  isDemanded(now: number): boolean {
    return now - this.#demandedAt < DEMAND_MS
  }

  /** Others know a way to the session, which the node's key vouched for. */
  reached(session: Session, publicKey: Uint8Array<ArrayBuffer>): void {
    if (this.#session !== undefined && session < this.#session) return
    this.#vouched(session)
    this.#wayKey = publicKey
    if (this.#peer === undefined) this.#takeDetour()
  }

  /** Others know no way any more. */
  unreached(): void {
    this.#wayKey = undefined
    if (this.link !== undefined || this.#peer === undefined) return
    this.#noPath()
  }

  send(message: NodeMessage): void {
    if (this.#channel === undefined) return
    const now = this.#host.parts.clock.now()
    this.#usedAt = now
    if (this.link === undefined) this.#countDetoured(now)
    this.#channel.send(message)
  }

  sendBulk(pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { link } = this
    if (link !== undefined) {
      this.#usedAt = this.#host.parts.clock.now()
      link.sendBulk(pull, offset, bytes)
    } else if (this.#peer !== undefined) this.#detouredBulk().send(pull, offset, bytes)
  }

  bulkRoom(now: number): number {
    const { link } = this
    if (link !== undefined) return link.bulkRoom()
    if (this.#peer === undefined) return 0
    this.demand(now)
    this.#connection.want(true)
    // A link of its own first: relays are shared.
    const mayTakeDetour = this.isUnreachable || now - this.#demandSince > LINK_FIRST_MS
    return mayTakeDetour ? this.#detouredBulk().room() : 0
  }

  onBulkRoom(callback: () => void): void {
    const { link } = this
    if (link !== undefined) link.onBulkRoom(callback)
    else if (this.#peer === undefined) callback()
    else this.#detouredBulk().onRoom(callback)
  }

  onRoutedPacket(packet: LinkPacket): void {
    if (packet.fromSession !== this.#session) return
    this.#host.handlers.heard(this.node, packet.fromSession)
    // Before `linked` was said for the session there is no channel: what is sent meanwhile was meant for the earlier one.
    // The packet comes again.
    this.#channel?.receive(packet, this.link === undefined ? this.#detour : this.#around)
  }

  onRoutedAcknowledgement(frame: LinkAcknowledgement): void {
    if (frame.fromSession !== this.#session) return
    this.#host.handlers.heard(this.node, frame.fromSession)
    this.#channel?.acknowledge(frame.acknowledged)
  }

  onRoutedChunk(chunk: RoutedChunk): void {
    if (chunk.fromSession === this.#session) this.#detouredBulk().onChunk(chunk)
  }

  onTaken(run: number, chunks: number): void {
    this.#bulk?.onTaken(run, chunks)
  }

  tick(now: number, hasOverslept: boolean): void {
    this.#connection.tick(now, hasOverslept)
    this.#channel?.tick(now, () => {
      if (this.link === undefined) return undefined
      return this.#host.hasWayAround(this.node) ? this.#around : undefined
    })
    if (this.link !== undefined) return
    this.#bulk?.tick(now)
    if (this.#peer !== undefined && now - this.#demandSince > LINK_FIRST_MS) this.#bulk?.poke()
  }

  /** Sends what waits, with a goodbye if there is a reason, and ends everything. */
  close(goodbye?: LinkGoodbye): void {
    if (goodbye !== undefined) this.#channel?.flush()
    this.#channel?.close()
    this.#connection.close(goodbye)
    this.#bulk?.end()
    this.#peer = undefined
  }

  #opened(link: ProvenLink, session: Session, publicKey: Uint8Array<ArrayBuffer>): void {
    this.#vouched(session)
    this.#channelOf(session).attach((frame) => {
      link.sendControl(frame)
    })
    this.#bulk?.end()
    this.#isTheirChoice = this.#host.parts.clock.now() - this.#droppedAt < THEIR_CHOICE_MS
    this.#peer = { node: this.node, session, publicKey, isDirect: link.isDirect, isNeighbour: true }
    this.#host.handlers.linked(this.#peer)
    this.#host.opened(this, session)
  }

  #lost(): void {
    const session = this.#session
    if (session === undefined || this.#isReplacing) return
    this.#channel?.detach()
    this.#peer = undefined
    this.#host.lost(this, session)
    if (this.#wayKey === undefined) this.#host.handlers.unlinked(this.node, session)
    else this.#takeDetour()
  }

  #takeDetour(): void {
    const session = this.#session
    if (session === undefined || this.#wayKey === undefined) return
    this.#peer = { node: this.node, session, publicKey: this.#wayKey, isDirect: false, isNeighbour: false }
    this.#channelOf(session).attach(this.#detour, 'detour')
    this.#host.handlers.linked(this.#peer)
  }

  #countDetoured(now: number): void {
    if (now - this.#detoured.since > DEMAND_WINDOW_MS) this.#detoured = { since: now, count: 0 }
    if (++this.#detoured.count >= DEMAND_MESSAGES) this.demand(now)
  }

  #noPath(): void {
    this.#channel?.detach()
    this.#peer = undefined
    this.#bulk?.end()
    if (this.#session !== undefined) this.#host.handlers.unlinked(this.node, this.#session)
  }

  #channelOf(session: Session): SessionChannel {
    const { parts, handlers } = this.#host
    return (this.#channel ??= new SessionChannel({
      pair: { from: parts.self.node, fromSession: parts.self.session, to: this.node, toSession: session },
      clock: parts.clock,
      guards: parts.guards,
      deliver: (message) => {
        this.#judged(() => {
          handlers.message(this.node, message)
        })
      },
    }))
  }

  #detouredBulk(): DetouredBulk {
    return (this.#bulk ??= new DetouredBulk({
      clock: this.#host.parts.clock,
      send: (chunk) => {
        this.#host.sendChunk(this, chunk)
      },
      taken: (run, chunks) => {
        this.#host.sendTaken(this, run, chunks)
      },
      deliver: (pull, offset, bytes) => {
        this.#deliverBulk(pull, offset, bytes)
      },
      lost: () => {
        if (this.#peer !== undefined) this.#host.handlers.linked(this.#peer)
      },
    }))
  }

  #deliverBulk(pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#judged(() => {
      this.#host.handlers.bulk(this.node, pull, offset, bytes)
    })
  }

  /** The node's key vouched for a session: an earlier one is over. */
  #vouched(session: Session): void {
    if (this.#session === session) return
    const earlier = this.#session
    const [channel, bulk, hadPath] = [this.#channel, this.#bulk, this.#peer !== undefined]
    this.#session = session
    this.#announced = Math.max(this.#announced, session)
    this.#connection.target(this.#announced)
    if (earlier === undefined) return
    // All of the old session is put away before anybody hears of it: who does may ask at once for the new one's path.
    this.#channel = this.#bulk = this.#peer = this.#wayKey = undefined
    channel?.close()
    if (this.link !== undefined) {
      this.#isReplacing = true
      this.#connection.restart()
      this.#isReplacing = false
    }
    bulk?.end()
    this.#host.replaced(this, earlier)
    if (hadPath) this.#host.handlers.unlinked(this.node, earlier)
  }

  #judged(deliver: () => void): void {
    try {
      deliver()
    } catch (error) {
      if (!(error instanceof ProtocolError)) this.#host.parts.log.error('a message could not be handled', { error })
      else if (this.link === undefined) this.traffic.faults++
      else this.#connection.link?.fault(error)
    }
  }
}
