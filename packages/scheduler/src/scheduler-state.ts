/** What the local scheduler keeps of each lane, shape and peer. */
import type { NodeLabels, ResourceSet } from '@shoal/protocol'
import type { Pool } from './bundles.ts'
import type { Demand } from './capacity.ts'
import { ReadyQueue } from './ready-queue.ts'
import type { Entry } from './ready-queue.ts'
import type { SchedulerTimer } from './scheduler-event.ts'
import type { WorkShape } from './shape.ts'
import { Turns } from './turns.ts'

export interface Lane<K> {
  /** The shape of what is in it; whatever comes next when it is empty. */
  shape: Shape<K>
  /** From where it reserves what its tasks ask for, while there are any. */
  pool: Pool
  tasks: number
  isBlocked: boolean
  isExclusive: boolean
  isOthers: boolean
  /** What others' work in it reserves of what is lent; undefined: nothing, or a bundle that does. */
  lent: Demand | undefined
}

/** What the scheduler knows of all work that asks for the same. */
export interface Shape<K> {
  readonly shape: WorkShape
  /** Where its work may run here; nowhere when there is none. */
  pools: readonly Pool[]
  /** What others' work of it takes of what is lent; in a bundle nothing, since the bundle has. */
  lent: Demand | undefined
  readonly isSpread: boolean
  readonly queue: ReadyQueue<K>
  /** Credits that peers gave us. */
  readonly credits: Map<string, number>
  /** Credits that we gave and that were neither used nor returned. */
  readonly granted: Map<string, number>
  /** Peers with a backlog. */
  readonly wanting: Map<string, number>
  /** How many such tasks each peer could run at a time; peers that could run none are not in it. */
  readonly fitting: Map<string, number>
  /** Nodes with its soft labels that could run it, this one too: while there are any, nobody else is asked. */
  readonly preferred: Set<string>
  readonly turns: Turns
  /** Peers that hear of this backlog, and of its end. */
  readonly told: Set<string>
  /** SPREAD: peers that answered this backlog, or that were waited for long enough. */
  readonly answered: Set<string>
  readonly timers: Set<SchedulerTimer>
  /** Whoever has a free slot has had the time to say so since the backlog came. */
  isSettled: boolean
  advertised: number
  /** A credit was spent since the last idle time. */
  hasSpent: boolean
  /** People were told that nobody has what it asks for. */
  isTold: boolean
  /** How often the first own task was left behind for one whose inputs were there. */
  passedOver: number
}

/** A task that may start now, and where. */
export interface Found<K> {
  readonly shape: Shape<K>
  readonly entry: Entry<K>
  readonly lane: number
}

/** What is known of another node. */
export interface PeerState {
  resources: ResourceSet | undefined
  labels: NodeLabels
  outstanding: number
  /** Between it and this tab; undefined until it was measured. */
  bytesPerMs: number | undefined
}

export function newShape<K>(shape: WorkShape, pools: readonly Pool[], lent: Demand | undefined): Shape<K> {
  return {
    shape,
    pools,
    lent,
    isSpread: shape.strategy === 'SPREAD',
    queue: new ReadyQueue(),
    credits: new Map(),
    granted: new Map(),
    wanting: new Map(),
    fitting: new Map(),
    preferred: new Set(),
    turns: new Turns(),
    told: new Set(),
    answered: new Set(),
    timers: new Set(),
    isSettled: false,
    advertised: 0,
    hasSpent: false,
    isTold: false,
    passedOver: 0,
  }
}

export interface SchedulerOptions {
  readonly self: string
  /** All that this tab has; CPUs are its slots. */
  readonly resources: ResourceSet
  /** What it says of itself beside its id. */
  readonly labels?: NodeLabels
  /** Workers there may be, suspended ones included. */
  readonly maxLanes: number
}

/** A count that is forgotten at 0. */
export function add(table: Map<string, number>, key: string, change: number): void {
  const value = (table.get(key) ?? 0) + change
  if (value <= 0) table.delete(key)
  else table.set(key, value)
}
