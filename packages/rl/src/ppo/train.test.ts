/** Runners and learner as actors of several tabs. */
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RecordedSample } from '../runner/env-runner-host.ts'
import { PPO_SETTINGS } from './ppo-settings.ts'
import type { PpoSettings } from './ppo-settings.ts'
import type { PpoIteration, TrainPpoOptions } from './train.ts'
import { trainPpo } from './train.ts'
import { trainPpoLocally } from './train-locally.ts'

const small: PpoSettings = {
  ...PPO_SETTINGS.cartpole,
  module: { ...PPO_SETTINGS.cartpole.module, hidden: [8] },
  runners: 3,
  stepsPerIteration: 192,
  epochs: 2,
  minibatch: 64,
  maxIterations: 3,
}

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 3, workers: 2, seed: 1, mustReleaseRefs: true, console: false })
})

afterEach(() => room.close())

async function train(options: Partial<TrainPpoOptions> = {}): Promise<PpoIteration[]> {
  const iterations: PpoIteration[] = []
  for await (const iteration of trainPpo({ settings: small, seed: 7, ...options })) iterations.push(iteration)
  return iterations
}

describe('trainPpo', () => {
  it('with a barrier computes over tabs what one thread computes, bit for bit', async () => {
    let parameters: Float32Array | undefined
    let last: PpoIteration | undefined
    for await (const iteration of trainPpo({ settings: small, seed: 7 })) {
      last = iteration
      if (iteration.iteration === 2) ({ parameters } = await iteration.state())
    }
    const local = trainPpoLocally(small, 7)
    expect(parameters).toEqual(local.state.parameters)
    expect(last?.steps).toBe(local.steps)
    expect(last?.metrics).toEqual(local.metrics)
    expect(last?.meanReturn).toBe(local.meanReturns.at(-1))
  })

  it('by wait learns from enough samples, whoever made them', async () => {
    // However slow a runner is: this is not about what is too old.
    const iterations = await train({ gather: 'wait', sampleSteps: 32, maxStaleness: 10 })
    expect(iterations.map(({ iteration }) => iteration)).toEqual([0, 1, 2])
    for (const { metrics } of iterations) expect(metrics.steps).toBe(192)
    expect(iterations[0]?.staleSamples).toBe(0)
    // What was under way during an update is a little old, and counts.
    expect(iterations[1]!.staleSamples).toBeGreaterThan(0)
    expect(iterations.every(({ droppedSamples }) => droppedSamples === 0)).toBe(true)
    expect(iterations.at(-1)!.metrics.kl).toBeGreaterThan(0)
  })

  it('by wait solves CartPole, whichever runner is first', async () => {
    const iterations = await train({ settings: { ...PPO_SETTINGS.cartpole, maxIterations: 150 }, gather: 'wait' })
    expect(iterations.at(-1)?.solved).toBe(true)
    expect(iterations.at(-1)?.meanReturn).toBeGreaterThanOrEqual(475)
  }, 60_000)

  it('by wait throws away what is too old', async () => {
    const iterations = await train({ gather: 'wait', sampleSteps: 32, maxStaleness: 0 })
    expect(iterations[1]!.droppedSamples).toBe(iterations[1]!.staleSamples)
    expect(iterations[1]!.droppedSamples).toBeGreaterThan(0)
    expect(iterations[1]!.metrics.steps).toBe(192)
  })

  it.each(['barrier', 'wait'] as const)('shows each sample, who made it and where, with %s', async (gather) => {
    const samples: RecordedSample[] = []
    await train({ gather, sampleSteps: 64, maxStaleness: 10, onSample: (sample) => samples.push(sample) })
    const steps = samples.reduce((sum, sample) => sum + sample.steps, 0)
    expect(steps).toBe(3 * 192)
    expect(samples.every(({ runner }) => [0, 1, 2].includes(runner))).toBe(true)
    const tabs = room.tabs.map(({ nodeId }) => nodeId)
    expect(samples.every(({ nodeId, cpuMs }) => tabs.includes(nodeId) && cpuMs >= 0)).toBe(true)
    // By wait it may be the fastest one that made them all.
    if (gather === 'barrier') expect(samples.map(({ runner }) => runner)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  })

  it('goes on from a state', async () => {
    const [first] = await train({ settings: { ...small, maxIterations: 1 } })
    expect(first?.solved).toBe(false)
    const { state } = trainPpoLocally({ ...small, maxIterations: 1 }, 7)
    const rest = await train({ resumeFrom: state })
    expect(rest.map(({ iteration }) => iteration)).toEqual([1, 2])
  })

  it('goes on when a tab with a runner is lost', async () => {
    const seen: number[] = []
    for await (const { iteration } of trainPpo({ settings: { ...small, maxIterations: 4 }, seed: 7 })) {
      seen.push(iteration)
      if (iteration === 0) room.killTab(2)
    }
    expect(seen).toEqual([0, 1, 2, 3])
  })

  it('says where an environment is missing', async () => {
    const settings: PpoSettings = { ...small, module: { ...small.module, env: 'LunarLander-v3' } }
    await expect(train({ settings })).rejects.toThrow(/no environment named 'LunarLander-v3'/)
  })

  it('throws the reason of an abort, and holds nothing afterwards', async () => {
    const abort = new AbortController()
    const run = (async () => {
      for await (const _ of trainPpo({ settings: small, gather: 'wait', signal: abort.signal })) {
        abort.abort(new Error('enough'))
      }
    })()
    await expect(run).rejects.toThrow('enough')
  })
})
