import { callSiteOf } from '@shoal/core-worker'
import type { CoreWorker } from '@shoal/core-worker'
import type { StackSources } from './map-stacks.ts'
import { bundleOfVersion } from './module-bundles.ts'

/** What a page knows of the code that it submitted through a core worker. */
export function stackSourcesOf(core: () => CoreWorker): StackSources {
  return { bundle: bundleOfVersion, callSite: (mark) => callSiteOf(core().codes.known(), mark) }
}
