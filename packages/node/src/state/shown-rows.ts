import { fromResourceSet } from '@shoal/protocol'
import type { ActorRow, NodeRow, PlacementGroupRow, StateKind, SummaryRow, TaskRow } from '@shoal/protocol'

/**
 * A row as apps see it: amounts by name, and what people look for first, since `console.table` keeps the order. Done here, so
 * that a page that never asks does not load it.
 */
export function shownRow(kind: StateKind, row: object): object {
  switch (kind) {
    case 'tasks': {
      const { taskId, name, state, pendingReason, requiredResources, ...rest } = row as TaskRow
      return { taskId, name, state, pendingReason, ...rest, requiredResources: fromResourceSet(requiredResources) }
    }
    case 'actors': {
      const { actorId, className, state, pendingReason, requiredResources, ...rest } = row as ActorRow
      return {
        actorId,
        className,
        state,
        pendingReason,
        ...rest,
        requiredResources: fromResourceSet(requiredResources),
      }
    }
    case 'nodes': {
      const { resources, used, labels, ...rest } = row as NodeRow
      return {
        ...rest,
        resources: fromResourceSet(resources),
        used: fromResourceSet(used),
        labels: Object.fromEntries(labels.map(({ key, value }) => [key, value])),
      }
    }
    case 'summary': {
      const { name, type, states } = row as SummaryRow
      return { name, type, stateCounts: Object.fromEntries(states.map(({ state, count }) => [state, count])) }
    }
    case 'placementGroups': {
      const { bundles, ...rest } = row as PlacementGroupRow
      const shown = bundles.map(({ resources, nodeId }) => ({ resources: fromResourceSet(resources), nodeId }))
      return { ...rest, bundles: shown }
    }
    case 'objects':
    case 'taskEvents':
    case 'workers':
      return row
  }
}
