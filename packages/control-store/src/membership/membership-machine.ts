import type { NodeId, Session } from '@shoal/protocol'

/** How often the machine wants to be told the time. */
export const TICK_MS = 250
/** Silence after which a session is dead, once the signaling server saw its socket close... */
export const CLOSED_LIMIT_MS = 1_000
/** ...and without such a hint. */
export const SILENT_LIMIT_MS = 5_000
/** Who was heard within this still speaks: some heartbeats, and less than any limit for silence. */
const RECENT_MS = 2_000
/** Lifeguard's bound for the multiplier (Dadgar, Phillips, Currey, "Lifeguard: SWIM-ing with situational awareness", 2017). */
const MAX_MISSED_TICKS = 8
/** Lateness of a tick that counts as none: timers are never exact. */
const TICK_SLACK_MS = TICK_MS / 2
/** Dead nodes whose last session is remembered; the longest dead is forgotten first. */
const REMEMBERED_DEAD = 4_096

/** goodbye: it said so. closed: its socket closed and it fell silent. silent: nothing for too long. replaced: a higher session came. */
export type DeathReason = 'goodbye' | 'closed' | 'silent' | 'replaced'

export type MembershipEvent =
  | { readonly type: 'linked' | 'unlinked' | 'heard' | 'goodbye'; readonly node: NodeId; readonly session: Session }
  /** As in the overlay's `hint`; no node: our own socket. */
  | {
      readonly type: 'hint'
      readonly node: NodeId | undefined
      readonly session: Session
      readonly state: 'closed' | 'present' | 'down'
    }
  | { readonly type: 'tick' }

export type MembershipEffect =
  | { readonly type: 'alive'; readonly node: NodeId; readonly session: Session }
  | { readonly type: 'dead'; readonly node: NodeId; readonly session: Session; readonly reason: DeathReason }
  /** A session that is over spoke; whoever carried it in should drop it. */
  | { readonly type: 'refused'; readonly node: NodeId; readonly session: Session }
  | { readonly type: 'connectivity'; readonly isOffline: boolean }

interface Life {
  readonly session: Session
  isAlive: boolean
  isLinked: boolean
  /** When anything was last heard, on our clock less the time during which we could not listen. */
  heardMs: number
  /** When the signaling server saw its socket close; undefined: it did not, or saw it open again, or we left the server. */
  closedMs: number | undefined
}

/**
 * Verdicts about sessions, as a pure machine: `step` takes what happened and when, and gives back what follows.
 *
 *   (unknown) -linked-> alive -goodbye | silent | closed-> dead -linked with a higher session-> alive ...
 *
 * Sessions never go down: of a node only one life is kept, and older ones are refused. Being our own observer: time in
 * which our ticks did not come is no silence of others, and each missed tick multiplies our limits for a while. When the
 * server and all peers fell silent together, it is us: offline, no verdicts.
 *
 * All observers decide alone while the room is a full mesh. Asking others (a probe over another route, the votes of the
 * link neighbours) comes between `#suspicion` and the verdict in `#tick`, and nowhere else.
 */
export class MembershipMachine {
  readonly #self: NodeId
  readonly #lives = new Map<NodeId, Life>()
  #lastTickMs: number
  #missedTicks = 0
  #isServerUp = false
  /** When our socket went down; nobody heard for long after it means that our network went, not theirs. */
  #serverDownMs = Number.NEGATIVE_INFINITY
  #isOffline = false

  constructor(self: NodeId, nowMs: number) {
    this.#self = self
    this.#lastTickMs = nowMs
  }

  get isOffline(): boolean {
    return this.#isOffline
  }

  /** The session of a live node. */
  sessionOf(node: NodeId): Session | undefined {
    const life = this.#lives.get(node)
    return life?.isAlive ? life.session : undefined
  }

  /** True for a session that is known to be over: nothing it says may reach any state. */
  isRefused(node: NodeId, session: Session): boolean {
    const life = this.#lives.get(node)
    return life !== undefined && (session < life.session || (session === life.session && !life.isAlive))
  }

  alive(): NodeId[] {
    return [...this.#lives].filter(([, life]) => life.isAlive).map(([node]) => node)
  }

  step(event: MembershipEvent, nowMs: number): MembershipEffect[] {
    if (event.type === 'tick') return this.#tick(nowMs)
    if (event.type === 'hint') return this.#hint(event.node, event.session, event.state, nowMs)
    const { node, session } = event
    if (node === this.#self) return []
    if (this.isRefused(node, session)) return [{ type: 'refused', node, session }]
    switch (event.type) {
      case 'linked':
        return this.#linked(node, session, nowMs)
      case 'heard':
        return this.#heard(node, session, nowMs)
      case 'unlinked':
        return this.#unlinked(node, session)
      case 'goodbye':
        return this.#goodbye(node, session, nowMs)
    }
  }

  #linked(node: NodeId, session: Session, nowMs: number): MembershipEffect[] {
    const known = this.#lives.get(node)
    const effects: MembershipEffect[] = []
    if (known?.session === session) {
      known.isLinked = true
    } else {
      if (known?.isAlive) effects.push({ type: 'dead', node, session: known.session, reason: 'replaced' })
      this.#lives.delete(node)
      this.#lives.set(node, { session, isAlive: true, isLinked: true, heardMs: nowMs, closedMs: undefined })
      effects.push({ type: 'alive', node, session })
    }
    return [...effects, ...this.#heard(node, session, nowMs)]
  }

  #heard(node: NodeId, session: Session, nowMs: number): MembershipEffect[] {
    const life = this.#lives.get(node)
    if (life?.session !== session) return []
    life.heardMs = nowMs
    return this.#online(nowMs)
  }

  #unlinked(node: NodeId, session: Session): MembershipEffect[] {
    // A broken link is a detour, not a death: only silence decides.
    const life = this.#lives.get(node)
    if (life?.session === session) life.isLinked = false
    return []
  }

  #goodbye(node: NodeId, session: Session, nowMs: number): MembershipEffect[] {
    const known = this.#lives.get(node)
    if (known?.session === session) return [this.#kill(node, known, 'goodbye')]
    // Of a life that we never met: remembered, so that what is still on its way from it is refused.
    const life: Life = { session, isAlive: true, isLinked: false, heardMs: nowMs, closedMs: undefined }
    this.#lives.set(node, life)
    if (known?.isAlive) {
      this.#kill(node, life, 'goodbye')
      return [{ type: 'dead', node, session: known.session, reason: 'replaced' }]
    }
    this.#kill(node, life, 'goodbye')
    return []
  }

  #hint(
    node: NodeId | undefined,
    session: Session,
    state: 'closed' | 'present' | 'down',
    nowMs: number,
  ): MembershipEffect[] {
    if (state === 'down') {
      if (this.#isServerUp) this.#serverDownMs = nowMs
      this.#isServerUp = false
      // A server that restarts closes everybody's socket, ours a moment after theirs: none of it means anything.
      for (const life of this.#lives.values()) life.closedMs = undefined
      return []
    }
    this.#isServerUp = true
    const life = node === undefined ? undefined : this.#lives.get(node)
    if (life?.session === session) life.closedMs = state === 'closed' ? nowMs : undefined
    return this.#online(nowMs)
  }

  #tick(nowMs: number): MembershipEffect[] {
    const lateMs = nowMs - this.#lastTickMs - TICK_MS
    this.#lastTickMs = nowMs
    if (lateMs > TICK_SLACK_MS) {
      this.#missedTicks = Math.min(MAX_MISSED_TICKS, this.#missedTicks + Math.ceil(lateMs / TICK_MS))
      this.#forgive(lateMs, nowMs)
    } else if (this.#missedTicks > 0) {
      this.#missedTicks--
    }
    if (this.#isOffline) return []
    const suspected: (readonly [NodeId, Life, DeathReason])[] = []
    let isAnyoneHeard = false
    for (const [node, life] of this.#lives) {
      if (!life.isAlive) continue
      const reason = this.#suspicion(life, nowMs)
      if (reason) suspected.push([node, life, reason])
      // Somebody who speaks, or spoke well after our socket was lost, shows that the network is there.
      const isRecent = nowMs - life.heardMs <= RECENT_MS
      if (isRecent || life.heardMs > this.#serverDownMs + SILENT_LIMIT_MS) isAnyoneHeard = true
    }
    if (suspected.length > 0 && !this.#isServerUp && !isAnyoneHeard) {
      this.#isOffline = true
      return [{ type: 'connectivity', isOffline: true }]
    }
    return suspected.map(([node, life, reason]) => this.#kill(node, life, reason))
  }

  #suspicion(life: Life, nowMs: number): DeathReason | undefined {
    const factor = 1 + this.#missedTicks
    if (nowMs - life.heardMs > SILENT_LIMIT_MS * factor) return 'silent'
    if (life.closedMs === undefined || !this.#isServerUp) return undefined
    return nowMs - Math.max(life.heardMs, life.closedMs) > CLOSED_LIMIT_MS * factor ? 'closed' : undefined
  }

  /** Time in which we could not listen is no silence of others. */
  #forgive(ms: number, nowMs: number): void {
    for (const life of this.#lives.values()) {
      life.heardMs = Math.min(nowMs, life.heardMs + ms)
      if (life.closedMs !== undefined) life.closedMs = Math.min(nowMs, life.closedMs + ms)
    }
  }

  #online(nowMs: number): MembershipEffect[] {
    if (!this.#isOffline) return []
    this.#isOffline = false
    this.#forgive(Number.POSITIVE_INFINITY, nowMs)
    return [{ type: 'connectivity', isOffline: false }]
  }

  #kill(node: NodeId, life: Life, reason: DeathReason): MembershipEffect {
    life.isAlive = false
    life.isLinked = false
    life.closedMs = undefined
    // To the end of the map: the longest dead stand first.
    this.#lives.delete(node)
    this.#lives.set(node, life)
    this.#forgetOldest()
    return { type: 'dead', node, session: life.session, reason }
  }

  #forgetOldest(): void {
    if (this.#lives.size <= REMEMBERED_DEAD) return
    for (const [node, life] of this.#lives) {
      if (life.isAlive) continue
      this.#lives.delete(node)
      return
    }
  }
}
