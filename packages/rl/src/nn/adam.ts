/** Adam's moments; plain data, so that a training state can be stored and sent. */
export interface AdamState {
  readonly steps: number
  readonly mean: Float64Array
  readonly variance: Float64Array
}

const BETA_MEAN = 0.9
const BETA_VARIANCE = 0.999
const EPSILON = 1e-8

export function createAdam(size: number): AdamState {
  return { steps: 0, mean: new Float64Array(size), variance: new Float64Array(size) }
}

/**
 * One step of Adam (Kingma and Ba, 2015), bias-corrected: what to add to the parameters to go down `gradient`.
 * `epsilon` keeps the step of a parameter without gradient finite, default 1e-8. The first step is
 * -stepSize * sign(gradient), but for epsilon.
 */
export function adamStep(
  state: AdamState,
  gradient: Float64Array,
  stepSize: number,
  epsilon = EPSILON,
): { readonly state: AdamState; readonly delta: Float64Array } {
  const steps = state.steps + 1
  const rate = (stepSize * Math.sqrt(1 - BETA_VARIANCE ** steps)) / (1 - BETA_MEAN ** steps)
  const mean = state.mean.map((m, i) => BETA_MEAN * m + (1 - BETA_MEAN) * gradient[i]!)
  const variance = state.variance.map((v, i) => BETA_VARIANCE * v + (1 - BETA_VARIANCE) * gradient[i]! ** 2)
  const delta = mean.map((m, i) => (-rate * m) / (Math.sqrt(variance[i]!) + epsilon))
  return { state: { steps, mean, variance }, delta }
}
