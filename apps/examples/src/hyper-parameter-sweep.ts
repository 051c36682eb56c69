// A sweep over learning rates: every trial trains a little, the worse half is stopped early, the others go on.
import { get, put, remote, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'

export interface Trial {
  readonly rate: number
  /** Rounds of training done. */
  readonly round: number
  readonly weights: readonly number[]
  /** Mean squared error; NaN once the rate was too high for the numbers to stay finite. */
  readonly loss: number
  readonly state: 'running' | 'stopped' | 'finished'
}

interface Samples {
  readonly x: Float64Array
  readonly y: Float64Array
}

/** One round: gradient descent on a polynomial that is to follow the samples. Gives the trial one round on. */
const train = remote((trial: Trial, { x, y }: Samples, steps: number): Trial => {
  const weights = [...trial.weights]
  const predict = (at: number): number => weights.reduceRight((sum, weight) => sum * at + weight, 0)
  for (let step = 0; step < steps; step++) {
    const gradient = weights.map(() => 0)
    x.forEach((at, i) => {
      const error = predict(at) - (y[i] ?? 0)
      for (let power = 0; power < weights.length; power++)
        gradient[power] = (gradient[power] ?? 0) + (2 * error * at ** power) / x.length
    })
    gradient.forEach((slope, power) => (weights[power] = (weights[power] ?? 0) - trial.rate * slope))
  }
  const loss = x.reduce((sum, at, i) => sum + (predict(at) - (y[i] ?? 0)) ** 2, 0) / x.length
  return { ...trial, round: trial.round + 1, weights, loss: Number.isFinite(loss) ? loss : NaN }
})

/** A noisy wave on [-1, 1]. */
export function makeSamples(count: number): Samples {
  const x = Float64Array.from({ length: count }, (_, i) => (2 * i) / (count - 1) - 1)
  return { x, y: x.map((at, i) => Math.sin(3 * at) + 0.1 * Math.sin(97 * i)) }
}

/** Trains each rate for up to `rounds` rounds of `steps` and calls back after each round of each trial. */
export async function sweep(
  rates: readonly number[],
  rounds: number,
  steps: number,
  onTrial: (trial: Trial) => void,
): Promise<Trial[]> {
  // Put once, given to every task as a ref: a tab fetches the samples once, however many tasks it runs.
  using samples = put(makeSamples(400))
  const running: ObjectRef<Trial>[] = rates.map((rate) =>
    train.remote({ rate, round: 0, weights: [0, 0, 0, 0, 0, 0], loss: NaN, state: 'running' }, samples, steps),
  )
  const latest = new Map<number, Trial>()
  const done: Trial[] = []
  while (running.length > 0) {
    const [[first]] = await wait(running)
    if (first === undefined) continue
    const trial = await get(first)
    first.release()
    running.splice(running.indexOf(first), 1)
    // Nobody waits for the slowest: a trial is judged by what the others had after as many rounds, or after fewer.
    const others = [...latest.values()].filter(({ rate, round }) => rate !== trial.rate && round <= trial.round)
    const isWorse = !Number.isFinite(trial.loss) || (others.length >= 2 && trial.loss > median(others))
    latest.set(trial.rate, trial)
    const state = isWorse ? 'stopped' : trial.round === rounds ? 'finished' : 'running'
    const judged: Trial = { ...trial, state }
    if (state === 'running') running.push(train.remote(judged, samples, steps))
    else done.push(judged)
    onTrial(judged)
  }
  return done.sort((a, b) => b.round - a.round || a.loss - b.loss)
}

/** Those whose error is no number any more count as the worst. */
function median(trials: readonly Trial[]): number {
  const losses = trials.map(({ loss }) => (Number.isFinite(loss) ? loss : Infinity)).sort((a, b) => a - b)
  return losses[Math.floor(losses.length / 2)] ?? NaN
}
