/** AlphaZero's parts as tasks and actors: games are tasks, learner and server are actors, and weights go between as references. */
import { actor, remote } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'
import { AlphaZeroLearner } from './alpha-zero-learner.ts'
import { PolicyServer } from './policy-server.ts'
import { PolicyValueNet } from './policy-value-net.ts'
import type { PolicyValueSpec } from './policy-value-net.ts'
import { selfPlay } from './self-play.ts'
import type { SelfPlayRequest, SelfPlayResult } from './self-play.ts'
import { servingEvaluator } from './serving-evaluator.ts'

export const AlphaZeroLearnerActor = actor(AlphaZeroLearner)

/** Calls past the limit would wait for those before them, and a batch is as large as what runs at a time. */
export const PolicyServerActor = actor(PolicyServer, { maxConcurrency: 1000 })

/** Games of the network with these weights, evaluated where they are played. */
export const selfPlayGames = remote(
  (weights: Float32Array, spec: PolicyValueSpec, request: SelfPlayRequest): Promise<SelfPlayResult> => {
    const network = new PolicyValueNet(spec, request.games)
    return selfPlay((games) => network.evaluate(weights, games), request)
  },
)

/** Games whose positions are evaluated by a serving actor, together with those of others. */
export const servedSelfPlay = remote(
  (server: ActorHandle<PolicyServer>, request: SelfPlayRequest): Promise<SelfPlayResult> =>
    selfPlay(servingEvaluator(server), request),
)
