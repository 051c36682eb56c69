import type { LinkState, NodeId, Session } from '@shoal/protocol'

/** Somebody's word on one link of its own. */
export interface LinkWord {
  readonly session: Session
  readonly state: LinkState
}

/** One node's newest report. */
export interface NodeLinks {
  readonly session: Session
  readonly version: number
  readonly links: ReadonlyMap<NodeId, LinkWord>
}

/** A way to a node: over which neighbour, and how many links in all. */
export interface Way {
  readonly session: Session
  readonly first: NodeId
  readonly hops: number
}

/** What all say of a session that no way leads to. */
export type Accusation = Exclude<LinkState, 'linked' | 'lost'>

/**
 * The room's links as everybody reports them, and what follows from them; pure. A node lives, for the rest of the
 * room, while a chain of nodes that begins here hears it: two dead ones that vouch for each other hang on nobody, and
 * a broken link is a detour. It is accused when no chain is left, somebody on a chain says that it fell silent, and
 * nobody on a chain is still waiting for it: the vote of its link neighbours, without a round of questions.
 */
export class LinkMap {
  readonly #self: NodeId
  readonly #selfSession: Session
  readonly #reports = new Map<NodeId, NodeLinks>()
  readonly #own = new Map<NodeId, LinkWord>()
  #version = 0

  constructor(self: NodeId, session: Session) {
    this.#self = self
    this.#selfSession = session
  }

  get own(): ReadonlyMap<NodeId, LinkWord> {
    return this.#own
  }

  /** Our own word; false when it says nothing new. */
  say(node: NodeId, word: LinkWord | undefined): boolean {
    const before = this.#own.get(node)
    if (before?.session === word?.session && before?.state === word?.state) return false
    if (word === undefined) this.#own.delete(node)
    else this.#own.set(node, word)
    return true
  }

  /** Counts our next report. */
  nextVersion(): number {
    return ++this.#version
  }

  report(node: NodeId): NodeLinks | undefined {
    if (node === this.#self) return { session: this.#selfSession, version: this.#version, links: this.#own }
    return this.#reports.get(node)
  }

  nodes(): readonly NodeId[] {
    return [...this.#reports.keys()]
  }

  isNews(node: NodeId, session: Session, version: number): boolean {
    const known = this.report(node)
    if (known === undefined) return true
    return session > known.session || (session === known.session && version > known.version)
  }

  take(node: NodeId, report: NodeLinks): void {
    this.#reports.set(node, report)
  }

  /** What that session said counts no longer. */
  forget(node: NodeId, session: Session): void {
    const known = this.#reports.get(node)
    if (known !== undefined && known.session <= session) this.#reports.delete(node)
  }

  /** A way to everybody to whom there is one, the shortest; `without` leaves our own link to one node out. */
  ways(without?: NodeId): Map<NodeId, Way> {
    const ways = new Map<NodeId, Way>()
    for (const [node, { session, state }] of this.#own) {
      if (state === 'linked' && node !== without) ways.set(node, { session, first: node, hops: 1 })
    }
    // A Map hands out what is added while it is gone through, so nearer ones come first.
    for (const [from, { session: speaker, first, hops }] of ways) {
      const report = this.#reports.get(from)
      if (report?.session !== speaker) continue
      for (const [node, { session, state }] of report.links) {
        if (state !== 'linked' || node === this.#self || ways.has(node)) continue
        // Only what the node's own key says: nobody can end a session by listing a higher one.
        if (this.#reports.get(node)?.session === session) ways.set(node, { session, first, hops: hops + 1 })
      }
    }
    return ways
  }

  /** What is said of sessions that no way leads to, by those to whom there is one and by ourselves. */
  accused(ways: ReadonlyMap<NodeId, Way>): Map<NodeId, { readonly session: Session; readonly why: Accusation }> {
    const accused = new Map<NodeId, { session: Session; why: Accusation }>()
    const waitedFor = new Map<NodeId, Session>()
    const hear = (links: ReadonlyMap<NodeId, LinkWord>): void => {
      for (const [node, { session, state }] of links) {
        if (node === this.#self || state === 'linked') continue
        // A goodbye is the node's own word: it ends the session though others have not heard of it yet.
        const isReached = ways.get(node)?.session === session
        if (isReached && state !== 'goodbye') continue
        if (state === 'lost') {
          waitedFor.set(node, Math.max(session, waitedFor.get(node) ?? 0))
          continue
        }
        const before = accused.get(node)
        if (before !== undefined && (before.session > session || before.why === 'goodbye')) continue
        accused.set(node, { session, why: state })
      }
    }
    hear(this.#own)
    for (const [node, { session }] of ways) {
      const report = this.#reports.get(node)
      if (report?.session === session) hear(report.links)
    }
    for (const [node, session] of waitedFor) {
      const found = accused.get(node)
      if (found !== undefined && found.why !== 'goodbye' && found.session <= session) accused.delete(node)
    }
    return accused
  }

  /** Somebody on a way still hears that session; who, or undefined. */
  voucherOf(node: NodeId, session: Session, ways: ReadonlyMap<NodeId, Way>): NodeId | undefined {
    for (const witness of ways.keys()) {
      const word = this.#reports.get(witness)?.links.get(node)
      if (word?.state === 'linked' && word.session === session) return witness
    }
    return undefined
  }
}
