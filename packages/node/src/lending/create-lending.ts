import type { Log } from '@shoal/base'
import { LIMITS } from '@shoal/protocol'
import type { NodeLabels } from '@shoal/protocol'
import type { Scheduler } from '@shoal/scheduler'
import type { Dispatcher } from '../dispatcher.ts'
import type { NodeOptions } from '../node-options.ts'
import { bytesOf } from '../node-status.ts'
import type { ObjectStore } from '../object-store.ts'
import type { Offered } from '../offered.ts'
import type { RoomLink } from '../room-link.ts'
import type { Work } from '../work.ts'
import { Lending } from './lending.ts'

export interface CreateLendingPorts {
  readonly log: Log
  readonly offered: Offered
  readonly scheduler: Scheduler<Work>
  readonly store: ObjectStore
  dispatcher(): Dispatcher
  link(): RoomLink | undefined
}

/** What a node says of itself in the room: its card, which changes with what it lends. */
export interface SelfCard {
  labels(): NodeLabels
  /** Writes the card. */
  introduce(): Promise<void>
  /** What it says is another than before. */
  changed(): void
}

/** A node's lending and its card, which say the same. */
export function createLending(
  node: NodeOptions,
  ports: CreateLendingPorts,
): { readonly lending: Lending; readonly card: SelfCard } {
  const { log, offered, scheduler, store, dispatcher, link } = ports
  const labels = (): NodeLabels => [...offered.labels, ...lending.labels].slice(0, LIMITS.labels)
  const introduce = async (): Promise<void> => {
    const { name, cores, agent, device = '' } = node
    const card = { name, cores, resources: [...lending.lent], labels: [...labels()], agent, device, joinedAtMs: 0 }
    await link()?.introduce(card)
  }
  const changed = (): void => {
    dispatcher().schedule({ type: 'labels', labels: labels() })
    introduce().catch((error: unknown) => log.warn('no card', { error: String(error) }))
  }
  const lending = new Lending({
    clock: node.clock,
    isOn: node.isLending,
    resources: () => offered.resources,
    running: () => scheduler.othersRunning,
    traffic: () => bytesOf(link()?.traffic()),
    isFull: () => store.spilling.isFull,
    schedule: (event) => dispatcher().schedule({ type: 'lending', ...event }),
    rest: (isResting) => dispatcher().schedule({ type: 'others', mayStart: !isResting }),
    giveBack: () => dispatcher().giveBackGuests(),
    limitMemory: (bytes) => store.limit(bytes),
    introduce: changed,
    changed: () => node.onChange(),
  })
  return { lending, card: { labels, introduce, changed } }
}
