import { get } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'
import type { Evaluator } from './evaluator.ts'
import type { PolicyServer } from './policy-server.ts'
import { encodeGames, toEvaluations } from './policy-value-net.ts'

/** Asks a serving actor, wherever it is: in a page, a task or another actor. */
export function servingEvaluator(server: ActorHandle<PolicyServer>): Evaluator {
  return async (games) => {
    using prediction = server.predict.remote(encodeGames(games))
    return toEvaluations(await get(prediction), games.length)
  }
}
