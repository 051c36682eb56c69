// Long because it is where links, reports, relays and signals meet; each of those decides in a file of its own.
import { every } from '@shoal/base'
import type { Clock, Log, Random, Timer } from '@shoal/base'
import { LIMITS, ProtocolError } from '@shoal/protocol'
import type { Crypto, KeyPair, Member, NodeId, NodeMessage, RoomId, Session, Signal } from '@shoal/protocol'
import type { Connector } from '../connector.ts'
import type { LinkStats, Overlay, OverlayHandlers, Peer } from '../overlay.ts'
import type { Signaling } from '../signaling.ts'
import { ALL_GUARDS } from './guards.ts'
import type { OverlayGuards } from './guards.ts'
import { LinkGossip } from './link-gossip.ts'
import type { Way } from './link-map.ts'
import { Relay } from './relay.ts'
import { RemotePeer } from './remote-peer.ts'
import type { RemotePeerHost } from './remote-peer.ts'
import { readRouted, takenFrame } from './routed-frames.ts'
import { createSignalBox } from './signal-box.ts'
import { signalFrame, SignalPost } from './signal-post.ts'
import {
  ACCUSATION_MS,
  BEAT_MS,
  DEMAND_MS,
  LINK_SILENCE_MS,
  NEEDLESS_MS,
  OVERSLEPT_MS,
  RECENTLY_OVER_MS,
  REMEMBERED_SESSIONS,
  STILL_HEARD_MS,
  TELL_OVER_EVERY_MS,
} from './timing.ts'
import { KEPT_LINKS, keptLinks } from './topology.ts'
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

const TICKS_A_LOOK = TELL_OVER_EVERY_MS / BEAT_MS

/** A dozen links a node, and ways over others to everybody else. Does nothing before `start`. */
export function createOverlay(options: OverlayOptions): Overlay {
  return createGuardedOverlay(options, ALL_GUARDS)
}

/** For the simulation, which proves that each guard is missed. */
export function createGuardedOverlay(options: OverlayOptions, guards: OverlayGuards): Overlay {
  return new RoomOverlay(options, guards)
}

/**
 * Who is known, what is refused, whom we link, and the ways to all others. One timer beats for the whole overlay: hellos
 * and all deadlines hang on it. The floor of a node is its lowest session that may still be let in.
 */
class RoomOverlay implements Overlay {
  readonly #options: OverlayOptions
  readonly #guards: OverlayGuards
  readonly #post: SignalPost
  readonly #gossip: LinkGossip
  readonly #relay: Relay
  readonly #peers = new Map<NodeId, RemotePeer>()
  readonly #floors = new Map<NodeId, Session>()
  /** Sessions that ended a while ago at most: others may not know yet, or know better. */
  readonly #recentlyOver = new Map<NodeId, { readonly session: Session; readonly at: number }>()
  /** Who is at the signaling server, as far as it says. */
  readonly #atServer = new Map<NodeId, Session>()
  /** When our words on links that are no more were said. */
  readonly #saidAt = new Map<NodeId, number>()
  #ways: ReadonlyMap<NodeId, Way> = new Map()
  #handlers: OverlayHandlers | undefined
  #host: RemotePeerHost | undefined
  #ticker: Timer | undefined
  #tickedAt = 0
  #ticks = 0
  #mappedAt = Number.NEGATIVE_INFINITY
  #isMapStale = false
  #connectionNumber = 0
  #isClosed = false

  constructor(options: OverlayOptions, guards: OverlayGuards) {
    this.#options = options
    this.#guards = guards
    const { self, room, roomKey, crypto, clock, log } = options
    this.#post = new SignalPost({
      box: createSignalBox({ self, publicKey: self.publicKey, room, roomKey, crypto }),
      session: self.session,
      clock,
      log,
      post: (to, blob) => this.#carrySignal(to, blob),
      signal: (signal) => this.#onSignal(signal),
      over: (from) => this.#handlers?.over?.(from),
      asked: (from) => this.#peers.get(from)?.asked(),
      bad: (from, error) => this.#onBadSignal(from, error),
    })
    this.#gossip = new LinkGossip({
      self: { ...self, room },
      clock,
      crypto,
      log,
      isOver: (node, session) => this.#guards.refusesOldSessions && session < this.#floor(node),
      send: (neighbour, frame) => this.#peers.get(neighbour)?.link?.write(frame),
      changed: (isVote) => {
        if (isVote || clock.now() - this.#mappedAt >= BEAT_MS) this.#onMap()
        // While many come at once everybody's new links need not be looked at by everybody each time.
        else this.#isMapStale = true
      },
      bad: (node, error) => {
        const peer = this.#peers.get(node)
        if (peer !== undefined) peer.traffic.faults++
        log.warn('a bad report', { node, code: error.code, reason: error.message })
      },
    })
    this.#relay = new Relay({
      self: self.node,
      clock,
      link: (neighbour) => this.#peers.get(neighbour)?.link,
      next: (to, without) => (without === undefined ? this.#ways : this.#gossip.map.ways(without)).get(to)?.first,
      frame: (frame) => this.#onRouted(frame.from, frame.frame),
      chunk: (chunk) => {
        if (chunk.toSession === self.session) this.#peers.get(chunk.from)?.onRoutedChunk(chunk)
      },
    })
  }

  start(handlers: OverlayHandlers): void {
    const { self, clock, signaling, log } = this.#options
    this.#handlers = trapped(handlers, log)
    this.#host = this.#hostFor(this.#handlers)
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
        this.#atServer.set(member.node, member.session)
        this.#learn(member)
        this.#retune()
        this.#handlers?.hint(member.node, member.session, 'present')
      },
      left: (member) => {
        this.#left(member)
      },
      relay: (from, blob) => {
        if (!this.#isClosed && from !== self.node) this.#post.open(from, blob)
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
    this.#peers.get(to)?.sendBulk(pull, offset, bytes)
  }

  bulkRoom(to: NodeId): number {
    return this.#peers.get(to)?.bulkRoom(this.#options.clock.now()) ?? 0
  }

  onBulkRoom(to: NodeId, callback: () => void): void {
    const peer = this.#peers.get(to)
    if (peer === undefined) callback()
    else peer.onBulkRoom(callback)
  }

  peers(): readonly Peer[] {
    return [...this.#peers.values()].flatMap((peer) => peer.linked ?? [])
  }

  stats(node: NodeId): LinkStats | undefined {
    return this.#peers.get(node)?.stats
  }

  doubt(node: NodeId, session: Session, why: 'silent' | 'closed' | 'unsure' | undefined): void {
    const peer = this.#peers.get(node)
    if (peer?.session !== session) return
    if (why === 'unsure') this.#say(node, session, undefined)
    else if (why !== undefined) this.#say(node, session, why)
    else if (peer.link !== undefined) this.#say(node, session, 'linked')
    this.#onMap()
  }

  forget(node: NodeId, session: Session): void {
    if (this.#guards.refusesOldSessions) this.#end(node, session)
  }

  close(reason: 'left' | 'closed' | 'reload'): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ticker?.cancel()
    this.#gossip.close()
    this.#post.close()
    for (const peer of this.#peers.values()) peer.close(reason)
    this.#peers.clear()
    this.#options.signaling.close()
  }

  #hostFor(handlers: OverlayHandlers): RemotePeerHost {
    const { self, room, clock, random, crypto, connector, signaling, log } = this.#options
    return {
      parts: { self: { ...self, room }, clock, random, crypto, connector, guards: this.#guards, log },
      handlers,
      canSignal: (peer) => (signaling.isUp && peer.isPresent) || this.#ways.has(peer.node),
      nextNumber: () => ++this.#connectionNumber,
      signal: (peer, session, connection, data) => {
        this.#post.send(peer.node, session, connection, data)
      },
      ask: (peer, session) => {
        this.#post.ask(peer.node, session)
      },
      opened: ({ node }, session) => {
        this.#say(node, session, 'linked')
        this.#gossip.linked(node)
        this.#onMap()
      },
      lost: ({ node, isNeedless }, session) => {
        this.#gossip.unlinked(node)
        this.#relay.forget(node)
        // What we say of it by doubt stands. Who was lost is waited for a while, as one who may yet be back.
        if (this.#gossip.map.own.get(node)?.state === 'linked')
          this.#say(node, session, isNeedless ? undefined : 'lost')
        this.#onMap()
      },
      room: (peer, frame) => {
        if (frame.type === 'routed') this.#relay.onFrame(peer.node, frame)
        else if (frame.type === 'known') this.#gossip.onKnown(peer.node, frame)
        else this.#gossip.onReports(peer.node, frame)
      },
      routedChunk: (peer, chunk) => {
        this.#relay.onChunk(peer.node, chunk)
      },
      route: (to, frame, around) => this.#relay.send(to, frame, around),
      hasWayAround: (to) => this.#gossip.map.ways(to).has(to),
      sendChunk: ({ node, session }, chunk) => {
        const [from, fromSession] = [self.node, self.session]
        if (session === undefined) return
        this.#relay.sendChunk({ ...chunk, from, to: node, hops: 0, fromSession, toSession: session })
      },
      sendTaken: ({ node }, run, chunks) => {
        this.#relay.send(node, takenFrame(run, chunks))
      },
      goodbye: (peer, session) => {
        this.#goodbye(peer.node, session)
        // Whoever did not hear it takes it from us.
        this.#say(peer.node, session, 'goodbye')
      },
      replaced: ({ node }, session) => {
        this.#gossip.unlinked(node)
        this.#relay.forget(node)
        this.#isMapStale = true
        this.#gossip.map.forget(node, session)
        if ((this.#gossip.map.own.get(node)?.session ?? Infinity) <= session) this.#say(node, session, undefined)
      },
    }
  }

  #tick(): void {
    const now = this.#options.clock.now()
    const hasOverslept = now - this.#tickedAt > OVERSLEPT_MS
    this.#tickedAt = now
    for (const peer of [...this.#peers.values()]) peer.tick(now, hasOverslept)
    for (const [node, at] of this.#saidAt) {
      const word = this.#gossip.map.own.get(node)
      if (now - at < (word?.state === 'lost' ? LINK_SILENCE_MS : ACCUSATION_MS)) continue
      // A dead neighbour's dozen would each tell the whole room, which has long acted on it.
      const isOver = word !== undefined && word.state !== 'lost' && word.session < this.#floor(node)
      this.#say(node, word?.session ?? 0, undefined, isOver)
      this.#isMapStale = true
    }
    if (this.#isMapStale) this.#onMap()
    // Nobody is told more often, and all words are gone through for each of them.
    const mayTell = ++this.#ticks % TICKS_A_LOOK === 0
    for (const [node, { session, at }] of this.#recentlyOver) {
      if (now - at > RECENTLY_OVER_MS) this.#recentlyOver.delete(node)
      else if (mayTell && now - at > STILL_HEARD_MS && this.#isStillThere(node, session))
        this.#post.tellOver(node, session)
    }
    this.#retune()
  }

  /** Two halves that gave each other up would else both wait for the other to speak: a word may be lost with a socket. */
  #isStillThere(node: NodeId, session: Session): boolean {
    if (this.#options.signaling.isUp && this.#atServer.get(node) === session) return true
    return this.#gossip.map.voucherOf(node, session, this.#ways) !== undefined
  }

  /** Which links to keep. Links that nobody keeps are ended once there are too many and nothing uses them. */
  #retune(): void {
    if (this.#isClosed) return
    const { self, clock } = this.#options
    const now = clock.now()
    const avoided = new Set([...this.#peers.values()].filter((peer) => peer.isUnreachable).map((peer) => peer.node))
    const kept = keptLinks(self.node, this.#peers.keys())
    if (avoided.size > 0) for (const node of keptLinks(self.node, this.#peers.keys(), avoided)) kept.add(node)
    let linkCount = 0
    for (const peer of this.#peers.values()) {
      peer.want(kept.has(peer.node) || peer.isDemanded(now))
      if (peer.link !== undefined) linkCount++
    }
    if (linkCount <= KEPT_LINKS) return
    for (const peer of this.#peers.values()) {
      if (peer.link === undefined || kept.has(peer.node) || peer.isDemanded(now) || peer.isTheirChoice) continue
      if (now - peer.usedAt < DEMAND_MS || now - peer.link.startedAt < NEEDLESS_MS) continue
      peer.dropLink()
      if (--linkCount <= KEPT_LINKS) return
    }
  }

  /** Our word on our own link, for all. */
  #say(node: NodeId, session: Session, state: Parameters<LinkGossip['say']>[2], canWait = false): void {
    if (state === undefined || state === 'linked') this.#saidAt.delete(node)
    else this.#saidAt.set(node, this.#options.clock.now())
    this.#gossip.say(node, session, state, canWait)
  }

  /** The room's links are others than before. */
  #onMap(): void {
    if (this.#isClosed) return
    const { map } = this.#gossip
    this.#isMapStale = false
    this.#mappedAt = this.#options.clock.now()
    this.#ways = map.ways()
    for (const [node, { session }] of this.#ways) {
      const publicKey = this.#gossip.keyOf(node, session)
      if (publicKey === undefined || (this.#guards.refusesOldSessions && session < this.#floor(node))) continue
      const peer = this.#peers.get(node) ?? this.#add(node, session)
      peer?.reached(session, publicKey)
    }
    for (const peer of this.#peers.values()) {
      if (this.#ways.get(peer.node)?.session !== peer.session) peer.unreached()
    }
    for (const [node, { session, why }] of map.accused(this.#ways)) {
      if (session < this.#floor(node)) continue
      if (why === 'goodbye' && this.#peers.get(node)?.link === undefined) this.#goodbye(node, session)
      else this.#handlers?.accused?.(node, session, why)
    }
  }

  #goodbye(node: NodeId, session: Session): void {
    this.#end(node, session)
    this.#handlers?.goodbye(node, session)
  }

  /** The session and all before it are over. */
  #end(node: NodeId, session: Session): void {
    if (session >= this.#floor(node)) {
      this.#floors.delete(node)
      this.#floors.set(node, session + 1)
      const [oldest] = this.#floors.keys()
      if (this.#floors.size > REMEMBERED_SESSIONS && oldest !== undefined) this.#floors.delete(oldest)
      this.#recentlyOver.set(node, { session, at: this.#options.clock.now() })
    }
    const word = this.#gossip.map.own.get(node)
    if (word !== undefined && word.session <= session && (word.state === 'linked' || word.state === 'lost')) {
      this.#say(node, word.session, undefined)
    }
    this.#gossip.forget(node, session)
    const peer = this.#peers.get(node)
    if (peer === undefined || (peer.session ?? peer.announced) > session) return
    this.#peers.delete(node)
    this.#gossip.unlinked(node)
    if (peer.isPresent) this.#post.tellOver(node, session)
    peer.close()
    // What the server announced above the session that ended is somebody else's life.
    if (peer.announced > session && peer.isPresent) this.#learn({ node, session: peer.announced })
  }

  #floor(node: NodeId): Session {
    return this.#floors.get(node) ?? 0
  }

  #welcome(members: readonly Member[]): void {
    const present = new Set(members.map((member) => member.node))
    this.#atServer.clear()
    for (const { node, session } of members) this.#atServer.set(node, session)
    // Who is missing may only be slower than we to come back to a restarted server: no hint that it left.
    for (const peer of this.#peers.values()) peer.isPresent = present.has(peer.node)
    for (const member of members) this.#learn(member)
    this.#retune()
    for (const member of members) {
      if (member.node !== this.#options.self.node) this.#handlers?.hint(member.node, member.session, 'present')
    }
  }

  #learn({ node, session }: Member): void {
    if (this.#isClosed || node === this.#options.self.node) return
    if (this.#guards.refusesOldSessions && session < this.#floor(node)) {
      this.#post.tellOver(node, session)
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
    const peer = new RemotePeer(this.#host, node, session, false)
    this.#peers.set(node, peer)
    return peer
  }

  #left({ node, session }: Member): void {
    if (this.#atServer.get(node) === session) this.#atServer.delete(node)
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

  /** Over the server where both are there, else over members. */
  #carrySignal(to: NodeId, blob: Uint8Array<ArrayBuffer>): void {
    const { signaling } = this.#options
    const peer = this.#peers.get(to)
    const way = this.#ways.get(to)
    if (signaling.isUp && (peer?.isPresent ?? way === undefined)) signaling.relay(to, blob)
    if (signaling.isUp && peer?.isPresent === true) return
    if (this.#relay.send(to, signalFrame(blob))) return
    // One whom we have given up: we know no way, but whoever hears it does.
    const over = this.#recentlyOver.get(to)
    const witness = over && this.#gossip.map.voucherOf(to, over.session, this.#ways)
    const first = witness && this.#ways.get(witness)?.first
    if (first === undefined) return
    this.#relay.sendOver(first, {
      type: 'routed',
      from: this.#options.self.node,
      to,
      hops: 0,
      frame: signalFrame(blob),
    })
  }

  #onRouted(from: NodeId, bytes: Uint8Array<ArrayBuffer>): void {
    const { self, log } = this.#options
    if (this.#isClosed || from === self.node) return
    const peer = this.#peers.get(from)
    try {
      const frame = readRouted(bytes, from, self)
      if (frame === undefined) return
      if (frame.type === 'signal') this.#post.open(from, frame.blob)
      else if (frame.type === 'taken') peer?.onTaken(frame.run, frame.chunks)
      else if (this.#guards.refusesOldSessions && frame.fromSession < this.#floor(from))
        this.#post.tellOver(from, frame.fromSession)
      else if (frame.type === 'packet') peer?.onRoutedPacket(frame)
      else peer?.onRoutedAcknowledgement(frame)
    } catch (error) {
      // Whoever carried it is not to blame, and who sent it is not proven.
      if (peer !== undefined) peer.traffic.faults++
      if (error instanceof ProtocolError) log.warn('a bad routed frame', { from, reason: error.message })
      else log.error('a routed frame could not be handled', { from, error })
    }
  }

  #onSignal(signal: Signal): void {
    const { from, fromSession } = signal
    const known = this.#peers.get(from)
    if (this.#guards.refusesOldSessions && fromSession < Math.max(this.#floor(from), known?.session ?? 0)) {
      this.#post.tellOver(from, fromSession)
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
