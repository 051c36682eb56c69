import { offeredResources } from '@shoal/core-worker'
import type { TabOptions } from '@shoal/node/web'
import type { ResourceSet } from '@shoal/protocol'
import type { InitOptions } from './session-types.ts'

/** In GiB, where the browser does not say. */
const USUAL_DEVICE_MEMORY = 4

/**
 * What this tab offers beside its CPUs. Memory is what tasks may reserve among each other, not what the browser would
 * really give: by default half of the device's, since its system and the browser itself need theirs.
 */
export function tabResources(options: Pick<InitOptions, 'numGpus' | 'memoryBytes' | 'resources'>): ResourceSet {
  // Chromium alone says it, rounded to a power of two, and the DOM's types do not know it.
  const deviceGiB = (navigator as { readonly deviceMemory?: number }).deviceMemory ?? USUAL_DEVICE_MEMORY
  return offeredResources({ ...options, memoryBytes: options.memoryBytes ?? (deviceGiB * 1024 ** 3) / 2 })
}

/** What the tab is made of beside that, where the page says so: a sandbox, a node worker, faults, the grace. */
export function partsOf({
  sandboxUrl,
  createWorker,
  namespace,
  debug,
}: InitOptions): Pick<TabOptions, 'sandboxUrl' | 'createWorker' | 'faults' | 'graceMs' | 'namespace'> {
  return {
    ...(sandboxUrl !== undefined && { sandboxUrl: String(sandboxUrl) }),
    ...(createWorker !== undefined && { createWorker }),
    ...(namespace !== undefined && { namespace }),
    ...(debug?.faults !== undefined && { faults: { rules: debug.faults, seed: debug.faultSeed ?? 1 } }),
    ...(debug?.graceMs !== undefined && { graceMs: debug.graceMs }),
  }
}
