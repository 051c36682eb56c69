/**
 * The terms of PPO's loss for one step, each with its slope (Schulman et al., "Proximal policy optimization algorithms",
 * 2017; the clipped value loss as in their code).
 */

export interface LossTerm {
  readonly value: number
  /** By the ratio, or by the value. */
  readonly slope: number
}

/** min(ρA, clip(ρ, 1 ± ε) A), to be maximised: flat where the policy has already moved far enough the way A says. */
export function clippedObjective(ratio: number, advantage: number, epsilon: number): LossTerm {
  const free = ratio * advantage
  const clipped = Math.min(Math.max(ratio, 1 - epsilon), 1 + epsilon) * advantage
  return free <= clipped ? { value: free, slope: advantage } : { value: clipped, slope: 0 }
}

/**
 * Half the larger of (V - R)² and (V_old + clip(V - V_old, ±ε) - R)². Infinity as ε does not clip.
 */
export function clippedValueLoss(value: number, oldValue: number, target: number, epsilon: number): LossTerm {
  const free = value - target
  const held = oldValue + Math.min(Math.max(value - oldValue, -epsilon), epsilon) - target
  if (free * free >= held * held) return { value: 0.5 * free * free, slope: free }
  return { value: 0.5 * held * held, slope: 0 }
}
