import type { Clock } from '@shoal/base'
import type { Member, NodeId, Session } from '@shoal/protocol'
import { createMemoryLinkPair } from '@shoal/transport'
import type {
  Connection,
  ConnectionHandlers,
  Connector,
  MemoryLinkPair,
  Signaling,
  SignalingHandlers,
} from '@shoal/transport'

interface Endpoint {
  readonly id: number
  readonly node: NodeId
  readonly handlers: ConnectionHandlers
  readonly fingerprint: string
  end: { readonly pair: MemoryLinkPair; readonly side: 'a' | 'b' } | undefined
  isClosed: boolean
}

interface Socket {
  readonly member: Member
  readonly handlers: SignalingHandlers
}

/** What the two sides of a connection tell each other, as WebRTC's offer and answer. */
type Signal =
  | { readonly kind: 'offer'; readonly from: number; readonly fingerprint: string }
  | { readonly kind: 'answer'; readonly from: number; readonly to: number; readonly fingerprint: string }

/**
 * The paths between the tabs of a test room and the signaling server beside them, in this process: reliable, ordered,
 * without delay. It knows nothing of what the messages mean; handshakes, proofs of keys and sessions above it are real.
 */
export class MemoryNetwork {
  readonly #clock: Clock
  readonly #sockets = new Map<NodeId, Socket>()
  readonly #endpoints = new Map<number, Endpoint>()
  readonly #pairs = new Set<MemoryLinkPair>()
  #lastEndpoint = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Links of which an end is open, and connections that somebody holds. */
  get linkCount(): number {
    for (const pair of this.#pairs) if (pair.isOver) this.#pairs.delete(pair)
    return this.#pairs.size + this.#endpoints.size
  }

  get socketCount(): number {
    return this.#sockets.size
  }

  signaling(node: NodeId, session: Session): Signaling {
    const member: Member = { node, session }
    let socket: Socket | undefined
    return {
      get isUp() {
        return socket !== undefined
      },
      start: (handlers) => {
        socket = { member, handlers }
        this.#enter(socket)
      },
      relay: (to, blob) => {
        if (socket !== undefined && this.#sockets.get(node) === socket) this.#relay(node, to, blob)
      },
      close: () => {
        if (socket !== undefined) this.#leave(socket)
        socket = undefined
      },
    }
  }

  connector(node: NodeId): Connector {
    return {
      isAvailable: true,
      connect: (_peer, _session, isInitiator, handlers) => this.#connect(node, isInitiator, handlers),
    }
  }

  /** The tab's process is gone without a word: its socket and its links end, and nothing more comes from it. */
  kill(node: NodeId): void {
    const socket = this.#sockets.get(node)
    for (const endpoint of [...this.#endpoints.values()]) {
      if (endpoint.node !== node) continue
      this.#endpoints.delete(endpoint.id)
      endpoint.isClosed = true
      endpoint.end?.pair.fail()
    }
    if (socket !== undefined) this.#leave(socket)
  }

  #enter(socket: Socket): void {
    const { member, handlers } = socket
    const others = [...this.#sockets.values()]
    this.#sockets.set(member.node, socket)
    const members = [...others.map((other) => other.member), member]
    this.#tell(socket, () => handlers.welcome(members))
    for (const other of others) this.#tell(other, () => other.handlers.joined(member))
  }

  #leave(socket: Socket): void {
    if (this.#sockets.get(socket.member.node) !== socket) return
    this.#sockets.delete(socket.member.node)
    for (const other of this.#sockets.values()) this.#tell(other, () => other.handlers.left(socket.member))
  }

  #relay(from: NodeId, to: NodeId, blob: Uint8Array<ArrayBuffer>): void {
    const target = this.#sockets.get(to)
    if (target !== undefined) this.#tell(target, () => target.handlers.relay(from, blob))
  }

  #tell(socket: Socket, deliver: () => void): void {
    queueMicrotask(() => {
      if (this.#sockets.get(socket.member.node) === socket) deliver()
    })
  }

  #connect(node: NodeId, isInitiator: boolean, handlers: ConnectionHandlers): Connection {
    const id = ++this.#lastEndpoint
    const fingerprint = `sha-256 memory:${id}`
    const endpoint: Endpoint = { id, node, handlers, fingerprint, end: undefined, isClosed: false }
    this.#endpoints.set(id, endpoint)
    const signal = (data: Signal): void =>
      queueMicrotask(() => {
        if (!endpoint.isClosed) handlers.signal(JSON.stringify(data))
      })
    if (isInitiator) signal({ kind: 'offer', from: id, fingerprint })
    return {
      accept: (text) => {
        const data = JSON.parse(text) as Signal
        if (data.kind === 'offer') signal({ kind: 'answer', from: id, to: data.from, fingerprint })
        else this.#open(endpoint, this.#endpoints.get(data.from))
      },
      close: () => {
        endpoint.isClosed = true
        this.#endpoints.delete(id)
        endpoint.end?.pair[endpoint.end.side].close()
      },
    }
  }

  #open(a: Endpoint, b: Endpoint | undefined): void {
    if (b === undefined || a.isClosed || a.end !== undefined || b.end !== undefined) return
    const pair = createMemoryLinkPair({ clock: this.#clock })
    this.#pairs.add(pair)
    a.end = { pair, side: 'a' }
    b.end = { pair, side: 'b' }
    for (const [own, other] of [
      [a, b],
      [b, a],
    ] as const)
      queueMicrotask(() => {
        if (own.isClosed || own.end === undefined) return
        own.handlers.open({
          link: pair[own.end.side],
          localFingerprint: own.fingerprint,
          remoteFingerprint: other.fingerprint,
          isDirect: true,
        })
      })
  }
}
