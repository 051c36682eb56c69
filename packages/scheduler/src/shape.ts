import { ANY_NODE, formatObjectId, showId, showLabels, showResources, unitsOf } from '@shoal/protocol'
import type { ResourceSet, TaskShape } from '@shoal/protocol'

/**
 * What work asks for and how it is placed: tasks of one shape queue together, and credits are for a shape. Made once a
 * template, never a task.
 */
export interface WorkShape extends TaskShape {
  /** Equal for equal shapes, on every node. */
  readonly key: string
}

/**
 * @example
 * const shape = workShape({ resources: toResourceSet({ CPU: 1, camera: 0.5 }), strategy: 'SPREAD' })
 */
export function workShape({
  resources,
  strategy,
  labels = ANY_NODE,
  bundle,
}: Omit<TaskShape, 'labels' | 'bundle'> & Partial<TaskShape>): WorkShape {
  // Names are the user's: only quoting tells two of them from one that has the other's amount in it.
  const amounts = JSON.stringify(resources.map(({ name, units }) => [name, units]))
  const where = hasTerms(labels) ? JSON.stringify(labels) : ''
  const inside = bundle === undefined ? '' : ` ${formatObjectId(bundle.group)}:${bundle.bundle}`
  return { resources, strategy, labels, bundle, key: `${strategy} ${amounts}${where}${inside}` }
}

function hasTerms({ hard, soft }: TaskShape['labels']): boolean {
  return hard.length + soft.length > 0
}

/** In words for people, e.g. `1 CPU, 0.5 camera`. */
export function showShape({ resources, strategy, labels, bundle }: TaskShape): string {
  const where = labels.hard.length === 0 ? '' : ` where ${showLabels(labels.hard)}`
  return `${showResources(resources)}${strategy === 'DEFAULT' ? '' : ` (${strategy})`}${where}${bundle === undefined ? '' : ` in ${showBundle(bundle)}`}`
}

function showBundle({ group, bundle }: NonNullable<TaskShape['bundle']>): string {
  return `${bundle === 0 ? '' : `bundle ${bundle - 1} of `}the placement group ${showId(group)}`
}

/** How many of the set fit into what a node has; `unbounded` for a set that asks for nothing. */
export function fittingIn(node: ResourceSet, wanted: ResourceSet, unbounded: number): number {
  if (wanted.length === 0) return unbounded
  return Math.min(...wanted.map(({ name, units }) => Math.floor(unitsOf(node, name) / units)))
}
