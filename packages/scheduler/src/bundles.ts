import { formatObjectId } from '@shoal/protocol'
import type { ObjectId, ResourceSet } from '@shoal/protocol'
import { Capacity } from './capacity.ts'
import type { Demand } from './capacity.ts'
import { fittingIn } from './shape.ts'
import type { WorkShape } from './shape.ts'

/** A bundle of a placement group that this node sets aside. */
export interface HeldBundle {
  /** Unique on this node, of all that it ever set aside. */
  readonly key: string
  readonly group: ObjectId
  readonly index: number
  readonly resources: ResourceSet
}

/** Where a bundle of a group is. */
export interface BundlePlace {
  readonly index: number
  readonly node: string
  readonly resources: ResourceSet
}

/** From where a shape's work takes what it reserves: what the tab has, or one bundle of a group that is set aside here. */
export interface Pool {
  /** Of bundles. */
  readonly key: string | undefined
  readonly capacity: Capacity
  readonly demand: Demand
}

interface Held {
  readonly bundle: HeldBundle
  readonly capacity: Capacity
  isOpen: boolean
}

/**
 * What a scheduler knows of placement groups: bundles that are set aside here, each with a capacity of its own, and where the
 * bundles of others are. It decides nothing.
 */
export class Bundles {
  readonly #held = new Map<string, Held>()
  readonly #places = new Map<string, readonly BundlePlace[]>()

  /** Set aside; work may run in it once it is open. */
  hold(bundle: HeldBundle): void {
    this.#held.set(bundle.key, { bundle, capacity: new Capacity(bundle.resources), isOpen: false })
  }

  /** All nodes of the group have theirs. */
  open(key: string): HeldBundle | undefined {
    const held = this.#held.get(key)
    if (held === undefined) return undefined
    held.isOpen = true
    return held.bundle
  }

  /** It is not set aside any more. */
  drop(key: string): HeldBundle | undefined {
    const held = this.#held.get(key)
    this.#held.delete(key)
    return held?.bundle
  }

  capacityOf(key: string): Capacity | undefined {
    return this.#held.get(key)?.capacity
  }

  /** Where a shape's work may run here. */
  poolsOf({ bundle, resources }: WorkShape): Pool[] {
    const pools: Pool[] = []
    if (bundle === undefined) return pools
    const group = formatObjectId(bundle.group)
    for (const { bundle: held, capacity, isOpen } of this.#held.values()) {
      if (!isOpen || formatObjectId(held.group) !== group) continue
      if (bundle.bundle !== 0 && bundle.bundle !== held.index + 1) continue
      const demand = capacity.demand(resources)
      if (demand.isFeasible) pools.push({ key: held.key, capacity, demand })
    }
    return pools
  }

  /** Undefined: the group is no more, or nothing is known of it. */
  setPlaces(group: ObjectId, places: readonly BundlePlace[] | undefined): void {
    if (places === undefined) this.#places.delete(formatObjectId(group))
    else this.#places.set(formatObjectId(group), places)
  }

  /** How many of the shape another node could run at a time in bundles of its group. */
  fittingAt(node: string, { bundle, resources }: WorkShape, unbounded: number): number {
    if (bundle === undefined) return 0
    let count = 0
    for (const place of this.#places.get(formatObjectId(bundle.group)) ?? [])
      if (place.node === node && (bundle.bundle === 0 || bundle.bundle === place.index + 1))
        count += fittingIn(place.resources, resources, unbounded)
    return count
  }
}

/** The first with room for one more. */
export function roomIn(pools: readonly Pool[]): Pool | undefined {
  for (const pool of pools) if (pool.capacity.fits(pool.demand)) return pool
  return undefined
}
