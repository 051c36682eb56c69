import { every } from '@shoal/base'
import type { Clock, Log } from '@shoal/base'
import type { NodeId, Session } from '@shoal/protocol'
import { MembershipMachine, TICK_MS } from './membership-machine.ts'
import type { DeathReason, Doubt, MembershipEvent } from './membership-machine.ts'

export interface MembershipHandlers {
  /** A new life: its key is proven and there is a path to it. */
  alive(node: NodeId, session: Session): void
  /** A verdict, given once a session; the overlay's `forget` belongs here. */
  dead(node: NodeId, session: Session, reason: DeathReason): void
  /** Our vote on a neighbour, for the overlay's `doubt`. */
  doubt(node: NodeId, session: Session, why: Doubt | undefined): void
  /** A session that is over spoke again: its link is to be dropped. */
  refused(node: NodeId, session: Session): void
  /** We take ourselves to be offline, or no longer: nothing is taken over meanwhile. */
  connectivity(isOffline: boolean): void
}

/** Who lives, by what the overlay reports; its methods have the names and arguments of the overlay's handlers. */
export interface Membership {
  linked(node: NodeId, session: Session, isNeighbour: boolean): void
  unlinked(node: NodeId, session: Session): void
  heard(node: NodeId, session: Session): void
  goodbye(node: NodeId, session: Session): void
  accused(node: NodeId, session: Session, why: 'silent' | 'closed' | 'goodbye'): void
  hint(node: NodeId | undefined, session: Session, state: 'closed' | 'present' | 'down'): void
  /** True for a session that is known to be over. */
  isRefused(node: NodeId, session: Session): boolean
  /** The session of a live node. */
  sessionOf(node: NodeId): Session | undefined
  /** Live nodes other than ourselves. */
  alive(): NodeId[]
  readonly isOffline: boolean
  close(): void
}

/** Gives the machine its clock, and its verdicts to the handlers. It must be made where timers are not throttled. */
export function createMembership(options: {
  readonly clock: Clock
  readonly self: NodeId
  readonly log: Log
  readonly handlers: MembershipHandlers
}): Membership {
  const { clock, self, handlers } = options
  const log = options.log.child('membership')
  const machine = new MembershipMachine(self, clock.now())
  const timer = every(clock, TICK_MS, () => step({ type: 'tick' }))
  let isClosed = false

  function step(event: MembershipEvent): void {
    if (isClosed) return
    for (const effect of machine.step(event, clock.now())) {
      if (effect.type !== 'refused' && effect.type !== 'doubt') log.info?.(`member ${effect.type}`, { ...effect })
      switch (effect.type) {
        case 'alive':
          handlers.alive(effect.node, effect.session)
          break
        case 'dead':
          handlers.dead(effect.node, effect.session, effect.reason)
          break
        case 'doubt':
          handlers.doubt(effect.node, effect.session, effect.why)
          break
        case 'refused':
          handlers.refused(effect.node, effect.session)
          break
        case 'connectivity':
          handlers.connectivity(effect.isOffline)
          break
      }
    }
  }

  return {
    linked: (node, session, isNeighbour) => step({ type: 'linked', node, session, isNeighbour }),
    unlinked: (node, session) => step({ type: 'unlinked', node, session }),
    heard: (node, session) => step({ type: 'heard', node, session }),
    accused: (node, session, why) => step({ type: 'accused', node, session, why }),
    goodbye: (node, session) => step({ type: 'goodbye', node, session }),
    hint: (node, session, state) => step({ type: 'hint', node, session, state }),
    isRefused: (node, session) => machine.isRefused(node, session),
    sessionOf: (node) => machine.sessionOf(node),
    alive: () => machine.alive(),
    get isOffline() {
      return machine.isOffline
    },
    close() {
      isClosed = true
      timer.cancel()
    },
  }
}
