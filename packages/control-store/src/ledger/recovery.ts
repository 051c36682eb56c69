import { compareAttempts } from '@shoal/protocol'
import type { Attempt, LedgerReport, NodeId } from '@shoal/protocol'
import type { StoredRecord } from './ledger-record.ts'

/** What all living nodes have said of a ledger. */
export interface Reports {
  /** Copies of each object's bytes. */
  readonly copies: ReadonlyMap<number, readonly Copy[]>
  /** Runs of each task, by its number: queued, running, or done with an outcome that is still to be told. */
  readonly runs: ReadonlyMap<number, readonly Run[]>
  /** Who hosts each actor, by its number. */
  readonly actors: ReadonlyMap<number, readonly Host[]>
}

export interface Copy {
  readonly node: NodeId
  readonly attempt: Attempt
  readonly bytes: number
}

export interface Host {
  readonly node: NodeId
  readonly incarnation: Attempt
}

export interface Run {
  readonly node: NodeId
  readonly attempt: Attempt
}

/** Where an object of a ledger that is taken over comes from. */
export type Source =
  | { readonly kind: 'copies'; readonly attempt: Attempt; readonly bytes: number; readonly holders: readonly NodeId[] }
  | { readonly kind: 'record'; readonly record: StoredRecord['record'] }
  /** A run is under way; without a record its outcome is all that will ever be known of it. */
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'task' }
  | { readonly kind: 'lost' }

/** Puts reports together, by what they are about. */
export function gatherReports(
  reports: ReadonlyMap<NodeId, readonly Pick<LedgerReport, 'copies' | 'runs' | 'actors'>[]>,
): Reports {
  const copies = new Map<number, Copy[]>()
  const runs = new Map<number, Run[]>()
  const actors = new Map<number, Host[]>()
  for (const [node, parts] of reports)
    for (const part of parts) {
      for (const { number, attempt, bytes } of part.copies) listOf(copies, number).push({ node, attempt, bytes })
      for (const { number, attempt } of part.runs) listOf(runs, number).push({ node, attempt })
      for (const { number, incarnation } of part.actors) listOf(actors, number).push({ node, incarnation })
    }
  return { copies, runs, actors }
}

/**
 * Nearest first: bytes that somebody has, of the latest attempt that anybody has; an outcome in a record; a run that is
 * under way; the task, which is run again. A pure function of records and reports.
 */
export function sourceOf(number: number, stored: StoredRecord | undefined, reports: Reports): Source {
  const copies = latest(reports.copies.get(number) ?? [])
  const [copy] = copies
  const record = stored?.record
  const hasOutcome = record !== undefined && (record.body.type === 'value' || record.body.type === 'failed')
  // Of one attempt an error was said before it ended, and a copy is how it did.
  const isBehind = record?.body.type === 'failed' ? 1 : 0
  if (copy !== undefined && !(hasOutcome && compareAttempts(record.attempt, copy.attempt) >= isBehind))
    return { kind: 'copies', attempt: copy.attempt, bytes: copy.bytes, holders: copies.map(({ node }) => node) }
  if (hasOutcome) return { kind: 'record', record }
  const task = record?.body.type === 'task' ? record.body.task : number
  const [run] = latest(reports.runs.get(task) ?? [])
  if (run !== undefined) return { kind: 'run', run }
  return record?.body.type === 'task' ? { kind: 'task' } : { kind: 'lost' }
}

function latest<T extends { readonly attempt: Attempt }>(items: readonly T[]): readonly T[] {
  const [first] = [...items].sort((a, b) => compareAttempts(b.attempt, a.attempt))
  return first === undefined ? [] : items.filter(({ attempt }) => compareAttempts(attempt, first.attempt) === 0)
}

function listOf<K, T>(map: Map<K, T[]>, key: K): T[] {
  let list = map.get(key)
  if (list === undefined) {
    list = []
    map.set(key, list)
  }
  return list
}
