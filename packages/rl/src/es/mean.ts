/** Sum in index order over length; NaN for nothing. */
export function mean(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i += 1) total += values[i]!
  return total / values.length
}
