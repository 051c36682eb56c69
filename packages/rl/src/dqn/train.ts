/**
 * Double DQN over a Shoal room: EnvRunner actors play, a Learner actor keeps and learns. While it learns from one round the
 * runners play the next, with weights of the round before; what was played goes to the learner and not through the driver.
 */
import { get } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import type { Sample } from '../runner/env-runner.ts'
import { EnvRunnerActor } from '../runner/env-runner.remote.ts'
import { RecentReturns } from '../runner/recent-returns.ts'
import type { DqnMetrics, DqnState } from './dqn-learner.ts'
import { DqnLearnerActor } from './dqn-learner.remote.ts'
import type { DqnSettings } from './dqn-settings.ts'
import { dqnRequest } from './train-locally.ts'

export interface TrainDqnOptions {
  readonly settings: DqnSettings
  /** Decides everything but where it runs. Default 0. */
  readonly seed?: number
  /** Ends the run: the generator throws the signal's reason. */
  readonly signal?: AbortSignal
}

export interface DqnIteration {
  /** 0 for the first round. */
  readonly iteration: number
  /** Of the last `solvedEpisodes` episodes; NaN before the first has ended. */
  readonly meanReturn: number
  readonly metrics: DqnMetrics
  /** The settings' goal is reached: the run ends here. */
  readonly solved: boolean
  /** Fetches the learner's state, to keep; before the next round is asked for. */
  readonly state: () => Promise<DqnState>
}

/**
 * Trains over every tab of the page's session, yielding after each round until solved or out of `maxIterations`. Lost
 * runners are started again; a lost learner ends the run. Leaving the loop ends all actors.
 * @throws the signal's reason; ActorDiedError when the learner was lost; TaskError for settings that fit no environment.
 */
export async function* trainDqn(options: TrainDqnOptions): AsyncGenerator<DqnIteration, void, undefined> {
  const { settings, seed = 0, signal } = options
  const { module, envsPerRunner: envs } = settings
  const waiting = signal === undefined ? {} : { signal }
  signal?.throwIfAborted()
  using learner = DqnLearnerActor.remote(settings, seed)
  const runners = Array.from({ length: settings.runners }, (_, index) =>
    EnvRunnerActor.remote({ module, envs, seed, index }),
  )
  const recent = new RecentReturns(settings)
  const play = (round: number): readonly ObjectRef<Sample>[] => {
    // The tasks hold the weights as their argument, so the driver need not.
    using weights = learner.getWeights.remote()
    return runners.map((runner) => runner.sample.remote(weights, dqnRequest(settings, round)))
  }
  let samples = play(0)
  try {
    for (let iteration = 0; iteration < settings.maxIterations; iteration += 1) {
      // Asked for before the learner is to learn: it answers calls in order.
      const next = iteration + 1 < settings.maxIterations ? play(iteration + 1) : []
      using update = learner.learn.remote(...samples)
      release(samples)
      samples = next
      const { metrics, returns } = await get(update, waiting)
      recent.add(returns)
      yield {
        iteration,
        meanReturn: recent.mean,
        metrics,
        solved: recent.isSolved,
        state: async () => {
          using state = learner.getState.remote()
          return await get(state, waiting)
        },
      }
      if (recent.isSolved) return
    }
  } finally {
    release(samples)
    release(runners)
  }
}

function release(resources: readonly Disposable[]): void {
  for (const resource of resources) resource[Symbol.dispose]()
}
