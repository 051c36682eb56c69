import type { RefFinalizer } from '@shoal/core-worker'
import type { ObjectId } from '@shoal/protocol'

/** The collector's hints about refs; none where the runtime has no FinalizationRegistry. */
export function createCollectedRefs(collected: (id: ObjectId) => void): RefFinalizer {
  const registry = new FinalizationRegistry<ObjectId>(collected)
  return {
    register: (ref, id) => registry.register(ref, id, ref),
    unregister: (ref) => registry.unregister(ref),
  }
}
