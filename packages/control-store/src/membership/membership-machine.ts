// Long because what a verdict waits for is one machine, whose every event may change every other one's meaning.
import type { NodeId, Session } from '@shoal/protocol'

/** How often the machine wants to be told the time. */
export const TICK_MS = 250
/** Silence after which a session is dead, once the signaling server saw its socket close... */
export const CLOSED_LIMIT_MS = 1_000
/** ...and without such a hint. */
export const SILENT_LIMIT_MS = 5_000
/** Who was heard within this still speaks: some heartbeats, and less than any limit for silence. */
const RECENT_MS = 2_000
/** So many that the server sees and we do not hear are not all gone at once: we are. */
const CUT_OFF_FROM = 2
/** Lifeguard's bound for the multiplier (Dadgar, Phillips, Currey, "Lifeguard: SWIM-ing with situational awareness", 2017). */
const MAX_MISSED_TICKS = 8
/** Lateness of a tick that counts as none: timers are never exact. */
const TICK_SLACK_MS = TICK_MS / 2
/** Dead nodes whose last session is remembered; the longest dead is forgotten first. */
const REMEMBERED_DEAD = 4_096

/** goodbye: it said so. closed: its socket closed and it fell silent. silent: nothing for too long. replaced: a higher session came. */
export type DeathReason = 'goodbye' | 'closed' | 'silent' | 'replaced'

/** A goodbye that others heard, of one whose link to us stands, is believed when it stays silent from then on: beats come four times a second. */
const PARTING_FROM_MS = 100
const PARTING_UNTIL_MS = 300

/** unsure: nothing was heard, but we are slow ourselves: no vote for either side. */
export type Doubt = 'silent' | 'closed' | 'unsure'

export type MembershipEvent =
  | { readonly type: 'unlinked' | 'heard' | 'goodbye'; readonly node: NodeId; readonly session: Session }
  | { readonly type: 'linked'; readonly node: NodeId; readonly session: Session; readonly isNeighbour: boolean }
  /** As in the overlay: nobody on any path hears it or waits for it, and somebody says why. */
  | {
      readonly type: 'accused'
      readonly node: NodeId
      readonly session: Session
      readonly why: 'silent' | 'closed' | 'goodbye'
    }
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
  /** Our vote: a neighbour was not heard for too long; undefined: it was again. */
  | { readonly type: 'doubt'; readonly node: NodeId; readonly session: Session; readonly why: Doubt | undefined }
  /** A session that is over spoke; whoever carried it in should drop it. */
  | { readonly type: 'refused'; readonly node: NodeId; readonly session: Session }
  | { readonly type: 'connectivity'; readonly isOffline: boolean }

interface Life {
  readonly session: Session
  isAlive: boolean
  /** Since when there is no path to it. */
  unlinkedMs: number | undefined
  isNeighbour: boolean
  /** It was our neighbour, and we have not said yet that it fell silent. */
  isOurs: boolean
  doubt: Doubt | undefined
  /** When anything was last heard, on our clock less the time during which we could not listen. */
  heardMs: number
  /** The same, without that. */
  spokeMs: number
  /** When others told that it said goodbye. */
  partingMs: number | undefined
  /** When the signaling server saw its socket close; undefined: it did not, or saw it open again, or we left the server. */
  closedMs: number | undefined
}

/**
 * Verdicts about sessions, as a pure machine: `step` takes what happened and when, and gives back what follows.
 *
 *   (unknown) -linked-> alive -goodbye | accused | no path for too long-> dead -linked with a higher session-> alive ...
 *
 * We judge our link neighbours alone, by silence, and say so as a doubt; the overlay brings everybody's doubts together.
 * While anybody on a path hears the node, or still waits for it, nothing more follows: `accused` is the vote of all its
 * neighbours. Who has no path and is not accused either, as those who could do so are gone, is dead after the same time.
 *
 * Sessions never go down: of a node only one life is kept, and older ones are refused. Being our own observer: time in
 * which our ticks did not come is no silence of others, and each missed tick multiplies our limits for a while; what we
 * did not hear meanwhile makes us unsure, so that a slow one neither accuses nor holds the others up. When the server
 * and all peers fell silent together, or we hear none of several whose sockets the server sees, it is us: offline, no
 * verdicts.
 */
export class MembershipMachine {
  readonly #self: NodeId
  readonly #lives = new Map<NodeId, Life>()
  #lastTickMs: number
  #missedTicks = 0
  #isServerUp = false
  /** When our socket went down; nobody heard for long after it means that our network went, not theirs. */
  #serverDownMs = Number.NEGATIVE_INFINITY
  /** Whose sockets the server, to which we are connected, sees open. */
  readonly #present = new Map<NodeId, Session>()
  #isOffline = false
  /** ...though the server is there: it sees the sockets of those whom we do not hear. */
  #isCutOff = false

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
    if (this.isRefused(node, session)) return event.type === 'accused' ? [] : [{ type: 'refused', node, session }]
    switch (event.type) {
      case 'linked':
        return this.#linked(node, session, event.isNeighbour, nowMs)
      case 'heard':
        return this.#heard(node, session, nowMs)
      case 'unlinked':
        return this.#unlinked(node, session, nowMs)
      case 'accused':
        return this.#accused(node, session, event.why, nowMs)
      case 'goodbye':
        return this.#goodbye(node, session, nowMs)
    }
  }

  #linked(node: NodeId, session: Session, isNeighbour: boolean, nowMs: number): MembershipEffect[] {
    const known = this.#lives.get(node)
    const effects: MembershipEffect[] = []
    let life = known
    if (life?.session !== session) {
      if (life?.isAlive) effects.push({ type: 'dead', node, session: life.session, reason: 'replaced' })
      this.#lives.delete(node)
      this.#lives.set(node, (life = newLife(session, nowMs)))
      effects.push({ type: 'alive', node, session })
    }
    life.unlinkedMs = undefined
    life.isNeighbour = isNeighbour
    // Whoever else hears it judges now: our link may have been ended as needless.
    life.isOurs = isNeighbour
    if (!isNeighbour) life.doubt = undefined
    if (!isNeighbour) return effects
    return [...effects, ...this.#heard(node, session, nowMs)]
  }

  #heard(node: NodeId, session: Session, nowMs: number): MembershipEffect[] {
    const life = this.#lives.get(node)
    if (life?.session !== session) return []
    life.heardMs = life.spokeMs = nowMs
    if (life.partingMs !== undefined && nowMs - life.partingMs > PARTING_FROM_MS) life.partingMs = undefined
    const effects = this.#online(nowMs)
    if (life.doubt === undefined) return effects
    life.doubt = undefined
    if (life.isNeighbour) life.isOurs = true
    return [...effects, { type: 'doubt', node, session, why: undefined }]
  }

  #unlinked(node: NodeId, session: Session, nowMs: number): MembershipEffect[] {
    // A broken link is a detour, not a death, and no path at all may be a moment between two: only silence decides.
    const life = this.#lives.get(node)
    if (life?.session !== session) return []
    life.isNeighbour = false
    life.unlinkedMs ??= nowMs
    return []
  }

  #accused(node: NodeId, session: Session, why: Exclude<DeathReason, 'replaced'>, nowMs: number): MembershipEffect[] {
    const life = this.#lives.get(node)
    if (life?.session !== session || this.#isOffline) return []
    // It may be that its word to us is still under way, or that somebody made it up.
    if (why === 'goodbye' && life.isNeighbour) {
      life.partingMs ??= nowMs
      return []
    }
    return [this.#kill(node, life, why)]
  }

  #goodbye(node: NodeId, session: Session, nowMs: number): MembershipEffect[] {
    const known = this.#lives.get(node)
    if (known?.session === session) return [this.#kill(node, known, 'goodbye')]
    // Of a life that we never met: remembered, so that what is still on its way from it is refused.
    const life = newLife(session, nowMs)
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
      this.#present.clear()
      return []
    }
    this.#isServerUp = true
    const life = node === undefined ? undefined : this.#lives.get(node)
    if (life?.session === session) life.closedMs = state === 'closed' ? nowMs : undefined
    if (node !== undefined && node !== this.#self) {
      if (state === 'present') this.#present.set(node, session)
      else if (this.#present.get(node) === session) this.#present.delete(node)
    }
    return this.#isCutOff ? [] : this.#online(nowMs)
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
    if (this.#isOffline && !this.#isCutOff) return []
    const effects: MembershipEffect[] = []
    const overdue: (readonly [NodeId, Life, Exclude<DeathReason, 'replaced'>])[] = []
    let isAnyoneHeard = false
    let heardSinceDown = false
    let present = 0
    for (const [node, life] of this.#lives) {
      if (!life.isAlive) continue
      if (this.#present.get(node) === life.session) present++
      const { session } = life
      const why = this.#doubt(life, nowMs)
      if (why !== undefined && why !== life.doubt) effects.push({ type: 'doubt', node, session, why })
      const reason = this.#overdue(life, nowMs)
      if (reason !== undefined) overdue.push([node, life, reason])
      // Somebody who speaks, or spoke well after our socket was lost, shows that the network is there.
      isAnyoneHeard ||= nowMs - life.heardMs <= RECENT_MS
      heardSinceDown ||= life.heardMs > this.#serverDownMs + SILENT_LIMIT_MS
    }
    const seesOthers = this.#isServerUp && present >= CUT_OFF_FROM
    // From when there are no such others any more everybody has the full time again.
    if (this.#isCutOff) return seesOthers ? [] : this.#online(nowMs)
    const isSilent = effects.length + overdue.length > 0 && !isAnyoneHeard
    if (isSilent && (seesOthers || (!this.#isServerUp && !heardSinceDown))) {
      this.#isOffline = true
      this.#isCutOff = seesOthers
      return [{ type: 'connectivity', isOffline: true }]
    }
    for (const effect of effects) if (effect.type === 'doubt') this.#say(effect.node, effect.why)
    return [...effects, ...overdue.map(([node, life, reason]) => this.#kill(node, life, reason))]
  }

  #say(node: NodeId, why: Doubt | undefined): void {
    const life = this.#lives.get(node)
    if (life === undefined) return
    life.doubt = why
    if (why !== 'unsure') life.isOurs = false
  }

  /** Whether a neighbour, or one that was until a moment ago, has been silent for too long. */
  #doubt(life: Life, nowMs: number): Doubt | undefined {
    if (!life.isOurs) return undefined
    const why = this.#silence(life, life.heardMs, 1 + this.#missedTicks, nowMs)
    if (why !== undefined) return why
    return this.#silence(life, life.spokeMs, 1, nowMs) === undefined ? undefined : 'unsure'
  }

  /** Why a node is dead though nobody accuses it. */
  #overdue(life: Life, nowMs: number): Exclude<DeathReason, 'replaced'> | undefined {
    if (life.partingMs !== undefined && nowMs - life.partingMs >= PARTING_UNTIL_MS - TICK_SLACK_MS) return 'goodbye'
    if (life.unlinkedMs === undefined) return undefined
    return this.#silence(life, Math.max(life.heardMs, life.unlinkedMs), 1 + this.#missedTicks, nowMs)
  }

  #silence(life: Life, sinceMs: number, factor: number, nowMs: number): 'silent' | 'closed' | undefined {
    if (nowMs - sinceMs > SILENT_LIMIT_MS * factor) return 'silent'
    if (life.closedMs === undefined || !this.#isServerUp) return undefined
    return nowMs - Math.max(sinceMs, life.closedMs) > CLOSED_LIMIT_MS * factor ? 'closed' : undefined
  }

  /** Time in which we could not listen is no silence of others. */
  #forgive(ms: number, nowMs: number): void {
    for (const life of this.#lives.values()) {
      life.heardMs = Math.min(nowMs, life.heardMs + ms)
      if (life.closedMs !== undefined) life.closedMs = Math.min(nowMs, life.closedMs + ms)
      if (life.unlinkedMs !== undefined) life.unlinkedMs = Math.min(nowMs, life.unlinkedMs + ms)
      if (life.partingMs !== undefined) life.partingMs = Math.min(nowMs, life.partingMs + ms)
    }
  }

  #online(nowMs: number): MembershipEffect[] {
    if (!this.#isOffline) return []
    this.#isOffline = this.#isCutOff = false
    this.#forgive(Number.POSITIVE_INFINITY, nowMs)
    return [{ type: 'connectivity', isOffline: false }]
  }

  #kill(node: NodeId, life: Life, reason: DeathReason): MembershipEffect {
    life.isAlive = life.isNeighbour = life.isOurs = false
    life.closedMs = life.unlinkedMs = life.partingMs = life.doubt = undefined
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

function newLife(session: Session, nowMs: number): Life {
  return {
    session,
    isAlive: true,
    unlinkedMs: undefined,
    isNeighbour: false,
    isOurs: false,
    doubt: undefined,
    heardMs: nowMs,
    spokeMs: nowMs,
    partingMs: undefined,
    closedMs: undefined,
  }
}
