import { RecentMap } from '@shoal/base'
import type { ActorFacts, ActorOptionsRecord } from '@shoal/protocol'

/** Classes whose facts are known: of all rooms and sessions, since what is the same may be one. */
const known = new RecentMap<string, ActorFacts>(128)

/**
 * The same options, but what a handle knows of the class is one object for all actors of it: their templates are kept by the
 * thousand, and each came with a copy of its own. Nobody may change it.
 */
export function withSharedFacts<T extends ActorOptionsRecord | undefined>(options: T): T {
  if (options === undefined) return options
  // Numbers as text: JSON has no Infinity.
  const key = JSON.stringify(options.facts, (_, value: unknown) => (typeof value === 'number' ? String(value) : value))
  const facts = known.get(key) ?? options.facts
  known.set(key, facts)
  return { ...options, facts }
}
