import { expect, it } from 'vitest'
import { ConnectFour } from '../games/connect-four.ts'
import { AlphaZeroLearner } from './alpha-zero-learner.ts'
import { ALPHA_ZERO_SETTINGS } from './alpha-zero-settings.ts'
import { simulate } from './evaluator.ts'
import { PolicyValueNet } from './policy-value-net.ts'
import { Search } from './search.ts'
import { SearchServer } from './search-server.ts'

const { network } = ALPHA_ZERO_SETTINGS.connectFour
const weights = new AlphaZeroLearner(ALPHA_ZERO_SETTINGS.connectFour, 1).getWeights()

function serving(capacity?: number): SearchServer {
  const server = new SearchServer(network, capacity)
  server.serve({ weights, iteration: 3 })
  return server
}

async function alone(moves: readonly number[], simulations: number): Promise<Search> {
  const net = new PolicyValueNet(network, 1)
  const search = new Search(new ConnectFour(moves), { exploration: 1.5 })
  await simulate([search], simulations, (games) => net.evaluate(weights, games))
  return search
}

it('answers searches of different lengths from the same batches, each as if it were alone', async () => {
  const server = serving()
  const asked = [
    { moves: [], simulations: 30 },
    { moves: [3, 3], simulations: 12 },
    { moves: [0, 1, 2], simulations: 30 },
  ]
  const answers = await Promise.all(asked.map(({ moves, simulations }) => server.search(moves, simulations)))
  for (const [i, { moves, simulations }] of asked.entries()) {
    const search = await alone(moves, simulations)
    expect(answers[i]).toEqual({
      move: search.bestMove(),
      visits: search.visits(),
      value: search.value(),
      iteration: 3,
      together: 3,
    })
  }
})

it('takes more searches than go in step one batch after another', async () => {
  const server = serving(2)
  const answers = await Promise.all([3, 2, 1].map((column) => server.search([column], 8)))
  expect(answers.map(({ together }) => together)).toEqual([2, 2, 1])
})

it('sees a win that is one move away, and what it is worth', async () => {
  const { move, value } = await serving().search([0, 6, 0, 6, 0, 5], 60)
  expect(move).toBe(0)
  expect(value).toBeGreaterThan(0.5)
})

it('refuses what cannot be searched, and goes on', async () => {
  const server = serving()
  await expect(server.search([0, 0, 0, 0, 0, 0, 0], 10)).rejects.toThrow(RangeError)
  await expect(server.search([0, 1, 0, 1, 0, 1, 0], 10)).rejects.toThrow('the game is over')
  for (const simulations of [0, 1, 2.5, Number.NaN, 1e9])
    await expect(server.search([], simulations)).rejects.toThrow(RangeError)
  expect(() => server.serve({ weights: new Float32Array(3), iteration: 0 })).toThrow(RangeError)
  expect((await server.search([], 10)).iteration).toBe(3)
})

it('says so when nothing is served yet, and serves new weights from then on', async () => {
  const server = new SearchServer(network)
  expect(server.isServing).toBe(false)
  await expect(server.search([], 10)).rejects.toThrow('no network')
  server.serve({ weights, iteration: 1 })
  const first = await server.search([], 20)
  server.serve({ weights: weights.map((x) => 3 * x), iteration: 2 })
  const second = await server.search([], 20)
  expect([first.iteration, second.iteration]).toEqual([1, 2])
  expect(second.visits).not.toEqual(first.visits)
})
