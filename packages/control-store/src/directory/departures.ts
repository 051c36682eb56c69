import { every } from '@shoal/base'
import type { Clock } from '@shoal/base'
import type { NodeId } from '@shoal/protocol'
import type { Directory } from './directory.ts'
import { subjectOf } from './entitlement.ts'

const SWEEP_MS = 5_000
/** Longer than a link takes to come up, or a tab to say that it was taken for gone. */
const UNKNOWN_MS = 30_000

export interface DeparturesOptions {
  readonly directory: Pick<Directory, 'entries' | 'retire'>
  readonly clock: Clock
  /** Alive, or on its way in. */
  readonly isKnown: (node: NodeId) => boolean
  readonly self: NodeId
}

/**
 * Retires nodes that have records and that nobody here has known for half a minute. Verdicts of death retire those whom
 * we met; one that died before we came is known to us by its records alone, which we would put back into the document
 * for as long as we live, and hand on to whoever comes later.
 */
export interface Departures {
  close(): void
}

export function createDepartures(options: DeparturesOptions): Departures {
  const { directory, clock, isKnown, self } = options
  const unknownSince = new Map<NodeId, number>()

  const timer = every(clock, SWEEP_MS, () => {
    const now = clock.now()
    const subjects = new Set<NodeId>()
    for (const [key] of directory.entries('')) {
      const subject = subjectOf(key)
      if (subject !== undefined && subject !== self && !isKnown(subject)) subjects.add(subject)
    }
    for (const node of unknownSince.keys()) if (!subjects.has(node)) unknownSince.delete(node)
    for (const node of subjects) {
      const since = unknownSince.get(node)
      if (since === undefined) unknownSince.set(node, now)
      else if (now - since >= UNKNOWN_MS) directory.retire(node)
    }
  })

  return {
    close() {
      timer.cancel()
      unknownSince.clear()
    },
  }
}
