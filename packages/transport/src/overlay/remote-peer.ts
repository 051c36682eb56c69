import { ProtocolError } from '@shoal/protocol'
import type { NodeId, NodeMessage, Session, Signal } from '@shoal/protocol'
import type { LinkStats, OverlayHandlers, Peer } from '../overlay.ts'
import { PeerConnection } from './peer-connection.ts'
import type { ConnectionParts } from './peer-connection.ts'
import type { LinkGoodbye, ProvenLink } from './proven-link.ts'
import { SessionChannel } from './session-channel.ts'
import { Traffic } from './traffic.ts'

export interface RemotePeerHost {
  readonly parts: ConnectionParts
  /** The overlay's user; nothing that it throws comes back. */
  readonly handlers: OverlayHandlers
  canSignal(peer: RemotePeer): boolean
  nextNumber(): number
  signal(peer: RemotePeer, peerSession: Session, connection: number, data: string): void
  /** The peer's session said goodbye. */
  goodbye(peer: RemotePeer, session: Session): void
}

/**
 * One other node as this one sees it: the connection to it, and the channel of its present session. A session counts as
 * present once the node's own key vouched for it, by a signal or a hello; what the signaling server announces is only
 * what to try for, else a server could end any session by inventing a higher one.
 */
export class RemotePeer {
  readonly node: NodeId
  readonly traffic = new Traffic()
  readonly #host: RemotePeerHost
  readonly #connection: PeerConnection
  #announced: Session
  #session: Session | undefined
  #channel: SessionChannel | undefined
  #peer: Peer | undefined
  /** Whether the signaling server knows it. */
  isPresent = false

  constructor(host: RemotePeerHost, node: NodeId, session: Session) {
    this.node = node
    this.#host = host
    this.#announced = session
    this.#connection = new PeerConnection(host.parts, node, session, {
      canSignal: () => host.canSignal(this),
      nextNumber: () => host.nextNumber(),
      signal: (peerSession, connection, data) => {
        host.signal(this, peerSession, connection, data)
      },
      opened: (link, peerSession, publicKey) => {
        this.#opened(link, peerSession, publicKey)
      },
      lost: () => {
        this.#channel?.detach()
        this.#peer = undefined
        if (this.#session !== undefined) host.handlers.unlinked(node, this.#session)
      },
      unreachable: () => {
        host.handlers.member(node, this.latestSession, 'unreachable')
      },
      incompatible: () => {
        host.handlers.member(node, this.latestSession, 'incompatible')
      },
      traffic: this.traffic,
      frames: {
        packet: (packet) => {
          if (this.#channel?.receive(packet) === 'gap') this.#connection.restart()
        },
        acknowledged: (number) => this.#channel?.acknowledge(number),
        bulk: (pull, offset, bytes) => {
          this.#judged(() => {
            host.handlers.bulk(node, pull, offset, bytes)
          })
        },
        goodbye: () => {
          if (this.#session !== undefined) host.goodbye(this, this.#session)
        },
        heard: () => {
          if (this.#session !== undefined) host.handlers.heard(node, this.#session)
        },
      },
    })
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

  /** The proven peer while a link to it is up. */
  get linked(): Peer | undefined {
    return this.#peer
  }

  get link(): ProvenLink | undefined {
    return this.#connection.link
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

  send(message: NodeMessage): void {
    this.#channel?.send(message)
  }

  tick(now: number, hasOverslept: boolean): void {
    this.#connection.tick(now, hasOverslept)
  }

  /** Sends what waits, with a goodbye if there is a reason, and ends everything. */
  close(goodbye?: LinkGoodbye): void {
    if (goodbye !== undefined) this.#channel?.flush()
    this.#channel?.close()
    this.#connection.close(goodbye)
    this.#peer = undefined
  }

  #opened(link: ProvenLink, session: Session, publicKey: Uint8Array<ArrayBuffer>): void {
    this.#vouched(session)
    const { parts, handlers } = this.#host
    this.#channel ??= new SessionChannel({
      pair: { from: parts.self.node, fromSession: parts.self.session, to: this.node, toSession: session },
      clock: parts.clock,
      guards: parts.guards,
      deliver: (message) => {
        this.#judged(() => {
          handlers.message(this.node, message)
        })
      },
    })
    this.#channel.attach((frame) => {
      link.sendControl(frame)
    })
    this.#peer = { node: this.node, session, publicKey, isDirect: link.isDirect }
    handlers.linked(this.#peer)
  }

  /** The node's key vouched for a session: an earlier one is over. */
  #vouched(session: Session): void {
    if (this.#session === session) return
    if (this.#session !== undefined) {
      // The link is ended first, so that the user hears of the old session's end before the new one's beginning.
      if (this.#peer !== undefined) this.#connection.restart()
      this.#channel?.close()
      this.#channel = undefined
    }
    this.#session = session
    this.#announced = Math.max(this.#announced, session)
    this.#connection.target(this.#announced)
  }

  #judged(deliver: () => void): void {
    try {
      deliver()
    } catch (error) {
      if (error instanceof ProtocolError) this.#connection.link?.fault(error)
      else this.#host.parts.log.error('a message could not be handled', { error })
    }
  }
}
