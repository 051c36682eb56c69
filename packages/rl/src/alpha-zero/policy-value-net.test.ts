import { describe, expect, it } from 'vitest'
import { ConnectFour } from '../games/connect-four.ts'
import { initialParameters } from '../mlp.ts'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import { PolicyServer } from './policy-server.ts'
import { encodeGames, PolicyValueNet, policyValueSizes } from './policy-value-net.ts'
import type { PolicyValueSpec } from './policy-value-net.ts'

const SPEC: PolicyValueSpec = { inputSize: 84, actions: 7, hidden: [9] }
const weights = initialParameters(policyValueSizes(SPEC), 1, new Xoshiro128(1))
const games = [[], [3], [3, 3, 4], [0, 1, 2, 3, 4]].map((moves) => new ConnectFour(moves))

describe('PolicyValueNet', () => {
  it('gives a distribution over moves and a value within ±1 for each game', () => {
    const evaluations = new PolicyValueNet(SPEC, 4).evaluate(weights, games)
    expect(evaluations).toHaveLength(4)
    for (const { priors, value } of evaluations) {
      expect(Array.from(priors).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6)
      expect(Math.abs(value)).toBeLessThan(1)
    }
    expect(new Set(evaluations.map(({ value }) => value)).size).toBe(4)
  })

  it('has the gradient of finite differences', () => {
    const network = new PolicyValueNet(SPEC, 4)
    const random = new Xoshiro128(2)
    // Biases too: an empty board with none of them stands where relu has no slope.
    const parameters = Float64Array.from(weights, (x) => x + 0.1 * random.nextNormal())
    const inputs = encodeGames(games)
    const policies = Float32Array.from({ length: 28 }, () => random.nextDouble())
    for (let i = 0; i < 4; i += 1) {
      const row = policies.subarray(7 * i, 7 * i + 7)
      const sum = row.reduce((total, x) => total + x, 0)
      row.forEach((x, k) => (row[k] = x / sum))
    }
    const outcomes = Float32Array.of(1, -1, 0, 1)
    const gradient = new Float64Array(parameters.length)
    network.addGradient(parameters, inputs, policies, outcomes, gradient)
    const loss = (): number => {
      const { policyLoss, valueLoss } = network.addGradient(
        parameters,
        inputs,
        policies,
        outcomes,
        new Float64Array(parameters.length),
      )
      return policyLoss + valueLoss
    }
    // The policy's rows sum to 1 in float32 only, which is what a softmax's gradient takes for granted: 1e-6 of slack.
    let checked = 0
    for (let i = 0; i < parameters.length; i += 5) {
      const at = parameters[i]!
      parameters[i] = at + 1e-5
      const above = loss()
      parameters[i] = at - 1e-5
      const slope = (above - loss()) / 2e-5
      parameters[i] = at
      expect(Math.abs(slope - gradient[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(slope)))
      if (slope !== 0) checked += 1
    }
    expect(checked).toBeGreaterThan(10)
  })
})

describe('PolicyServer', () => {
  it('answers calls that come together from one batch, each its own, as the network would', async () => {
    const server = new PolicyServer(SPEC, weights, 3)
    const network = new PolicyValueNet(SPEC, 1)
    const answers = await Promise.all(games.map((game) => server.predict(encodeGames([game]))))
    answers.forEach((answer, i) => {
      const expected = network.predict(weights, encodeGames([games[i]!]), 1)
      expect([...answer.policies]).toEqual([...expected.policies])
      expect([...answer.values]).toEqual([...expected.values])
    })
    // Three to a batch.
    expect(server.stats()).toEqual({ calls: 4, positions: 4, batches: 2, largest: 3 })
    await server.predict(encodeGames(games.slice(2)))
    expect(server.stats()).toEqual({ calls: 5, positions: 6, batches: 3, largest: 3 })
  })

  it('serves new weights from the next batch on', async () => {
    const server = new PolicyServer(SPEC, weights)
    const [before] = (await server.predict(encodeGames([games[2]!]))).values
    server.setWeights(weights.map((x) => -x))
    expect((await server.predict(encodeGames([games[2]!]))).values[0]).not.toBe(before)
  })

  it('refuses weights of another network and what is no position', async () => {
    expect(() => new PolicyServer(SPEC, weights.slice(1))).toThrow(RangeError)
    const server = new PolicyServer(SPEC, weights, 2)
    for (const length of [0, 83, 3 * 84])
      await expect(server.predict(new Float32Array(length))).rejects.toThrow(RangeError)
  })
})
