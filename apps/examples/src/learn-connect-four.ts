// Simulation, training and serving in one graph: games are tasks, the learner and the server are actors, and what one makes
// goes to the next as a reference, from tab to tab and past this page.
import { get, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import {
  ALPHA_ZERO_SETTINGS,
  AlphaZeroLearnerActor,
  playMatch,
  policyPlayer,
  PolicyServerActor,
  randomPlayer,
  selfPlayGames,
  servingEvaluator,
} from '@shoal/rl'
import type { AlphaZeroSettings, MatchResult, SelfPlayResult } from '@shoal/rl'

export interface Round {
  /** Games the learner has seen, of all rounds. */
  readonly games: number
  /** How far the network's policy is from what search finds (cross-entropy); falls as it learns. */
  readonly policyLoss: number
  /** The served network, without search, against a player who moves at random; played while the next games were. */
  readonly match: MatchResult
}

export interface LearningOptions {
  /** Game tasks learned from. */
  readonly rounds: number
  /** Game tasks under way at a time: about as many as there are workers. */
  readonly tasks: number
  readonly matchGames?: number
  readonly settings?: AlphaZeroSettings
}

/** Learns connect four from nothing but its rules, and calls back after each round. */
export async function learnConnectFour(options: LearningOptions, onRound: (round: Round) => void): Promise<void> {
  const { rounds, tasks, matchGames = 20, settings = ALPHA_ZERO_SETTINGS.connectFour } = options
  using learner = AlphaZeroLearnerActor.remote(settings, 1)
  let weights = learner.getWeights.remote()
  using server = PolicyServerActor.remote(settings.network, weights)
  const served = policyPlayer(servingEvaluator(server))
  const playing = new Set<ObjectRef<SelfPlayResult>>()
  let started = 0
  const play = (): void => {
    if (started === rounds) return
    started += 1
    // A task like any other: it runs in whatever tab has room, with the newest weights there are when it is submitted.
    playing.add(selfPlayGames.remote(weights, settings.network, { ...settings.selfPlay, seed: started }))
  }
  try {
    for (let task = 0; task < tasks; task += 1) play()
    for (let round = 1; playing.size > 0; round += 1) {
      // The first games that are done, not those that were begun first: nobody waits for a slow tab.
      const [[games]] = await wait([...playing])
      if (games === undefined) break
      playing.delete(games)
      // None of these waits here: actors answer in order, so the weights are those that the learner has afterwards.
      using update = learner.learn.remote(games)
      games.release()
      weights.release()
      weights = learner.getWeights.remote()
      using serving = server.setWeights.remote(weights)
      play()
      // While other tabs play with the new weights, the server answers for them.
      await get(serving)
      const match = await playMatch(served, randomPlayer, matchGames, round)
      const { policyLoss } = await get(update)
      onRound({ games: round * settings.selfPlay.games, policyLoss, match })
    }
  } finally {
    for (const ref of [weights, ...playing]) ref.release()
  }
}
