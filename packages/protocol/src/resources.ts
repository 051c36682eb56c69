import type { ByteReader } from './bytes.ts'
import { LIMITS } from './limits.ts'
import { ProtocolError } from './protocol-error.ts'
import { array, string, struct, varint } from './schema.ts'
import type { Schema } from './schema.ts'

/** Amounts are counted in ten-thousandths, as in Ray, so that sums and differences are exact. */
export const UNITS_OF_ONE = 10_000

/** Ray's names for what every node may have; all others are the user's own. */
export const CPU = 'CPU'
export const GPU = 'GPU'
/** In bytes. */
export const MEMORY = 'memory'

export interface ResourceAmount {
  readonly name: string
  /** A whole number of ten-thousandths, more than 0. */
  readonly units: number
}

/** What work asks of a node, or what a node has: sorted by name, each name once, so that equal sets look alike. */
export type ResourceSet = readonly ResourceAmount[]

const list = array(struct({ name: string(LIMITS.nameBytes), units: varint }), LIMITS.resources)

/** A set in its one order; anything else is a peer's fault. */
export const resourceSet: Schema<ResourceSet> = {
  shape: `resources(${list.shape})`,
  write: (writer, value) => list.write(writer, value as ResourceAmount[]),
  read: readSet,
}

/** @throws ProtocolError */
function readSet(reader: ByteReader): ResourceSet {
  const set = list.read(reader)
  let before: string | undefined
  for (const { name, units } of set) {
    if (name === '' || (before !== undefined && name <= before))
      throw new ProtocolError('malformed', 'resources out of order')
    if (units === 0 || units > LIMITS.resourceUnits)
      throw new ProtocolError('malformed', `${units} ten-thousandths of a resource`)
    before = name
  }
  return set
}

/** Amounts by name, to the nearest ten-thousandth; what is 0 is left out. */
export function toResourceSet(amounts: Readonly<Record<string, number>>): ResourceSet {
  return Object.entries(amounts)
    .map(([name, amount]) => ({ name, units: Math.round(amount * UNITS_OF_ONE) }))
    .filter(({ units }) => units > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Amounts by name: CPUs, GPUs, bytes of memory, and the user's own. */
export function fromResourceSet(set: ResourceSet): Record<string, number> {
  return Object.fromEntries(set.map(({ name, units }) => [name, units / UNITS_OF_ONE]))
}

/** How much of one resource is in a set, in ten-thousandths. */
export function unitsOf(set: ResourceSet, name: string): number {
  return set.find((entry) => entry.name === name)?.units ?? 0
}

/** In words for people, e.g. `1 CPU, 0.5 camera`. */
export function showResources(set: ResourceSet): string {
  if (set.length === 0) return 'no resources'
  return set
    .map(({ name, units }) => `${units / UNITS_OF_ONE} ${name === MEMORY ? 'bytes of memory' : name}`)
    .join(', ')
}

/** Whether a set asks for nothing that is not in the other. */
export function isWithin(part: ResourceSet, whole: ResourceSet): boolean {
  return part.every(({ name, units }) => units <= unitsOf(whole, name))
}
