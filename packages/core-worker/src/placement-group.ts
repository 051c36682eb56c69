import { isWithin, toResourceSet } from '@shoal/protocol'
import type { BundleChoice, ResourceSet, ShoalError } from '@shoal/protocol'
import type { CoreWorker } from './core-worker.ts'
import { idOf } from './object-ref.ts'
import type { ObjectRef } from './object-ref.ts'

/** In a placement group's bundles and nowhere else. Null for no group, where the task that submits captures its children. */
export interface PlacementGroupSchedulingStrategy {
  readonly placementGroup: PlacementGroup | null
  /** The bundle's place in the group. Default -1: any that has room. */
  readonly bundleIndex?: number
  /** What the work submits runs in the group too, unless it says where it runs. Default false. */
  readonly captureChildTasks?: boolean
}

/** Amounts of one bundle by name, as in `clusterResources()`: `{ CPU: 1, GPU: 0.5, memory: 2e9, camera: 1 }`. */
export type Bundle = Readonly<Record<string, number>>

/** What travels of a group inside values. */
export interface GroupContent {
  readonly ready: ObjectRef
  readonly bundles: readonly Bundle[]
}

export let groupContent: (group: PlacementGroup) => GroupContent

/**
 * Reservations in tabs of the room, made by `placementGroup()`. It can be passed to tasks and actors. The group lives until
 * it is removed or the job of its tab ends, whoever has a handle of it.
 *
 * @example
 * const pair: PlacementGroup = placementGroup([{ CPU: 1 }, { CPU: 1 }], { strategy: 'SPREAD' })
 * console.log(pair.bundleCount) // 2
 * removePlacementGroup(pair)
 */
export class PlacementGroup {
  readonly bundleSpecs: readonly Bundle[]
  readonly #ready: ObjectRef
  readonly #core: CoreWorker

  /** Made by `placementGroup()`. */
  constructor({ ready, bundles }: GroupContent, core: CoreWorker) {
    this.bundleSpecs = bundles
    this.#ready = ready
    this.#core = core
  }

  /** As `listPlacementGroups` has it, once this tab's node is up. */
  get id(): string {
    return this.#ready.id
  }

  get bundleCount(): number {
    return this.bundleSpecs.length
  }

  /** Exists once all bundles were reserved for the first time; TaskPlacementGroupRemovedError if that never was. */
  ready(): ObjectRef<null> {
    return this.#ready as ObjectRef<null>
  }

  /** Whether all bundles were reserved within that time, by default 30 s; false also for a group that was removed before. */
  async wait(timeoutMs = 30_000): Promise<boolean> {
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must not be negative, got ${timeoutMs}`)
    try {
      await this.#core.get([this.#ready], { timeoutMs })
      return true
    } catch (error) {
      if (/timeout|removed/.test((error as ShoalError).code)) return false
      throw error
    }
  }

  static {
    groupContent = (group) => ({ ready: group.#ready, bundles: group.bundleSpecs })
  }

  /** @internal */
  static is(value: unknown): value is PlacementGroup {
    return typeof value === 'object' && value !== null && #ready in value
  }
}

/** What a strategy says of a group; undefined where it names none. @throws TypeError or RangeError naming the option. */
export function bundleChoice(strategy: object, asked: ResourceSet): BundleChoice | undefined {
  if (!('placementGroup' in strategy)) return undefined
  const {
    placementGroup: group,
    bundleIndex = -1,
    captureChildTasks = false,
  } = strategy as PlacementGroupSchedulingStrategy
  if (group === null) return undefined
  if (!PlacementGroup.is(group))
    throw new TypeError('schedulingStrategy.placementGroup must be a PlacementGroup or null')
  const { bundleSpecs } = group
  const bundle = bundleSpecs[bundleIndex]
  if (bundleIndex !== -1 && bundle === undefined)
    throw new RangeError(
      `schedulingStrategy.bundleIndex must be from -1 to ${bundleSpecs.length - 1}, got ${bundleIndex}`,
    )
  if (typeof captureChildTasks !== 'boolean')
    throw new TypeError('schedulingStrategy.captureChildTasks must be true or false')
  if (!(bundle ? [bundle] : bundleSpecs).some((each) => isWithin(asked, toResourceSet(each))))
    throw new RangeError('schedulingStrategy.placementGroup: no bundle has what this asks for')
  return { group: idOf(groupContent(group).ready), bundle: Number(bundleIndex) + 1, captures: captureChildTasks }
}
