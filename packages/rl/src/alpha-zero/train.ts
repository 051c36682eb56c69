/**
 * AlphaZero over a Shoal room: each iteration is self-play tasks in all tabs, then a learner actor that gets their games as
 * references, then, where one serves, new weights for it.
 */
import { get } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'
import type { AlphaZeroMetrics, AlphaZeroState } from './alpha-zero-learner.ts'
import type { AlphaZeroSettings } from './alpha-zero-settings.ts'
import { AlphaZeroLearnerActor, selfPlayGames } from './alpha-zero.remote.ts'
import type { PolicyServer } from './policy-server.ts'
import { selfPlayRequests } from './train-locally.ts'

export interface TrainAlphaZeroOptions {
  readonly settings: AlphaZeroSettings
  /** Decides everything but where it runs. Default 0. */
  readonly seed?: number
  /** Gets the weights after each iteration, and goes on serving meanwhile. */
  readonly server?: ActorHandle<PolicyServer>
  /** Ends the run: the generator throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Goes on from here. */
  readonly resumeFrom?: AlphaZeroState
}

export interface AlphaZeroIteration {
  /** 0 for the first. */
  readonly iteration: number
  readonly metrics: AlphaZeroMetrics
  /** Fetches the learner's state, to keep, to play with, or to go on from; before the next iteration is asked for. */
  readonly state: () => Promise<AlphaZeroState>
}

/**
 * Yields after every iteration until `maxIterations`. Self-play of lost tabs is played again elsewhere; a lost learner ends the
 * run. Leaving the loop ends the learner.
 * @throws the signal's reason; ActorDiedError when the learner was lost.
 */
export async function* trainAlphaZero(
  options: TrainAlphaZeroOptions,
): AsyncGenerator<AlphaZeroIteration, void, undefined> {
  const { settings, seed = 0, server, signal, resumeFrom } = options
  const waiting = signal === undefined ? {} : { signal }
  signal?.throwIfAborted()
  using learner = AlphaZeroLearnerActor.remote(settings, seed)
  if (resumeFrom !== undefined) {
    using set = learner.setState.remote(resumeFrom)
    await get(set, waiting)
  }
  for (let iteration = resumeFrom?.iteration ?? 0; iteration < settings.maxIterations; iteration += 1) {
    using weights = learner.getWeights.remote()
    const games = selfPlayRequests(settings, seed, iteration).map((request) =>
      selfPlayGames.remote(weights, settings.network, request),
    )
    try {
      using update = learner.learn.remote(...games)
      const metrics = await get(update, waiting)
      if (server !== undefined) {
        using learned = learner.getWeights.remote()
        using served = server.setWeights.remote(learned)
        await get(served, waiting)
      }
      yield {
        iteration,
        metrics,
        state: async () => {
          using state = learner.getState.remote()
          return await get(state, waiting)
        },
      }
    } finally {
      for (const ref of games) ref[Symbol.dispose]()
    }
  }
}
