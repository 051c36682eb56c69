import type { Clock } from '@shoal/base'
import type { Member, NodeId, Session } from '@shoal/protocol'
import type { Signaling, SignalingHandlers } from '@shoal/transport'
import type { NodeClock, SimClock } from './sim-clock.ts'
import type { SimRandom } from './sim-random.ts'
import type { Trace } from './trace.ts'

const RECONNECT_FIRST_MS = 100
const RECONNECT_SPREAD_MS = 400

interface Socket {
  readonly member: Member
  readonly clock: NodeClock
  readonly handlers: SignalingHandlers
  /** The client's side; false once it knows that the socket is gone. */
  isUp: boolean
  /** The client hears everything in order. */
  readonly toClient: (deliver: () => void) => void
  readonly toServer: (deliver: () => void) => void
}

/**
 * The signaling server of a simulated room and the clients of its nodes: presence, blobs forwarded in order for each
 * socket, restarts that close all sockets. It reads no blob, as the real one cannot.
 */
export class SimSignalingServer {
  readonly #clock: SimClock
  readonly #random: SimRandom
  readonly #latency: () => number
  readonly #trace: Trace
  readonly #sockets = new Map<NodeId, Socket>()
  readonly #clients = new Set<SimSignaling>()
  #isUp = true

  constructor(options: {
    readonly clock: SimClock
    readonly random: SimRandom
    readonly latency: () => number
    readonly trace: Trace
  }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#latency = options.latency
    this.#trace = options.trace
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Sockets the server holds. */
  get socketCount(): number {
    return this.#sockets.size
  }

  /** Clients that were started and not closed. */
  get clientCount(): number {
    return this.#clients.size
  }

  client(node: NodeId, session: Session, clock: NodeClock): SimSignaling {
    return new SimSignaling({ node, session }, clock, this, this.#clients)
  }

  /** Closes all sockets, and takes new ones after `downMs`. */
  restart(downMs: number): void {
    if (!this.#isUp) return
    this.#trace.add(`signaling restarts, down for ${downMs.toFixed(0)} ms`)
    this.#isUp = false
    for (const socket of [...this.#sockets.values()]) this.#drop(socket)
    this.#clock.after(downMs, () => {
      this.#isUp = true
    })
  }

  /** The node's process is gone: its socket closes from outside. */
  kill(node: NodeId, session: Session): void {
    for (const client of [...this.#clients]) if (client.is(node, session)) this.#clients.delete(client)
    const socket = this.#sockets.get(node)
    if (socket !== undefined && socket.member.session === session) this.leave(socket)
  }

  /** A client's try to connect; undefined while the server is down. */
  connect(member: Member, clock: NodeClock, handlers: SignalingHandlers, down: () => void): Socket | undefined {
    if (!this.#isUp) return undefined
    const former = this.#sockets.get(member.node)
    if (former !== undefined) {
      this.leave(former)
      if (former.isUp) this.#drop(former)
    }
    const socket: Socket = {
      member,
      clock,
      handlers: { ...handlers, down },
      isUp: true,
      toClient: inOrder(clock, this.#clock, this.#latency),
      toServer: inOrder(this.#clock, this.#clock, this.#latency),
    }
    this.#sockets.set(member.node, socket)
    this.#trace.add(`signaling ${short(member)} joins`)
    const members = [...this.#sockets.values()].map((other) => other.member)
    this.#tell(socket, () => {
      handlers.welcome(members)
    })
    for (const other of this.#sockets.values()) {
      if (other !== socket) {
        this.#tell(other, () => {
          other.handlers.joined(member)
        })
      }
    }
    return socket
  }

  relay(socket: Socket, to: NodeId, blob: Uint8Array<ArrayBuffer>): void {
    socket.toServer(() => {
      const target = this.#sockets.get(to)
      if (target === undefined || this.#sockets.get(socket.member.node) !== socket) return
      this.#tell(target, () => {
        target.handlers.relay(socket.member.node, blob)
      })
    })
  }

  /** The socket closed on the node's side. */
  leave(socket: Socket): void {
    if (this.#sockets.get(socket.member.node) !== socket) return
    this.#sockets.delete(socket.member.node)
    this.#trace.add(`signaling ${short(socket.member)} leaves`)
    for (const other of this.#sockets.values()) {
      this.#tell(other, () => {
        other.handlers.left(socket.member)
      })
    }
  }

  reconnectDelay(): number {
    return RECONNECT_FIRST_MS + this.#random.float() * RECONNECT_SPREAD_MS
  }

  /** The server's side is gone, the client hears of it; nobody is told that it left. */
  #drop(socket: Socket): void {
    if (this.#sockets.get(socket.member.node) === socket) this.#sockets.delete(socket.member.node)
    this.#tell(socket, () => {
      socket.isUp = false
      socket.handlers.down(undefined)
    })
  }

  #tell(socket: Socket, deliver: () => void): void {
    socket.toClient(() => {
      if (socket.isUp) deliver()
    })
  }
}

/** One node's client: connects again by itself until it is closed. */
export class SimSignaling implements Signaling {
  readonly #member: Member
  readonly #clock: NodeClock
  readonly #server: SimSignalingServer
  readonly #clients: Set<SimSignaling>
  #handlers: SignalingHandlers | undefined
  #socket: Socket | undefined
  #isWelcome = false
  #isClosed = false

  constructor(member: Member, clock: NodeClock, server: SimSignalingServer, clients: Set<SimSignaling>) {
    this.#member = member
    this.#clock = clock
    this.#server = server
    this.#clients = clients
  }

  get isUp(): boolean {
    return this.#isWelcome && this.#socket?.isUp === true
  }

  is(node: NodeId, session: Session): boolean {
    return this.#member.node === node && this.#member.session === session
  }

  start(handlers: SignalingHandlers): void {
    this.#handlers = {
      ...handlers,
      welcome: (members) => {
        this.#isWelcome = true
        handlers.welcome(members)
      },
    }
    this.#clients.add(this)
    this.#retry(0)
  }

  relay(to: NodeId, blob: Uint8Array<ArrayBuffer>): void {
    if (this.isUp && this.#socket !== undefined) this.#server.relay(this.#socket, to, blob)
  }

  close(): void {
    this.#isClosed = true
    this.#clients.delete(this)
    if (this.#socket !== undefined) {
      this.#socket.isUp = false
      this.#server.leave(this.#socket)
    }
    this.#socket = undefined
  }

  #retry(delayMs: number): void {
    this.#clock.after(delayMs, () => {
      const handlers = this.#handlers
      if (this.#isClosed || handlers === undefined) return
      this.#socket = this.#server.connect(this.#member, this.#clock, handlers, () => {
        this.#isWelcome = false
        handlers.down(undefined)
        if (!this.#isClosed) this.#retry(this.#server.reconnectDelay())
      })
      if (this.#socket === undefined) this.#retry(this.#server.reconnectDelay())
    })
  }
}

/** Deliveries that keep their order while each takes its own time. */
function inOrder(target: Clock, clock: Clock, latency: () => number): (deliver: () => void) => void {
  let last = 0
  const waiting: (() => void)[] = []
  return (deliver) => {
    last = Math.max(last, clock.now() + latency())
    waiting.push(deliver)
    // Whichever timer fires, the oldest is due: a frozen target may fire its held timers in any order.
    target.after(last - clock.now(), () => waiting.shift()?.())
  }
}

function short({ node, session }: Member): string {
  return `${node.slice(0, 4)}/${session}`
}
