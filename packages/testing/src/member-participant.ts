import { createMembership } from '@shoal/control-store'
import type { DeathReason, Membership } from '@shoal/control-store'
import type { NodeId, NodeMessage, Session } from '@shoal/protocol'
import { createOverlay } from '@shoal/transport'
import type { LinkStats, Overlay, OverlayHandlers } from '@shoal/transport'
import type { SimParticipant, SimPorts } from './sim-world.ts'

export interface Verdict {
  readonly atMs: number
  readonly by: SimPorts
  readonly node: NodeId
  readonly session: Session
  readonly reason: DeathReason
}

/** What a life tells its room. */
export interface MemberEvents {
  verdict(verdict: Verdict): void
  alive(by: MemberParticipant, node: NodeId, session: Session): void
  message(by: MemberParticipant, from: NodeId, message: NodeMessage): void
  /** Somebody has given the life up. */
  over(life: MemberParticipant): void
}

/** One life of a node that is a member and nothing else: an overlay and a membership, joined as the node joins them. */
export class MemberParticipant implements SimParticipant {
  readonly ports: SimPorts
  readonly #overlay: Overlay
  readonly #membership: Membership

  /** `lateMs`: so much later than the membership's the overlay's clock ticks, as timers of a browser drift apart. */
  constructor(ports: SimPorts, events: MemberEvents, lateMs: number) {
    this.ports = ports
    const overlay = createOverlay({ ...ports, self: ports })
    const membership: Membership = createMembership({
      clock: ports.clock,
      self: ports.node,
      log: ports.log,
      handlers: {
        alive: (node, session) => events.alive(this, node, session),
        dead: (node, session, reason) => {
          overlay.forget(node, session)
          events.verdict({ atMs: ports.clock.now(), by: ports, node, session, reason })
        },
        doubt: (node, session, why) => overlay.doubt(node, session, why),
        refused: (node, session) => overlay.forget(node, session),
        connectivity() {},
      },
    })
    this.#overlay = overlay
    this.#membership = membership
    const handlers: OverlayHandlers = {
      member() {},
      linked: (peer) => membership.linked(peer.node, peer.session, peer.isNeighbour),
      unlinked: (node, session) => membership.unlinked(node, session),
      goodbye: (node, session) => membership.goodbye(node, session),
      accused: (node, session, why) => membership.accused(node, session, why),
      heard: (node, session) => membership.heard(node, session),
      hint: (node, session, state) => membership.hint(node, session, state),
      over: () => events.over(this),
      message: (from, message) => events.message(this, from, message),
      bulk() {},
    }
    if (lateMs === 0) overlay.start(handlers)
    else ports.clock.after(lateMs, () => overlay.start(handlers))
  }

  get node(): NodeId {
    return this.ports.node
  }

  alive(): readonly NodeId[] {
    return this.#membership.alive()
  }

  sessionOf(node: NodeId): Session | undefined {
    return this.#membership.sessionOf(node)
  }

  send(to: NodeId, message: NodeMessage): void {
    this.#overlay.send(to, message)
  }

  neighbours(): readonly NodeId[] {
    return this.#overlay.peers().flatMap((peer) => (peer.isNeighbour ? [peer.node] : []))
  }

  /** Bytes that went out over all links. */
  bytesSent(): number {
    const statsOf = (node: NodeId): LinkStats | undefined => this.#overlay.stats(node)
    return this.#overlay.peers().reduce((sum, { node }) => sum + (statsOf(node)?.bytesSent ?? 0), 0)
  }

  close(reason: 'left' | 'closed' | 'reload'): void {
    this.#membership.close()
    this.#overlay.close(reason)
  }
}
