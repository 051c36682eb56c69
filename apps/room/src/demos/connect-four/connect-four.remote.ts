/**
 * What the connect four demo runs in the room: games of the network against itself and games that measure it are tasks; the
 * learner and who answers people are actors. Nobody's tab has to stay: tasks run again, the learner goes on from a checkpoint, and
 * the server, made again, asks the learner for what it serves.
 */
import { actor, context, get, remote } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'
import {
  AlphaZeroLearner,
  ConnectFour,
  playMatch,
  policyPlayer,
  PolicyValueNet,
  randomPlayer,
  rolloutEvaluator,
  searchPlayer,
  SearchServer,
  selfPlay,
  Xoshiro128,
} from '@shoal/rl'
import type {
  AlphaZeroMetrics,
  AlphaZeroState,
  MatchResult,
  PolicyValueSpec,
  SearchAnswer,
  SelfPlayRequest,
  ServedNet,
} from '@shoal/rl'
import { boardOf } from './board.ts'
import type { Board } from './board.ts'
import { mirrorGames, packGames, unpackGames } from './packed-games.ts'
import type { PackedGames } from './packed-games.ts'

/** Who did a task, and how long it took. */
export interface Done {
  readonly nodeId: string
  readonly cpuMs: number
}

/** What a page shows of games; what is learned from them goes past it. */
export interface PlayedGames extends Done {
  readonly boards: readonly Board[]
}

export const playGames = remote(
  async (
    { weights }: ServedNet,
    spec: PolicyValueSpec,
    request: SelfPlayRequest,
  ): Promise<[PackedGames, PlayedGames]> => {
    const start = performance.now()
    const network = new PolicyValueNet(spec, request.games)
    const games: ConnectFour[] = []
    const startGame = (): ConnectFour => {
      const game = new ConnectFour()
      games.push(game)
      return game
    }
    const result = await selfPlay((positions) => network.evaluate(weights, positions), request, startGame)
    const cpuMs = performance.now() - start
    return [packGames(result), { nodeId: context().nodeId, cpuMs, boards: games.map((game) => boardOf(game)) }]
  },
  { numReturns: 2, maxRetries: -1 },
)

export interface TestRequest {
  readonly games: number
  readonly seed: number
  /** Undefined: the network alone against chance. */
  readonly search?: { readonly simulations: number; readonly rollouts: number }
}

export interface TestResult extends Done, MatchResult {}

export const testStrength = remote(
  async ({ weights }: ServedNet, spec: PolicyValueSpec, request: TestRequest): Promise<TestResult> => {
    const start = performance.now()
    const { games, seed, search } = request
    const network = new PolicyValueNet(spec, 1)
    const evaluate = (positions: Parameters<PolicyValueNet['evaluate']>[1]) => network.evaluate(weights, positions)
    const match =
      search === undefined
        ? await playMatch(policyPlayer(evaluate), randomPlayer, games, seed)
        : await playMatch(
            searchPlayer(evaluate, search.simulations),
            searchPlayer(rolloutEvaluator(new Xoshiro128(seed)), search.rollouts),
            games,
            seed,
          )
    return { ...match, nodeId: context().nodeId, cpuMs: performance.now() - start }
  },
  { maxRetries: -1 },
)

class LiveLearner extends AlphaZeroLearner {
  learnGames(...packed: PackedGames[]): AlphaZeroMetrics {
    const games = packed.map((games) => unpackGames(games))
    return this.learn(...games.flatMap((result) => [result, mirrorGames(result)]))
  }

  net(): ServedNet {
    return { weights: this.getWeights(), iteration: this.getState().iteration }
  }

  saveCheckpoint(): AlphaZeroState {
    return this.getState()
  }

  loadCheckpoint(state: AlphaZeroState): void {
    this.setState(state)
  }
}

/** A checkpoint is some hundred kB: every few iterations, and what was learned since then is learned again. */
export const LiveLearnerActor = actor(LiveLearner, { maxRestarts: -1, checkpointEveryCalls: 12, numCpus: 0 })

export interface LiveAnswer extends SearchAnswer {
  readonly nodeId: string
  readonly searchMs: number
}

class LiveServer extends SearchServer {
  readonly #learner: ActorHandle<LiveLearner>

  constructor(spec: PolicyValueSpec, learner: ActorHandle<LiveLearner>) {
    super(spec)
    this.#learner = learner
  }

  /** Made again after its tab was lost, it does not wait for the next iteration, which may never come. */
  async answer(moves: readonly number[], simulations: number): Promise<LiveAnswer> {
    if (!this.isServing) {
      using learned = this.#learner.net.remote()
      const net = await get(learned)
      if (!this.isServing) this.serve(net)
    }
    const start = performance.now()
    const found = await this.search(moves, simulations)
    return { ...found, nodeId: context().nodeId, searchMs: performance.now() - start }
  }
}

/** Calls past the limit would wait for those before them. Needs no free core to be made: people wait for it. */
export const LiveServerActor = actor(LiveServer, {
  maxConcurrency: 1000,
  maxRestarts: -1,
  maxTaskRetries: -1,
  numCpus: 0,
})
