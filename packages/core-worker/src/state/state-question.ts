import { LIMITS, STATE_COLUMNS } from '@shoal/protocol'
import type { FilteredKind, StateKind, StateQuery } from '@shoal/protocol'
import type { StateOptions, TaskEventsCursor } from './state-types.ts'

const DEFAULT_LIMIT = 100
const DEFAULT_TIMEOUT_MS = 5_000
const MOST_TIMEOUT_MS = 600_000
const KNOWN = ['filters', 'limit', 'detail', 'timeoutMs']

/** What is asked of the node, checked. */
export interface CheckedQuestion {
  readonly kind: StateKind
  readonly id: StateQuery['id']
  readonly filters: StateQuery['filters']
  readonly limit: number
  readonly detail: boolean
  readonly timeoutMs: number
  readonly since?: TaskEventsCursor | undefined
}

/** @throws TypeError or RangeError that says what there is instead. */
export function toQuestion(kind: FilteredKind, options: StateOptions = {}, id?: StateQuery['id']): CheckedQuestion {
  for (const key of Object.keys(options))
    if (!KNOWN.includes(key)) throw new TypeError(`unknown option ${key}; known are ${KNOWN.join(', ')}`)
  const { filters = [], limit = DEFAULT_LIMIT, detail = false, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  if (typeof detail !== 'boolean') throw new TypeError(`detail must be true or false, got ${String(detail)}`)
  if (!Array.isArray(filters)) throw new TypeError("filters must be an array of [column, '=' or '!=', value]")
  if (filters.length > LIMITS.stateFilters)
    throw new RangeError(`at most ${LIMITS.stateFilters} filters, got ${filters.length}`)
  return {
    kind,
    id,
    filters: filters.map((filter) => toFilter(kind, filter)),
    limit: whole('limit', limit, LIMITS.stateRows),
    detail,
    timeoutMs: whole('timeoutMs', timeoutMs, MOST_TIMEOUT_MS),
  }
}

function toFilter(kind: FilteredKind, filter: unknown): StateQuery['filters'][number] {
  if (!Array.isArray(filter) || filter.length !== 3)
    throw new TypeError("a filter is [column, '=' or '!=', value], e.g. ['state', '=', 'RUNNING']")
  const [column, operator, value] = filter as readonly unknown[]
  const columns: readonly string[] = STATE_COLUMNS[kind]
  if (typeof column !== 'string' || !columns.includes(column))
    throw new TypeError(`${kind} cannot be filtered by ${String(column)}; columns are ${columns.join(', ')}`)
  if (operator !== '=' && operator !== '!=')
    throw new TypeError(`the operator ${String(operator)} is not known; there are = and !=`)
  if (!['string', 'number', 'boolean', 'undefined'].includes(typeof value))
    throw new TypeError(`the value for ${column} must be text, a number, true, false or undefined`)
  const text = value === undefined ? '' : String(value)
  if (new TextEncoder().encode(text).length > LIMITS.nameBytes)
    throw new RangeError(`the value for ${column} is longer than ${LIMITS.nameBytes} bytes`)
  return { column: column as StateQuery['filters'][number]['column'], isEqual: operator === '=', value: text }
}

function whole(option: string, value: unknown, most: number): number {
  if (typeof value !== 'number') throw new TypeError(`${option} must be a number`)
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new RangeError(`${option} must be a whole number from 1 to ${most}, got ${value}`)
  return value
}
