import { GROUP_STRATEGIES, groupDefinition, LIMITS, TO_NODE, toResourceSet, UNITS_OF_ONE } from '@shoal/protocol'
import type { GroupStrategy } from '@shoal/protocol'
import type { CoreWorker } from './core-worker.ts'
import { actorName, refuseUnknown } from './options.ts'
import { groupContent, PlacementGroup } from './placement-group.ts'
import type { Bundle } from './placement-group.ts'

/** How a placement group's bundles lie, and how it is found. */
export interface PlacementGroupOptions {
  /**
   * PACK: in few tabs. SPREAD: in many. STRICT_PACK: in one tab. STRICT_SPREAD: each in another one. The strict ones wait
   * until it can be so. Default: PACK.
   */
  readonly strategy?: GroupStrategy
  /** Shown in lists. Default: none. */
  readonly name?: string
}

/** Placement groups are made and removed on pages; tasks and actors use those that they are given. */
export interface PlacementGroupApi {
  placementGroup(bundles: readonly Bundle[], options?: PlacementGroupOptions): PlacementGroup
  removePlacementGroup(group: PlacementGroup): void
}

/** All of them go in one record of the directory, with their places. */
const MOST_BYTES = 12_000
const MOST_OF_ONE = LIMITS.resourceUnits / UNITS_OF_ONE
const NAME = /^\P{C}{1,80}$/u

export function createPlacementGroupApi(core: () => CoreWorker): PlacementGroupApi {
  return {
    placementGroup(bundles, options = {}) {
      refuseUnknown(options, ['strategy', 'name'])
      const { strategy = 'PACK', name } = options
      if (!GROUP_STRATEGIES.includes(strategy))
        throw new RangeError(`strategy must be ${GROUP_STRATEGIES.join(', ')}, got ${JSON.stringify(strategy)}`)
      if (name !== undefined) actorName('name', name)
      checkBundles(bundles)
      const to = core()
      const ready = to.newObject()
      groupDefinition.write(to.frame.begin(TO_NODE.group), {
        number: to.idOf(ready).number,
        name: name ?? '',
        strategy,
        bundles: bundles.map(toResourceSet),
      })
      return new PlacementGroup({ ready, bundles: bundles.map((bundle) => ({ ...bundle })) }, to)
    },
    removePlacementGroup(group) {
      if (!PlacementGroup.is(group)) throw new TypeError('removePlacementGroup() takes a PlacementGroup')
      const to = core()
      const id = to.idOf(groupContent(group).ready)
      to.frame.begin(TO_NODE.groupRemove)
      to.frame.id(id)
    },
  }
}

/** @throws TypeError or RangeError naming the bundle. */
function checkBundles(bundles: readonly Bundle[]): void {
  if (!Array.isArray(bundles)) throw new TypeError('bundles must be an array of amounts by resource, e.g. [{ CPU: 1 }]')
  if (bundles.length === 0 || bundles.length > LIMITS.groupBundles)
    throw new RangeError(`bundles must be 1 to ${LIMITS.groupBundles}, got ${bundles.length}`)
  bundles.forEach((bundle: unknown, index) => {
    if (typeof bundle !== 'object' || bundle === null || Array.isArray(bundle))
      throw new TypeError(`bundles[${index}] must be amounts by resource, e.g. { CPU: 1 }`)
    const entries = Object.entries(bundle)
    if (entries.length === 0 || entries.length > LIMITS.resources)
      throw new RangeError(`bundles[${index}] must name 1 to ${LIMITS.resources} resources, got ${entries.length}`)
    for (const [name, amount] of entries) {
      const what = `bundles[${index}].${name}`
      if (!NAME.test(name)) throw new RangeError(`${what}: a name has 1 to 80 visible characters`)
      if (typeof amount !== 'number') throw new TypeError(`${what} must be a number`)
      const units = amount * UNITS_OF_ONE
      if (!(amount > 0) || amount > MOST_OF_ONE || Math.abs(units - Math.round(units)) > units * Number.EPSILON)
        throw new RangeError(`${what} must be more than 0, at most ${MOST_OF_ONE} and counted to 0.0001, got ${amount}`)
    }
  })
  if (new TextEncoder().encode(JSON.stringify(bundles)).length > MOST_BYTES)
    throw new RangeError(`bundles must be ${MOST_BYTES} bytes of text at most, all together`)
}
