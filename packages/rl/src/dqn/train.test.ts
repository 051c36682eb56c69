import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DQN_SETTINGS } from './dqn-settings.ts'
import type { DqnSettings } from './dqn-settings.ts'
import { trainDqn } from './train.ts'
import type { DqnIteration } from './train.ts'
import { trainDqnLocally } from './train-locally.ts'

const small: DqnSettings = {
  ...DQN_SETTINGS.cartpole,
  module: { ...DQN_SETTINGS.cartpole.module, hidden: [8] },
  learningStarts: 100,
  updatesPerIteration: 4,
  stepsPerIteration: 64,
  maxIterations: 4,
}

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 2, workers: 2, seed: 1, mustReleaseRefs: true })
})

afterEach(() => room.close())

it('trainDqn computes over tabs what one thread computes, bit for bit', async () => {
  let parameters: Float32Array | undefined
  let last: DqnIteration | undefined
  for await (const iteration of trainDqn({ settings: small, seed: 3 })) {
    last = iteration
    if (iteration.iteration === 3) ({ parameters } = await iteration.state())
  }
  const local = trainDqnLocally(small, 3)
  expect(local.state.updates).toBe(12)
  expect(parameters).toEqual(local.state.parameters)
  expect(last?.metrics).toEqual(local.metrics)
  expect(last?.meanReturn).toBe(local.meanReturns.at(-1))
})

it('trainDqn ends with its signal, and when it is left', async () => {
  const abort = new AbortController()
  const run = (async () => {
    for await (const _ of trainDqn({ settings: small, signal: abort.signal })) abort.abort(new Error('enough'))
  })()
  await expect(run).rejects.toThrow('enough')
  for await (const { iteration } of trainDqn({ settings: small })) {
    expect(iteration).toBe(0)
    break
  }
})
