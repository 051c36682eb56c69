import { showResources, unitsOf } from '@shoal/protocol'
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
export function workShape({ resources, strategy }: TaskShape): WorkShape {
  // Names are the user's: only quoting tells two of them from one that has the other's amount in it.
  const key = `${strategy} ${JSON.stringify(resources.map(({ name, units }) => [name, units]))}`
  return { resources, strategy, key }
}

/** In words for people, e.g. `1 CPU, 0.5 camera`. */
export function showShape({ resources, strategy }: TaskShape): string {
  return strategy === 'DEFAULT' ? showResources(resources) : `${showResources(resources)} (${strategy})`
}

/** How many of the set fit into what a node has; `unbounded` for a set that asks for nothing. */
export function fittingIn(node: ResourceSet, wanted: ResourceSet, unbounded: number): number {
  if (wanted.length === 0) return unbounded
  return Math.min(...wanted.map(({ name, units }) => Math.floor(unitsOf(node, name) / units)))
}
