/**
 * Centred ranks: rank / (n - 1) - 0.5, in [-0.5, 0.5], which makes the update blind to the scale of returns and to
 * outliers. Equal values share their mean rank, so that a population that all reached the same return moves nothing.
 * One value alone has rank 0.
 */
export function centredRanks(values: ArrayLike<number>): Float64Array {
  const n = values.length
  const ranks = new Float64Array(n)
  if (n < 2) return ranks
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a]! - values[b]!)
  for (let start = 0; start < n;) {
    let end = start + 1
    while (end < n && values[order[end]!] === values[order[start]!]) end += 1
    const shared = (start + end - 1) / 2 / (n - 1) - 0.5
    for (let i = start; i < end; i += 1) ranks[order[i]!] = shared
    start = end
  }
  return ranks
}
