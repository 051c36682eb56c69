import { offeredResources } from '@shoal/core-worker'
import type { TabOptions } from '@shoal/node/web'
import type { ResourceSet } from '@shoal/protocol'
import type { InitOptions } from './session-types.ts'

/** In GiB, where the browser does not say. */
const USUAL_DEVICE_MEMORY = 4
const LEAST_OBJECTS = 256 * 1024 ** 2
const MOST_OBJECTS = 1024 ** 3

/**
 * What this tab offers beside its CPUs. Memory is what tasks may reserve among each other, not what the browser would
 * really give: by default half of the device's, since its system and the browser itself need theirs.
 */
export function tabResources(options: Pick<InitOptions, 'numGpus' | 'memoryBytes' | 'resources'>): ResourceSet {
  return offeredResources({ ...options, memoryBytes: options.memoryBytes ?? (deviceGiB() * 1024 ** 3) / 2 })
}

/** Chromium alone says it, rounded to a power of two, and the DOM's types do not know it. */
function deviceGiB(): number {
  return (navigator as { readonly deviceMemory?: number }).deviceMemory ?? USUAL_DEVICE_MEMORY
}

/** An eighth of what the device has, within bounds: most of a tab's memory is for what its tasks do. */
function usualObjectStore(): number {
  return Math.min(MOST_OBJECTS, Math.max(LEAST_OBJECTS, (deviceGiB() * 1024 ** 3) / 8))
}

/** What the tab is made of beside that, where the page says so: a sandbox, a node worker, room for objects, faults, the grace. */
export function partsOf({
  sandboxUrl,
  createWorker,
  namespace,
  objectStoreBytes,
  numGpus,
  debug,
}: InitOptions): Pick<
  TabOptions,
  'sandboxUrl' | 'createWorker' | 'objectStoreBytes' | 'numGpus' | 'faults' | 'graceMs' | 'namespace'
> {
  return {
    objectStoreBytes: objectStoreBytes ?? usualObjectStore(),
    ...(sandboxUrl !== undefined && { sandboxUrl: String(sandboxUrl) }),
    ...(createWorker !== undefined && { createWorker }),
    ...(namespace !== undefined && { namespace }),
    numGpus,
    ...(debug?.faults !== undefined && { faults: { rules: debug.faults, seed: debug.faultSeed ?? 1 } }),
    ...(debug?.graceMs !== undefined && { graceMs: debug.graceMs }),
  }
}
