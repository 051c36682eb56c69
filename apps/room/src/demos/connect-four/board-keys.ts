/** What a key means on the board; undefined: nothing. Digits are columns, counted from 1. */
export type BoardKey =
  { readonly kind: 'drop'; readonly column: number } | { readonly kind: 'look'; readonly column: number }

/** @param at the column that is looked at */
export function boardKey(key: string, at: number, columns: number): BoardKey | undefined {
  if (/^[1-9]$/.test(key)) {
    const column = Number(key) - 1
    return column < columns ? { kind: 'drop', column } : undefined
  }
  switch (key) {
    case 'ArrowLeft':
      return { kind: 'look', column: Math.max(0, at - 1) }
    case 'ArrowRight':
      return { kind: 'look', column: Math.min(columns - 1, at + 1) }
    case 'Home':
      return { kind: 'look', column: 0 }
    case 'End':
      return { kind: 'look', column: columns - 1 }
    case 'ArrowDown':
      return { kind: 'drop', column: at }
    default:
      return undefined
  }
}
