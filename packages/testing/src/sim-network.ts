import { ByteWriter } from '@shoal/protocol'
import type { NodeId, Session } from '@shoal/protocol'
import { createMemoryLinkPair } from '@shoal/transport'
import type { Connection, ConnectionHandlers, Connector, Link, MemoryLinkPair, Signaling } from '@shoal/transport'
import type { NodeClock, SimClock } from './sim-clock.ts'
import type { SimRandom } from './sim-random.ts'
import { SimSignalingServer } from './sim-signaling.ts'
import type { Trace } from './trace.ts'

export interface SimNetworkOptions {
  readonly clock: SimClock
  readonly random: SimRandom
  readonly trace: Trace
  /** One way, each message: between `minMs` and `maxMs`. Default 0.5 to 20. */
  readonly latency?: { readonly minMs: number; readonly maxMs: number }
  /** Of each path, each way. Default 4e6. */
  readonly bytesPerSecond?: number
  /** A node has that rate for all that it sends, as at home. Default false: on each path. */
  readonly sharesRate?: boolean
  /** How often the first control message of a link's side is lost, as on a channel handed between threads. Default 0.1. */
  readonly loseFirst?: number
}

/** Real WebRTC gives a silent path up after about so long (measured). */
const PATH_GIVEN_UP_MS = 15_000
/** ICE and DTLS take a few round trips. */
const HANDSHAKE_LATENCIES = 4

interface Endpoint {
  readonly id: number
  readonly node: NodeId
  readonly session: Session
  readonly clock: NodeClock
  readonly handlers: ConnectionHandlers
  readonly fingerprint: string
  link: Link | undefined
  isClosed: boolean
}

interface SimLink {
  readonly a: Endpoint
  readonly b: Endpoint
  readonly pair: MemoryLinkPair
  /** Rises with each change of a hold, so that an old give-up timer does nothing. */
  generation: number
  isHeld: boolean
}

type SignalData =
  | { readonly kind: 'offer'; readonly endpoint: number; readonly fingerprint: string }
  | { readonly kind: 'answer'; readonly endpoint: number; readonly to: number; readonly fingerprint: string }

/**
 * The paths between the nodes of a simulated room: latency, rate, cuts each way, failing links, and the signaling
 * server beside them. A cut path loses nothing, it holds everything back and fails after 15 s, as SCTP over a dead path
 * does. Nodes are frozen through their clocks. It knows nothing of what the messages mean.
 */
export class SimNetwork {
  readonly signaling: SimSignalingServer
  readonly #clock: SimClock
  readonly #random: SimRandom
  readonly #trace: Trace
  readonly #latency: () => number
  readonly #bytesPerSecond: number
  /** By node, where it shares its rate. */
  readonly #outlets: Map<NodeId, { freeAt: number }> | undefined
  readonly #loseFirst: number
  readonly #endpoints = new Map<number, Endpoint>()
  readonly #links = new Set<SimLink>()
  /** `from>to` */
  readonly #cuts = new Set<string>()
  readonly #dead = new Set<string>()
  #nextEndpoint = 1

  constructor(options: SimNetworkOptions) {
    const { minMs, maxMs } = options.latency ?? { minMs: 0.5, maxMs: 20 }
    this.#clock = options.clock
    this.#random = options.random
    this.#trace = options.trace
    const latencies = options.random.fork('latency')
    this.#latency = () => minMs + latencies.float() * (maxMs - minMs)
    this.#bytesPerSecond = options.bytesPerSecond ?? 4e6
    this.#outlets = options.sharesRate === true ? new Map() : undefined
    this.#loseFirst = options.loseFirst ?? 0.1
    this.signaling = new SimSignalingServer({
      clock: options.clock,
      random: options.random.fork('signaling'),
      latency: this.#latency,
      trace: options.trace,
    })
  }

  /** Links of which at least one end is open. */
  get linkCount(): number {
    return this.#openLinks().length
  }

  /** Connections that somebody holds open. */
  get connectionCount(): number {
    return this.#endpoints.size
  }

  connector(node: NodeId, session: Session, clock: NodeClock): Connector {
    return {
      isAvailable: true,
      connect: (_peer, _peerSession, isInitiator, handlers) =>
        this.#connect(node, session, clock, isInitiator, handlers),
    }
  }

  signalingFor(node: NodeId, session: Session, clock: NodeClock): Signaling {
    return this.signaling.client(node, session, clock)
  }

  /** Nothing goes from one to the other until it is healed. */
  cut(from: NodeId, to: NodeId): void {
    this.#trace.add(`cut ${from.slice(0, 4)} > ${to.slice(0, 4)}`)
    this.#cuts.add(`${from}>${to}`)
    this.#applyCuts()
  }

  heal(from: NodeId, to: NodeId): void {
    if (!this.#cuts.delete(`${from}>${to}`)) return
    this.#trace.add(`heal ${from.slice(0, 4)} > ${to.slice(0, 4)}`)
    this.#applyCuts()
  }

  /** Cuts every path between different groups. */
  partition(groups: readonly (readonly NodeId[])[]): void {
    for (const group of groups) {
      for (const other of groups) {
        if (other !== group) for (const from of group) for (const to of other) this.#cuts.add(`${from}>${to}`)
      }
    }
    this.#trace.add(`partition ${groups.map((group) => group.map((id) => id.slice(0, 4)).join(' ')).join(' | ')}`)
    this.#applyCuts()
  }

  healAll(): void {
    this.#cuts.clear()
    this.#applyCuts()
  }

  /** The links between the two fail, with everything under way on them. */
  failLinks(one: NodeId, other: NodeId): void {
    this.#trace.add(`fail ${one.slice(0, 4)} - ${other.slice(0, 4)}`)
    for (const link of this.#openLinks()) {
      const isIt = (link.a.node === one && link.b.node === other) || (link.a.node === other && link.b.node === one)
      if (isIt) this.#fail(link)
    }
  }

  /** The process of a node's session is gone: nothing more comes from it, and its socket closes. */
  kill(node: NodeId, session: Session, clock: NodeClock): void {
    this.#trace.add(`kill ${node.slice(0, 4)}/${session}`)
    this.#dead.add(`${node}/${session}`)
    clock.kill()
    for (const endpoint of [...this.#endpoints.values()]) {
      if (endpoint.node === node && endpoint.session === session) this.#endpoints.delete(endpoint.id)
    }
    this.#applyCuts()
    this.signaling.kill(node, session)
  }

  #connect(
    node: NodeId,
    session: Session,
    clock: NodeClock,
    isInitiator: boolean,
    handlers: ConnectionHandlers,
  ): Connection {
    const id = this.#nextEndpoint++
    const fingerprint = `sha-256 ${fingerprintOf(id)}`
    const endpoint: Endpoint = { id, node, session, clock, handlers, fingerprint, link: undefined, isClosed: false }
    this.#endpoints.set(id, endpoint)
    const signal = (data: SignalData): void => {
      clock.after(0, () => {
        if (!endpoint.isClosed) handlers.signal(JSON.stringify(data))
      })
    }
    if (isInitiator) signal({ kind: 'offer', endpoint: id, fingerprint })
    return {
      accept: (text) => {
        const data = JSON.parse(text) as SignalData
        if (data.kind === 'offer') signal({ kind: 'answer', endpoint: id, to: data.endpoint, fingerprint })
        else this.#meet(endpoint, data.endpoint, this.#clock.now() + PATH_GIVEN_UP_MS)
      },
      close: () => {
        endpoint.isClosed = true
        this.#endpoints.delete(id)
        endpoint.link?.close()
      },
    }
  }

  /** Both sides know of each other: a link as soon as the path works both ways. */
  #meet(a: Endpoint, otherId: number, deadline: number): void {
    this.#clock.after(this.#latency() * HANDSHAKE_LATENCIES, () => {
      const b = this.#endpoints.get(otherId)
      if (b === undefined || a.isClosed || b.isClosed || b.link !== undefined) return
      if (this.#isCut(a, b) || this.#isCut(b, a)) {
        if (this.#clock.now() < deadline) this.#meet(a, otherId, deadline)
        return
      }
      this.#open(a, b)
    })
  }

  #open(a: Endpoint, b: Endpoint): void {
    const pair = createMemoryLinkPair({
      clock: this.#clock,
      latencyMs: this.#latency,
      bytesPerSecond: this.#bytesPerSecond,
      outlets: this.#outlets && { a: this.#outletOf(a.node), b: this.#outletOf(b.node) },
      endClocks: { a: a.clock, b: b.clock },
    })
    const link: SimLink = { a, b, pair, generation: 0, isHeld: false }
    this.#links.add(link)
    this.#trace.add(`link ${a.node.slice(0, 4)}/${a.session} - ${b.node.slice(0, 4)}/${b.session}`)
    this.#offer(a, b, pair.a)
    this.#offer(b, a, pair.b)
  }

  #outletOf(node: NodeId): { freeAt: number } {
    const outlet = this.#outlets?.get(node) ?? { freeAt: 0 }
    this.#outlets?.set(node, outlet)
    return outlet
  }

  #offer(own: Endpoint, other: Endpoint, raw: Link): void {
    const link = this.#random.float() < this.#loseFirst ? losingFirst(raw) : raw
    own.link = link
    own.clock.after(this.#latency(), () => {
      if (own.isClosed) return
      const { fingerprint: localFingerprint } = own
      const { fingerprint: remoteFingerprint } = other
      own.handlers.open({ link, localFingerprint, remoteFingerprint, isDirect: true })
    })
  }

  #openLinks(): SimLink[] {
    for (const link of this.#links) {
      const isGone = (end: Endpoint): boolean => end.isClosed || this.#isDead(end)
      if (link.pair.isOver || (isGone(link.a) && isGone(link.b))) this.#links.delete(link)
    }
    return [...this.#links]
  }

  #isDead(end: Endpoint): boolean {
    return this.#dead.has(`${end.node}/${end.session}`)
  }

  #isCut(from: Endpoint, to: Endpoint): boolean {
    return this.#cuts.has(`${from.node}>${to.node}`) || this.#isDead(from) || this.#isDead(to)
  }

  #applyCuts(): void {
    for (const link of this.#openLinks()) {
      const isThereCut = this.#isCut(link.a, link.b)
      const isBackCut = this.#isCut(link.b, link.a)
      link.pair.hold('a-to-b', isThereCut)
      link.pair.hold('b-to-a', isBackCut)
      const isHeld = isThereCut || isBackCut
      if (isHeld === link.isHeld) continue
      link.isHeld = isHeld
      const generation = ++link.generation
      if (!isHeld) continue
      this.#clock.after(PATH_GIVEN_UP_MS, () => {
        if (link.generation === generation) this.#fail(link)
      })
    }
  }

  /** Each side hears of it in its own time; a dead one never. */
  #fail(link: SimLink): void {
    link.a.clock.after(0, () => {
      link.pair.fail('a')
    })
    link.b.clock.after(0, () => {
      link.pair.fail('b')
    })
    if (this.#isDead(link.a) || this.#isDead(link.b)) this.#links.delete(link)
  }
}

/** A link whose first control message is lost. */
function losingFirst(link: Link): Link {
  let isFirst = true
  return {
    start: (handlers) => {
      link.start(handlers)
    },
    sendControl: (bytes) => {
      if (!isFirst) link.sendControl(bytes)
      isFirst = false
    },
    sendBulk: (bytes) => {
      link.sendBulk(bytes)
    },
    bulkRoom: () => link.bulkRoom(),
    onBulkRoom: (callback) => {
      link.onBulkRoom(callback)
    },
    close: () => {
      link.close()
    },
  }
}

function fingerprintOf(id: number): string {
  const writer = new ByteWriter()
  writer.varint(id)
  return [...writer.finish()].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':')
}
