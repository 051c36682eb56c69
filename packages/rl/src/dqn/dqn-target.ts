/**
 * What the value of an action should have been: r + γ Q_target(s', argmax_a Q(s', a)), r alone where nothing follows. Double DQN
 * (van Hasselt, Guez and Silver, 2016): one network chooses, the other says what it is worth; with the same row for both it
 * is plain DQN (Mnih et al., 2015). Rows of `actions` numbers at `offset`.
 */
export function doubleDqnTarget(
  reward: number,
  isTerminated: boolean,
  gamma: number,
  choosing: ArrayLike<number>,
  judging: ArrayLike<number>,
  offset: number,
  actions: number,
): number {
  if (isTerminated) return reward
  let best = 0
  for (let a = 1; a < actions; a += 1) if (choosing[offset + a]! > choosing[offset + best]!) best = a
  return reward + gamma * judging[offset + best]!
}

/** How much of a runner's play is chance, ε = 0.4^(1 + 7 i / (n - 1)): each its own (Horgan et al., "Ape-X", 2018). */
export function apexEpsilon(index: number, runners: number): number {
  return runners === 1 ? 0.4 : 0.4 ** (1 + (7 * index) / (runners - 1))
}

/** From `first` to `last` in a line over `steps`, then `last`. */
export function annealedEpsilon(first: number, last: number, steps: number, done: number): number {
  return first + (last - first) * Math.min(done / steps, 1)
}
