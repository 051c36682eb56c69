import type { ActorId, NodeId } from '@shoal/protocol'
import { compareObjectIds } from './object-order.ts'

/** A claim as its home sees it. */
export interface HomeClaim {
  readonly from: NodeId
  readonly actor: ActorId
  readonly claim: number
  readonly isHeld: boolean
}

type Holder = Pick<HomeClaim, 'from' | 'actor' | 'claim'>

export type HomeEffect =
  | { readonly type: 'ask'; readonly to: NodeId; readonly round: number }
  | { readonly type: 'answer'; readonly to: NodeId; readonly claim: number; readonly holder: ActorId }
  | { readonly type: 'lost'; readonly to: NodeId; readonly actor: ActorId; readonly winner: ActorId }

/**
 * One name at its home, for as long as that is its home.
 *
 *   gathering --all live nodes have reported what they hold--> settled --a held claim of another actor--> gathering
 *
 * While it gathers claims wait. It keeps nothing that its claimants do not know themselves, so nothing has to be handed
 * on to the next home. It knows nothing of views: whom to ask and who is gone is told to it.
 */
export class NameHome {
  #waiting: Set<NodeId> | undefined
  #reports: Holder[] = []
  #queue: HomeClaim[] = []
  #holder: Holder | undefined
  #round = 0
  readonly #limit: number
  readonly #nextRound: () => number

  /** `limit`: claims that may wait at once. `nextRound`: never the same number twice in this node's life. */
  constructor(limit: number, nextRound: () => number) {
    this.#limit = limit
    this.#nextRound = nextRound
  }

  /** Nothing to remember: the next claim may begin anew. */
  get isIdle(): boolean {
    return this.#waiting === undefined && this.#holder === undefined && this.#queue.length === 0
  }

  /** Claims that have no answer. */
  get queued(): readonly HomeClaim[] {
    return this.#queue
  }

  gather(nodes: Iterable<NodeId>): HomeEffect[] {
    this.#waiting = new Set(nodes)
    this.#reports = []
    const round = (this.#round = this.#nextRound())
    const asked = [...this.#waiting].map((to) => ({ type: 'ask', to, round }) as const)
    return [...asked, ...this.#settle()]
  }

  /** A node came while we gather: it too may hold the name. */
  came(node: NodeId): HomeEffect[] {
    if (this.#waiting === undefined || this.#waiting.has(node)) return []
    this.#waiting.add(node)
    return [{ type: 'ask', to: node, round: this.#round }]
  }

  /** A node is gone, with its claims and what it held. */
  left(node: NodeId): HomeEffect[] {
    this.#queue = this.#queue.filter(({ from }) => from !== node)
    this.#reports = this.#reports.filter(({ from }) => from !== node)
    if (this.#holder?.from === node) this.#holder = undefined
    this.#waiting?.delete(node)
    return this.#settle()
  }

  /** `others` are asked again when two hold the name. */
  claim(claim: HomeClaim, others: Iterable<NodeId>): HomeEffect[] {
    if (this.#queue.length >= this.#limit) return []
    this.#queue.push(claim)
    if (this.#waiting !== undefined) return []
    const isConflict =
      claim.isHeld && this.#holder !== undefined && compareObjectIds(this.#holder.actor, claim.actor) !== 0
    // Asked, since the holder that we know of may never have heard our answer: its claim had gone to another home by then.
    return isConflict ? this.gather(others) : this.#settle()
  }

  release(from: NodeId, claim: number): HomeEffect[] {
    const isIt = (other: Holder): boolean => other.from === from && other.claim === claim
    this.#queue = this.#queue.filter((waiting) => !isIt(waiting))
    this.#reports = this.#reports.filter((report) => !isIt(report))
    if (this.#holder !== undefined && isIt(this.#holder)) this.#holder = undefined
    return this.#settle()
  }

  report(
    from: NodeId,
    round: number,
    held: { readonly actor: ActorId; readonly claim: number } | undefined,
  ): HomeEffect[] {
    if (round !== this.#round || !this.#waiting?.delete(from)) return []
    if (held !== undefined) this.#reports.push({ from, ...held })
    return this.#settle()
  }

  #settle(): HomeEffect[] {
    if (this.#waiting !== undefined && this.#waiting.size > 0) return []
    const effects: HomeEffect[] = []
    if (this.#waiting !== undefined) {
      this.#waiting = undefined
      // After the reports, since a held claim came over the same path before its node's report.
      this.#holder = undefined
      for (const held of this.#reports.splice(0)) effects.push(...this.#hold(held))
    }
    for (const claim of this.#queue.splice(0)) {
      if (claim.isHeld) {
        effects.push(...this.#hold(claim))
        continue
      }
      this.#holder ??= claim
      effects.push({ type: 'answer', to: claim.from, claim: claim.claim, holder: this.#holder.actor })
    }
    return effects
  }

  #hold(held: Holder): HomeEffect[] {
    const known = this.#holder
    if (known === undefined || compareObjectIds(known.actor, held.actor) === 0) {
      // Of the same claimant the later claim: an older one's release must not end it.
      if (known === undefined || held.claim >= known.claim) this.#holder = held
      return []
    }
    const isLower = compareObjectIds(held.actor, known.actor) < 0
    const [winner, loser] = isLower ? [held, known] : [known, held]
    this.#holder = winner
    return [{ type: 'lost', to: loser.from, actor: loser.actor, winner: winner.actor }]
  }
}
