/** Self-play tasks, learner and server as actors of several tabs. */
import { get } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConnectFour } from '../games/connect-four.ts'
import { ALPHA_ZERO_SETTINGS } from './alpha-zero-settings.ts'
import type { AlphaZeroSettings } from './alpha-zero-settings.ts'
import { PolicyServerActor, selfPlayGames, servedSelfPlay } from './alpha-zero.remote.ts'
import { AlphaZeroLearner } from './alpha-zero-learner.ts'
import { encodeGames, PolicyValueNet } from './policy-value-net.ts'
import { servingEvaluator } from './serving-evaluator.ts'
import { trainAlphaZero } from './train.ts'
import type { AlphaZeroIteration } from './train.ts'
import { selfPlayRequests, trainAlphaZeroLocally } from './train-locally.ts'

const { connectFour } = ALPHA_ZERO_SETTINGS
const small: AlphaZeroSettings = {
  ...connectFour,
  network: { ...connectFour.network, hidden: [8] },
  selfPlay: { ...connectFour.selfPlay, games: 2, simulations: 6 },
  tasksPerIteration: 3,
  updatesPerIteration: 5,
  maxIterations: 2,
}
const weights = new AlphaZeroLearner(small, 1).getWeights()

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 3, workers: 2, seed: 1, mustReleaseRefs: true })
})

afterEach(() => room.close())

it('trainAlphaZero computes over tabs what one thread computes, bit for bit, and serves what it learned', async () => {
  using server = PolicyServerActor.remote(small.network, weights, 64)
  const seen: AlphaZeroIteration[] = []
  let parameters: Float32Array | undefined
  for await (const iteration of trainAlphaZero({ settings: small, seed: 1, server })) {
    seen.push(iteration)
    if (iteration.iteration === 1) ({ parameters } = await iteration.state())
  }
  const local = await trainAlphaZeroLocally(small, 1)
  expect(parameters).toEqual(local.state.parameters)
  expect(seen.map(({ metrics }) => metrics)).toEqual(local.metrics)
  const inputs = encodeGames([new ConnectFour([3, 2])])
  using served = server.predict.remote(inputs)
  expect(await get(served)).toEqual(new PolicyValueNet(small.network, 1).predict(parameters!, inputs, 1))
})

it('trainAlphaZero goes on from a state', async () => {
  const { state } = await trainAlphaZeroLocally({ ...small, maxIterations: 1 }, 1)
  const seen: number[] = []
  for await (const { iteration } of trainAlphaZero({ settings: small, seed: 1, resumeFrom: state }))
    seen.push(iteration)
  expect(seen).toEqual([1])
})

it('trainAlphaZero ends with its signal, and when it is left', async () => {
  const abort = new AbortController()
  const run = (async () => {
    for await (const _ of trainAlphaZero({ settings: small, signal: abort.signal })) abort.abort(new Error('enough'))
  })()
  await expect(run).rejects.toThrow('enough')
  for await (const { iteration } of trainAlphaZero({ settings: small })) {
    expect(iteration).toBe(0)
    break
  }
})

it('a serving actor evaluates for several tabs at once in batches, and games are the same as without it', async () => {
  using server = PolicyServerActor.remote(small.network, weights, 64)
  const [first, second] = selfPlayRequests(small, 1, 0)
  const served = [first!, second!].map((request) => servedSelfPlay.remote(server, request))
  const own = [first!, second!].map((request) => selfPlayGames.remote(weights, small.network, request))
  expect(await get(served)).toEqual(await get(own))
  using stats = server.stats.remote()
  const { calls, positions, batches, largest } = await get(stats)
  expect(positions).toBeGreaterThan(calls)
  expect(batches).toBeLessThanOrEqual(calls)
  expect(largest).toBeGreaterThanOrEqual(2)
  for (const ref of [...served, ...own]) ref.release()
  const [evaluation] = await servingEvaluator(server)([new ConnectFour()])
  expect(Math.abs(evaluation!.value)).toBeLessThan(1)
})
