import { assert } from '@shoal/base'
import { compareAttempts, messageBytes } from '@shoal/protocol'
import type { LedgerRecord, LedgerTemplate, ObjectId } from '@shoal/protocol'

/** A record beside the template that its message named; undefined for what no task is told of. */
export interface StoredRecord {
  readonly record: LedgerRecord
  readonly template: LedgerTemplate | undefined
}

/**
 * What says more of one attempt stands behind what says less. An error that is final is of an attempt behind all others; one
 * of an attempt that may still run is that of a task being cancelled, and a value that comes of it all the same stands.
 */
const RANKS = ['task', 'failed', 'stored', 'value', 'actor'] as const

/**
 * The join of two records of one object: the later attempt; of one attempt what is further on; of two tasks the one with
 * fewer retries left; of one incarnation of an actor the later checkpoint. One attempt comes to one outcome, so two of a kind are equal but for those.
 */
export function joinRecords(a: StoredRecord, b: StoredRecord): StoredRecord {
  assert(a.record.number === b.record.number, 'records of two objects cannot be joined')
  const order =
    compareAttempts(a.record.attempt, b.record.attempt) ||
    RANKS.indexOf(a.record.body.type) - RANKS.indexOf(b.record.body.type) ||
    retries(b.record) - retries(a.record) ||
    position(a.record) - position(b.record)
  return order >= 0 ? a : b
}

/** The records whose template is told beside them. */
export function hasTemplate(body: LedgerRecord['body']): body is LedgerRecord['body'] & { type: 'task' | 'actor' } {
  return body.type === 'task' || body.type === 'actor'
}

/** What a record refers to: what its task or actor is made of, or what is inside its value. */
export function recordRefs({ body }: LedgerRecord): readonly ObjectId[] {
  if (hasTemplate(body)) return [...refsOf(body), ...refsOf(checkpointOf(body))]
  return body.type === 'value' ? body.value.refs : NONE
}

const NONE: readonly ObjectId[] = []

/** Bytes of a record's arguments or value: what makes one record larger than another. */
export function recordBytes({ body }: LedgerRecord): number {
  if (hasTemplate(body)) return bytesOf(body) + bytesOf(checkpointOf(body))
  return body.type === 'value' ? messageBytes(body.value) : 0
}

type Arguments = Pick<LedgerRecord['body'] & { type: 'task' }, 'args' | 'dependencies'>

function checkpointOf(body: LedgerRecord['body']): (LedgerRecord['body'] & { type: 'actor' })['checkpoint'] {
  return body.type === 'actor' ? body.checkpoint : undefined
}

function refsOf(held: Arguments | undefined): readonly ObjectId[] {
  return held === undefined ? NONE : [...held.dependencies.map(({ id }) => id), ...held.args.refs]
}

function bytesOf(held: Arguments | undefined): number {
  return held === undefined ? 0 : messageBytes(held.args) + 24 * held.dependencies.length
}

function position({ body }: LedgerRecord): number {
  return checkpointOf(body)?.position ?? -1
}

function retries({ body }: LedgerRecord): number {
  // Infinity less infinity is no number.
  return body.type === 'task' ? Math.min(body.retriesLeft, Number.MAX_SAFE_INTEGER) : 0
}
