import { LIMITS, PlainDecoder, ProtocolError, STATE_KINDS, stateColumns } from '@shoal/protocol'
import type { EncodedValue, NodeId } from '@shoal/protocol'
import type { StateQuestion } from './state-service.ts'

type Fields<T> = { readonly [K in keyof T]?: unknown }

const MOST_TIMEOUT_MS = 600_000
const NODE_ID = /^[0-9a-f]{32}$/

/** What a worker asks. A page checks what it is given by itself; what runs here may have written anything. @throws ProtocolError */
export function workerQuestion(encoded: EncodedValue): StateQuestion {
  const { kind, id, filters, limit, detail, timeoutMs } = decoded(encoded)
  const known = STATE_KINDS.find((each) => each === kind)
  if (known === undefined || !isWhole(limit, LIMITS.stateRows) || !isWhole(timeoutMs, MOST_TIMEOUT_MS))
    throw malformed()
  if (!Array.isArray(filters) || filters.length > LIMITS.stateFilters) throw malformed()
  return {
    kind: known,
    id: id === undefined ? undefined : toId(id),
    filters: filters.map((filter) => toFilter(known, filter)),
    limit,
    detail: detail === true,
    timeoutMs,
  }
}

function decoded(encoded: EncodedValue): Fields<StateQuestion> {
  try {
    return (new PlainDecoder(encoded).value() as Fields<StateQuestion> | null) ?? {}
  } catch {
    throw malformed()
  }
}

function toId(value: unknown): NonNullable<StateQuestion['id']> {
  const { owner, number } = (value ?? {}) as Fields<NonNullable<StateQuestion['id']>>
  if (typeof owner !== 'string' || !NODE_ID.test(owner) || !isWhole(number, Number.MAX_SAFE_INTEGER)) throw malformed()
  return { owner: owner as NodeId, number }
}

function toFilter(kind: StateQuestion['kind'], filter: unknown): StateQuestion['filters'][number] {
  const { column, isEqual, value } = (filter ?? {}) as Fields<StateQuestion['filters'][number]>
  const known = stateColumns(kind).find((each) => each === column)
  if (known === undefined || typeof isEqual !== 'boolean' || typeof value !== 'string') throw malformed()
  // Whoever it goes to refuses what is longer.
  if (new TextEncoder().encode(value).length > LIMITS.nameBytes) throw malformed()
  return { column: known, isEqual, value }
}

function isWhole(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most
}

function malformed(): ProtocolError {
  return new ProtocolError('malformed', "no question about the room's state")
}
