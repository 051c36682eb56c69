import { formatObjectId } from '@shoal/protocol'
import type { Lineage, LineageObject, NodeId, ObjectId, ObjectRow, Replication } from '@shoal/protocol'
import { LIMITS } from '@shoal/protocol'
import type { Entry } from '../object-entry.ts'
import type { TaskView } from './views.ts'

/** What rows of objects are made of, at one moment. */
export interface ObjectRowPorts {
  readonly self: NodeId
  /** Lineage and replication too. */
  readonly detail: boolean
  holdersOf(id: ObjectId): readonly NodeId[]
  makerOf(id: ObjectId): TaskView | undefined
  /** Of a task that is no recipe any more, while it is remembered. */
  endedName(id: ObjectId): string | undefined
  /** How often a task without an outcome needs it. */
  pendingTasks(id: ObjectId): number
  /** Undefined without a room. */
  replicated(id: ObjectId): Replication | undefined
}

/** An object that this tab answers for. */
export function objectRow(entry: Readonly<Entry>, ports: ObjectRowPorts): ObjectRow {
  const { id, state, count, recipes, borrowers } = entry
  const pendingTasks = Math.min(count, ports.pendingTasks(id))
  const hasBytes = state.kind === 'here' || state.kind === 'elsewhere'
  const locations = ports.holdersOf(id).slice(0, LIMITS.roomMembers)
  return {
    objectId: formatObjectId(id),
    ownerId: id.owner,
    answeredBy: ports.self,
    state: hasBytes ? (locations.length > 0 ? 'AVAILABLE' : 'LOST') : state.kind === 'failed' ? 'FAILED' : 'PENDING',
    sizeBytes: hasBytes ? state.bytes : undefined,
    attempt: hasBytes ? state.attempt.number : undefined,
    locations,
    referenceCounts: {
      local: Math.max(0, count - recipes - pendingTasks),
      // A node may hold it in two of its lives for a moment.
      borrowers: new Set([...(borrowers ?? [])].map(({ node }) => node)).size,
      pendingTasks,
      recipes,
    },
    taskName: ports.makerOf(id)?.template.definition.name ?? ports.endedName(id),
    lineage: ports.detail ? lineageOf(id, ports) : undefined,
    replicated: ports.detail ? ports.replicated(id) : undefined,
  }
}

/** Objects that are counted behind those that are listed; past it nobody can read the number anyway. */
const MOST_VISITED = 10_000
/** Ids of one lineage altogether: a row has to fit into a message. */
const MOST_IDS = 1_000

/** What would have to be made, or be there, to make an object again: breadth first, so that what is cut is far away. */
export function lineageOf(root: ObjectId, { makerOf }: Pick<ObjectRowPorts, 'makerOf'>): Lineage {
  const objects: LineageObject[] = []
  const seen = new Set([formatObjectId(root)])
  const open: { readonly id: ObjectId; readonly depth: number }[] = [{ id: root, depth: 0 }]
  let cut = 0
  let ids = 0
  // It grows.
  for (const { id, depth } of open) {
    const maker = makerOf(id)
    const needs = maker === undefined ? [] : needsOf(maker)
    for (const need of needs) {
      const key = formatObjectId(need)
      if (seen.has(key) || seen.size >= MOST_VISITED) continue
      seen.add(key)
      open.push({ id: need, depth: depth + 1 })
    }
    const dependencies = needs.slice(0, LIMITS.stateDependencies).map(formatObjectId)
    if (objects.length >= LIMITS.stateLineage || ids + dependencies.length > MOST_IDS) {
      cut++
      continue
    }
    ids += dependencies.length
    objects.push({ objectId: formatObjectId(id), taskName: maker?.template.definition.name, dependencies, depth })
  }
  return { objects, cut }
}

/** What a task is given: its arguments that are refs, and the refs inside of the others; each once. */
export function needsOf({ dependencies, args }: Pick<TaskView, 'dependencies' | 'args'>): ObjectId[] {
  const needs = new Map<string, ObjectId>()
  for (const id of [...dependencies.map((dependency) => dependency.id), ...args.refs]) needs.set(formatObjectId(id), id)
  return [...needs.values()]
}
