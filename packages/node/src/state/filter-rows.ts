import type { StateFilter, StateKind } from '@shoal/protocol'

/** Columns that whoever answers for a row may know less of than the tab that runs it. */
const LATE: Readonly<Partial<Record<StateKind, readonly string[]>>> = {
  tasks: ['state', 'workerId'],
  actors: ['className', 'workerId', 'pendingCalls', 'jobId', 'state'],
  nodes: ['isSelf', 'state'],
}

export function isLate(kind: StateKind, { column }: StateFilter): boolean {
  return LATE[kind]?.includes(column) === true
}

/** Whether a row passes all of them. Values are compared as text, and undefined is the empty one. */
export function passes(row: object, filters: readonly StateFilter[]): boolean {
  return filters.every(({ column, isEqual, value }) => {
    const found = (row as Readonly<Record<string, unknown>>)[column]
    return (textOf(found) === value) === isEqual
  })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : String(value as number | boolean)
}
