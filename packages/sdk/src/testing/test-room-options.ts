import { offeredResources } from '@shoal/core-worker'
import type { SoftwareGpu } from '@shoal/executor'
import type { ResourceSet } from '@shoal/protocol'
import type { InitOptions } from '../session-types.ts'

/** One tab of a test room. It offers what it says as in `init`; no GPUs, and 2 GiB of memory, are the default. */
export interface TestTabOptions extends Pick<InitOptions, 'numGpus' | 'memoryBytes' | 'resources'> {
  /** Tasks of one CPU that it runs at a time; with 0 only those that ask for none. Default: the room's `workers`. */
  readonly workers?: number
  /** Stands for its GPU: a function that does what the shaders would. The tab then offers one, unless `numGpus` says otherwise. */
  readonly gpu?: SoftwareGpu
  /** False: nothing of other tabs runs here. Default: true. */
  readonly lend?: boolean
  /** What others see. Default: `tab 0`, `tab 1` ... */
  readonly name?: string
}

/** What a test room is made of. */
export interface TestRoomOptions {
  /** How many tabs, or one entry a tab. Default: 1. */
  readonly tabs?: number | readonly TestTabOptions[]
  /** Workers of each tab that does not say it itself. Default: 1. */
  readonly workers?: number
  /** How many of the tabs may submit, from the first on. Default: 1. */
  readonly drivers?: number
  /**
   * real: the process's time, whatever timers the test fakes. manual: time stands still until `room.advance(ms)`, for the
   * tasks' own timers too. Default: real.
   */
  readonly clock?: 'real' | 'manual'
  /** Decides the tabs' keys, and by them `Math.random` in tasks: the same seed gives the same numbers. Default: chance. */
  readonly seed?: number
  /** False: nothing is printed; what tasks write to their console is in `room.lines` in any case. Default: true. */
  readonly console?: boolean
  /** False: `remote`, `get` and the other functions of '@shoal/sdk' do not go to this room. Default: true. */
  readonly install?: boolean
  /** True: `close()` also fails for ObjectRefs of drivers that were not released. Default: false. */
  readonly mustReleaseRefs?: boolean
}

interface TestTab extends Required<Pick<TestTabOptions, 'workers' | 'lend' | 'name'>> {
  /** What it has beside its CPUs. */
  readonly resources: ResourceSet
  readonly gpu: SoftwareGpu | undefined
}

/** The options with their defaults. */
export interface ResolvedTestRoom {
  readonly tabs: readonly TestTab[]
  readonly drivers: number
  readonly clock: 'real' | 'manual'
  readonly seed: number | undefined
  readonly console: boolean
  readonly install: boolean
  readonly mustReleaseRefs: boolean
}

const MOST_TABS = 32
const KNOWN = ['tabs', 'workers', 'drivers', 'clock', 'seed', 'console', 'install', 'mustReleaseRefs']
const KNOWN_OF_TAB = ['workers', 'lend', 'name', 'numGpus', 'memoryBytes', 'resources', 'gpu']
const MEMORY_BYTES = 2 * 1024 ** 3

/** @throws TypeError or RangeError naming the option. */
export function resolveTestRoom(options: TestRoomOptions): ResolvedTestRoom {
  refuseUnknown(options, KNOWN)
  const { clock = 'real', seed } = options
  if (clock !== 'real' && clock !== 'manual') throw new RangeError(`clock must be real or manual, got ${String(clock)}`)
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw new RangeError(`seed must be a whole number, got ${seed}`)
  const workers = whole('workers', options.workers ?? 1, 256)
  const given = options.tabs ?? 1
  const entries = Array.isArray(given)
    ? (given as readonly TestTabOptions[])
    : Array.from({ length: whole('tabs', given as number, MOST_TABS) }, (): TestTabOptions => ({}))
  whole('tabs', entries.length, MOST_TABS)
  const tabs = entries.map((tab, index) => {
    refuseUnknown(tab, KNOWN_OF_TAB)
    return {
      workers: whole(`tabs[${index}].workers`, tab.workers ?? workers, 256, 0),
      resources: offeredResources({ memoryBytes: MEMORY_BYTES, ...(tab.gpu && { numGpus: 1 }), ...tab }),
      gpu: tab.gpu,
      lend: tab.lend ?? true,
      name: tab.name ?? `tab ${index}`,
    }
  })
  return {
    tabs,
    drivers: whole('drivers', options.drivers ?? 1, tabs.length),
    clock,
    seed,
    console: options.console ?? true,
    install: options.install ?? true,
    mustReleaseRefs: options.mustReleaseRefs ?? false,
  }
}

function refuseUnknown(options: object, known: readonly string[]): void {
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw new TypeError(`unknown option ${key}; known are ${known.join(', ')}`)
}

function whole(option: string, value: number, most: number, least = 1): number {
  if (typeof value !== 'number') throw new TypeError(`${option} must be a number`)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${option} must be a whole number from ${least} to ${most}, got ${value}`)
  return value
}
