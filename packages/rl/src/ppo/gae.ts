/**
 * Generalised advantage estimation (Schulman et al., "High-dimensional continuous control using generalized advantage
 * estimation", 2016) of one piece of an episode: δ_t = r_t + γ V_{t+1} - V_t, A_t = δ_t + γλ A_{t+1}, nothing after the last.
 *
 * `values` has one more number than `rewards`: what the observation after the last step is worth, which counts 0 where
 * the MDP ended and counts in full at a step limit or where the sample was cut.
 * @throws RangeError when the sizes do not fit.
 */
export function generalisedAdvantages(
  rewards: ArrayLike<number>,
  values: ArrayLike<number>,
  isTerminated: boolean,
  gamma: number,
  lambda: number,
): Float64Array {
  if (values.length !== rewards.length + 1) {
    throw new RangeError(`${rewards.length} rewards need one value more, got ${values.length}`)
  }
  const advantages = new Float64Array(rewards.length)
  let next = isTerminated ? 0 : values[rewards.length]!
  let advantage = 0
  for (let t = rewards.length - 1; t >= 0; t -= 1) {
    advantage = rewards[t]! + gamma * next - values[t]! + gamma * lambda * advantage
    advantages[t] = advantage
    next = values[t]!
  }
  return advantages
}
