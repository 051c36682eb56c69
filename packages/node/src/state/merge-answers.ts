// Long because what each kind's rows are put together of is decided here, each kind beside the others.
import { formatObjectId } from '@shoal/protocol'
import type {
  ActorRow,
  HostFact,
  NodeId,
  NodeRow,
  ResourceSet,
  RunFact,
  StateFilter,
  StateKind,
  StateReply,
  TaskEventRow,
  TaskRow,
} from '@shoal/protocol'
import type { RoomMember } from '../room-link.ts'
import { MOST_ENDED } from './ended-tasks.ts'
import { isLate, passes } from './filter-rows.ts'
import { stepWords } from './pending-words.ts'
import { keyOf } from './run-index.ts'
import type { ClockOffset } from './clock-offsets.ts'
import { shownEvents } from './shown-events.ts'
import { shownRow } from './shown-rows.ts'
import { addSummary, moveRunning, toSummary } from './summary-rows.ts'
import type { StateCounts } from './summary-rows.ts'
import { isAway, refined } from './task-rows.ts'

/** One node's answer; its own first. */
export interface Part {
  readonly from: NodeId
  readonly reply: Omit<StateReply, 'query'>
}

export interface MergePorts {
  readonly self: NodeId
  nameOf(node: NodeId): string
  answerer(owner: NodeId): NodeId
  /** What another tab's clock is ahead of this one's, and by how much that may be wrong. */
  clockOf(node: NodeId): ClockOffset
  readonly members: readonly RoomMember[]
}

/** Rows of all nodes as one list, and what is to be said about it. */
export interface StateRows {
  readonly rows: readonly object[]
  /** Rows there are, before filters. */
  readonly total: number
  /** Rows that pass the filters, shown or not. */
  readonly numFiltered: number
  readonly isTruncated: boolean
  readonly missing: readonly NodeId[]
  readonly warnings: readonly string[]
}

/** Nodes that have not answered, and why. */
export type Missing = ReadonlyMap<NodeId, 'late' | 'busy' | 'unlinked'>

const whyMissing = (timeoutMs: number): Readonly<Record<'late' | 'busy' | 'unlinked', string>> => ({
  late: `did not answer within ${timeoutMs} ms`,
  busy: 'was asked too often',
  unlinked: 'is not linked to this tab',
})

export interface Asked {
  readonly kind: StateKind
  readonly filters: readonly StateFilter[]
  readonly limit: number
}

/**
 * Puts the answers of the room's nodes together: a row counts only from whoever answers for it, a fact only from where the run
 * is. Pure.
 */
export function mergeAnswers(
  asked: Asked,
  parts: readonly Part[],
  missing: Missing,
  timeoutMs: number,
  ports: MergePorts,
): StateRows {
  const { kind, filters, limit } = asked
  const merged = mergeRows(kind, parts, missing, ports)
  const late = filters.filter((filter) => isLate(kind, filter))
  const kept = late.length === 0 ? merged : merged.filter((row) => passes(row, late))
  const sum = (of: (part: Part) => number): number => parts.reduce((total, part) => total + of(part), 0)
  const rows = kept.slice(0, limit)
  const isOwnCount = kind === 'summary' || kind === 'nodes' || kind === 'taskEvents'
  const numFiltered = isOwnCount ? kept.length : sum(({ reply }) => reply.matched) - (merged.length - kept.length)
  const unsent =
    kind === 'taskEvents' ? [] : parts.filter(({ reply }) => isUnsent(reply, late.length > 0 ? Infinity : limit))
  const warnings: string[] = []
  for (const [why, words] of Object.entries(whyMissing(timeoutMs))) {
    const names = [...missing].flatMap(([node, each]) => (each === why ? [ports.nameOf(node)] : []))
    if (names.length > 0) warnings.push(`${names.join(', ')} ${words}, so nothing of what it answers for is here`)
  }
  if (rows.length === limit && numFiltered > limit)
    warnings.push(`${rows.length} of ${numFiltered} rows are shown: limit is ${limit}`)
  for (const { from, reply } of unsent)
    warnings.push(`${ports.nameOf(from)} has ${reply.matched} rows, and one message held ${rowCount(reply)} of them`)
  if (unsent.length > 0 && late.length > 0)
    warnings.push(`rows that were not sent were not filtered by ${late.map(({ column }) => column).join(', ')}`)
  const forgotten = sum(({ reply }) => reply.forgotten)
  if (forgotten > 0)
    warnings.push(`${forgotten} tasks that ended earlier are not remembered: each owner keeps its last ${MOST_ENDED}`)
  const unseen = sum(({ reply }) => reply.unseen)
  if (unseen > 0) warnings.push(`${unseen} rows were not looked at: there are too many for one question`)
  return {
    rows: rows.map((row) =>
      kind === 'taskEvents' ? shownEvents(row as TaskEventRow, ports.clockOf) : shownRow(kind, row),
    ),
    total: isOwnCount ? merged.length : sum(({ reply }) => reply.total),
    numFiltered: Math.max(rows.length, numFiltered),
    isTruncated: rows.length < numFiltered || unseen > 0,
    missing: [...missing.keys()],
    warnings,
  }
}

function isUnsent(reply: Part['reply'], limit: number): boolean {
  return rowCount(reply) < Math.min(reply.matched, limit)
}

function rowCount({ answer }: Part['reply']): number {
  return answer.type === 'busy' ? 0 : answer.rows.length
}

function mergeRows(kind: StateKind, parts: readonly Part[], missing: Missing, ports: MergePorts): readonly object[] {
  switch (kind) {
    case 'tasks':
      return mergeTasks(parts, ports)
    case 'actors':
      return mergeActors(parts, ports)
    case 'objects':
      return parts.flatMap(({ from, reply: { answer } }) =>
        answer.type === 'objects' ? answer.rows.filter((row) => isOf(from, row.objectId, row.ownerId, ports)) : [],
      )
    case 'workers':
      return parts.flatMap(({ from, reply: { answer } }) =>
        answer.type === 'workers' ? answer.rows.filter(({ nodeId }) => nodeId === from) : [],
      )
    case 'placementGroups':
      return parts.flatMap(({ from, reply: { answer } }) =>
        answer.type === 'placementGroups'
          ? answer.rows.filter(({ placementGroupId }) => placementGroupId.startsWith(`${from}/`))
          : [],
      )
    case 'nodes':
      return mergeNodes(parts, missing, ports)
    case 'taskEvents':
      return parts.flatMap(({ from, reply: { answer } }) =>
        answer.type === 'taskEvents' ? answer.rows.filter(({ nodeId }) => nodeId === from) : [],
      )
    case 'summary': {
      const counts: StateCounts = new Map()
      for (const { reply } of parts) if (reply.answer.type === 'summary') addSummary(counts, reply.answer.rows)
      for (const { reply } of parts) if (reply.answer.type === 'summary') moveRunning(counts, reply.answer.running)
      return toSummary(counts)
    }
  }
}

/** Whether the node may speak for a row: it answers for the ledger that the row's id names. */
function isOf(from: NodeId, id: string, owner: NodeId, { answerer }: MergePorts): boolean {
  return answerer(owner) === from && id.startsWith(`${owner}/`)
}

function factsOf(from: NodeId, facts: readonly RunFact[], into: Map<string, RunFact>): void {
  for (const fact of facts) into.set(`${from} ${keyOf(fact.task, fact.attempt)}`, fact)
}

function mergeTasks(parts: readonly Part[], ports: MergePorts): TaskRow[] {
  const facts = new Map<string, RunFact>()
  for (const { from, reply } of parts) if (reply.answer.type === 'tasks') factsOf(from, reply.answer.facts, facts)
  return parts.flatMap(({ from, reply: { answer } }) => {
    if (answer.type !== 'tasks') return []
    return answer.rows
      .filter((row) => isOf(from, row.taskId, row.ownerId, ports))
      .map((row) => {
        if (row.nodeId === undefined || !isAway(row, from)) return row
        const fact = facts.get(`${row.nodeId} ${row.taskId} ${row.epoch}.${row.attempt}`)
        return fact === undefined
          ? row
          : { ...row, ...refined(fact, row.nodeId, stepWords(fact, ports.nameOf(row.nodeId))) }
      })
  })
}

function mergeActors(parts: readonly Part[], ports: MergePorts): ActorRow[] {
  const hosts = new Map<string, HostFact>()
  const runs = new Map<string, RunFact>()
  for (const { from, reply } of parts) {
    if (reply.answer.type !== 'actors') continue
    for (const fact of reply.answer.facts) hosts.set(`${from} ${formatObjectId(fact.actor)}`, fact)
    factsOf(from, reply.answer.runs, runs)
  }
  return parts.flatMap(({ from, reply: { answer } }) => {
    if (answer.type !== 'actors') return []
    return answer.rows
      .filter((row) => isOf(from, row.actorId, row.ownerId, ports))
      .map((row) => {
        if (row.nodeId === undefined || row.nodeId === from) return row
        const host = hosts.get(`${row.nodeId} ${row.actorId}`)
        if (row.state === 'ALIVE' && host !== undefined) {
          const { className, workerId, pendingCalls } = host
          return { ...row, className: row.className === '' ? className : row.className, workerId, pendingCalls }
        }
        const run = runs.get(`${row.nodeId} ${row.actorId} 0.0`)
        const reason = run && stepWords(run, ports.nameOf(row.nodeId))
        return reason === undefined ? row : { ...row, pendingReason: reason }
      })
  })
}

const STATE_OF_MEMBER = {
  connected: 'ALIVE',
  connecting: 'CONNECTING',
  unreachable: 'UNREACHABLE',
  incompatible: 'INCOMPATIBLE',
} as const

/** What others say of themselves, and of those that say nothing what this node knows. */
function mergeNodes(parts: readonly Part[], missing: Missing, { self, members, nameOf }: MergePorts): NodeRow[] {
  const told = parts.flatMap(({ from, reply: { answer } }) =>
    answer.type === 'nodes' ? answer.rows.filter(({ nodeId }) => nodeId === from).slice(0, 1) : [],
  )
  const rows = told.map((row): NodeRow => {
    const member = members.find(({ node }) => node === row.nodeId)
    const isSelf = row.nodeId === self
    return { ...row, isSelf, state: 'ALIVE', roundTripMs: isSelf ? undefined : member?.stats?.roundTripMs }
  })
  for (const node of missing.keys()) {
    const member = members.find((each) => each.node === node)
    if (rows.some(({ nodeId }) => nodeId === node)) continue
    rows.push({
      nodeId: node,
      name: member?.card?.name ?? nameOf(node),
      state: STATE_OF_MEMBER[member?.state ?? 'connecting'],
      isSelf: false,
      resources: member?.card?.resources ?? NOTHING,
      used: NOTHING,
      labels: member?.card?.labels ?? [],
      roundTripMs: member?.stats?.roundTripMs,
      ledgers: [],
      objectStore: undefined,
      links: [],
    })
  }
  return rows
}

const NOTHING: ResourceSet = []
