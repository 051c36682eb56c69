/**
 * The driver's loop over a fabric in this thread that plays every task for real, hands results out in a chosen order and
 * fails the tasks it is told to.
 */
import { describe, expect, it } from 'vitest'
import type { EvaluateResult, RolloutResult } from './rollout.remote.ts'
import type { RolloutRequest } from './rollout.ts'
import { runEvaluation, runRollouts } from './rollout.ts'
import { ES_SETTINGS } from './settings.ts'
import type { EsSettings } from './settings.ts'
import type { EsFabric, EsIteration, TrainEsOptions } from './train-loop.ts'
import { trainOver } from './train-loop.ts'
import { trainLocally } from './train-locally.ts'

class Ref<T> implements Disposable {
  readonly value: () => T
  readonly #onDispose: () => void
  constructor(value: () => T, onDispose: () => void) {
    this.value = value
    this.#onDispose = onDispose
  }
  [Symbol.dispose](): void {
    this.#onDispose()
  }
}

interface InProcessOptions {
  /** Which of the pending refs is done first. */
  readonly pick?: (pending: number) => number
  /** Changes or replaces the result of the n-th rollout task by throwing or returning. */
  readonly tamper?: (result: RolloutResult, task: number) => RolloutResult
  readonly isEvaluationLost?: boolean
}

class InProcess implements EsFabric<Ref<Float32Array>, Ref<RolloutResult>, Ref<EvaluateResult>> {
  live = 0
  puts = 0
  readonly requests: RolloutRequest[] = []
  readonly #options: InProcessOptions
  #nowMs = 0

  constructor(options: InProcessOptions = {}) {
    this.#options = options
  }

  put(theta: Float32Array): Ref<Float32Array> {
    this.puts += 1
    const copy = theta.slice()
    return this.#ref(() => copy)
  }

  rollouts(theta: Ref<Float32Array>, request: RolloutRequest): Ref<RolloutResult> {
    const task = this.requests.push(request) - 1
    return this.#ref(() => {
      const nodeId = `node-${task % 2}`
      const result = { ...runRollouts(theta.value(), request), nodeId, workerId: 1, cpuMs: 2 }
      return this.#options.tamper?.(result, task) ?? result
    })
  }

  evaluate(theta: Ref<Float32Array>, request: Parameters<typeof runEvaluation>[1]): Ref<EvaluateResult> {
    return this.#ref(() => {
      if (this.#options.isEvaluationLost) throw new Error('evaluation lost')
      return { ...runEvaluation(theta.value(), request), nodeId: 'node-0', workerId: 1, cpuMs: 1 }
    })
  }

  async getRollouts(ref: Ref<RolloutResult>, signal: AbortSignal | undefined): Promise<RolloutResult> {
    signal?.throwIfAborted()
    return Promise.resolve().then(() => ref.value())
  }

  async getEvaluation(ref: Ref<EvaluateResult>, signal: AbortSignal | undefined): Promise<EvaluateResult> {
    signal?.throwIfAborted()
    return Promise.resolve().then(() => ref.value())
  }

  async waitAny(refs: readonly Ref<RolloutResult>[], signal: AbortSignal | undefined): Promise<Ref<RolloutResult>> {
    signal?.throwIfAborted()
    return Promise.resolve(refs[this.#options.pick?.(refs.length) ?? 0]!)
  }

  nowMs(): number {
    this.#nowMs += 5
    return this.#nowMs
  }

  #ref<T>(value: () => T): Ref<T> {
    this.live += 1
    return new Ref(value, () => {
      this.live -= 1
    })
  }
}

const SHORT: EsSettings = { ...ES_SETTINGS.cartpole, pairs: 10, maxIterations: 4, solvedReturn: 501, evaluateEvery: 2 }

async function train(fabric: InProcess, options: Partial<TrainEsOptions> = {}): Promise<EsIteration[]> {
  const iterations: EsIteration[] = []
  for await (const done of trainOver(fabric, { settings: SHORT, seed: 4, ...options })) iterations.push(done)
  return iterations
}

describe('trainOver', () => {
  it('is the local run, whatever the number of tasks and the order of arrival', async () => {
    const local = trainLocally(SHORT, 4)
    const forward = await train(new InProcess(), { tasks: 3 })
    const backward = await train(new InProcess({ pick: (pending) => pending - 1 }), { tasks: () => 7 })
    for (const run of [forward, backward]) {
      expect(run.map((done) => done.iteration)).toEqual([0, 1, 2, 3])
      expect(run.at(-1)?.state).toEqual(local.state)
      expect(run.at(-1)?.steps).toBe(local.steps)
      expect(run.map((done) => done.meanReturn)).toEqual(local.meanReturns)
    }
  })

  it('puts θ once an iteration, splits all pairs evenly, and gives every ref back', async () => {
    const fabric = new InProcess()
    await train(fabric, { tasks: 4 })
    expect(fabric.puts).toBe(4)
    expect(fabric.requests.slice(0, 4).map((request) => request.indices.length)).toEqual([2, 3, 2, 3])
    expect(fabric.requests[0]?.indices.buffer.byteLength).toBe(8)
    expect(fabric.live).toBe(0)
  })

  it('reports who did what, the rate, and an evaluation every second time', async () => {
    const run = await train(new InProcess(), { tasks: 4 })
    expect([...run[0]!.byNode]).toEqual([
      ['node-0', { tasks: 2, cpuMs: 4 }],
      ['node-1', { tasks: 2, cpuMs: 4 }],
    ])
    expect(run[0]!.stepsPerSecond).toBe(run[0]!.steps / 0.005)
    expect(run.map((done) => done.evalReturn !== undefined)).toEqual([true, false, true, false])
  })

  it('shows each result as it arrives, with its trace', async () => {
    const seen: number[] = []
    await train(new InProcess({ pick: (pending) => pending - 1 }), {
      tasks: 5,
      trace: true,
      onRollouts: (result, iteration) => {
        expect(result.trace?.length).toBeGreaterThan(4)
        seen.push(iteration)
      },
    })
    expect(seen).toEqual([0, 1, 2, 3].flatMap((iteration) => Array<number>(5).fill(iteration)))
  })

  it('ends when solved, with the parameters that solved it', async () => {
    const settings = ES_SETTINGS.cartpole
    const run = await train(new InProcess(), { settings, seed: 1 })
    const last = run.at(-1)!
    expect(last.solved).toBe(true)
    expect(last.evalReturn).toBeGreaterThanOrEqual(475)
    expect(run.filter((done) => done.solved)).toHaveLength(1)
    expect(last.state).toEqual(trainLocally(settings, 1).state)
  })

  it('goes on from a state as if it had never stopped', async () => {
    const whole = await train(new InProcess())
    const rest = await train(new InProcess(), { resumeFrom: whole[1]!.state })
    expect(rest.map((done) => done.iteration)).toEqual([2, 3])
    expect(rest.at(-1)?.state).toEqual(whole.at(-1)?.state)
  })
})

describe('trainOver when things go wrong', () => {
  const broken: readonly [string, (result: RolloutResult) => RolloutResult][] = [
    [
      'fails',
      () => {
        throw new Error('out of luck')
      },
    ],
    ['answers for other pairs', (result) => ({ ...result, indices: result.indices.map((index) => index + 1) })],
    ['answers NaN', (result) => ({ ...result, returns: result.returns.map(() => Number.NaN) })],
    ['answers with too few returns', (result) => ({ ...result, returns: result.returns.slice(1) })],
  ]

  it.each(broken)('goes on without the pairs of a task that %s', async (_, breakIt) => {
    const seen: number[] = []
    const fabric = new InProcess({ tamper: (result, task) => (task === 1 ? breakIt(result) : result) })
    const run = await train(fabric, { tasks: 5, onRollouts: (_result, iteration) => seen.push(iteration) })
    expect(run.map((done) => done.skippedPairs)).toEqual([2, 0, 0, 0])
    expect(seen.filter((iteration) => iteration === 0)).toHaveLength(4)
    expect(run.at(-1)!.state.theta.every((value) => Number.isFinite(value))).toBe(true)
    expect(fabric.live).toBe(0)
  })

  it('throws the task error when nothing of an iteration came back, and gives its refs back', async () => {
    const fabric = new InProcess({
      tamper: () => {
        throw new Error('every tab is out of luck')
      },
    })
    await expect(train(fabric)).rejects.toThrow('every tab is out of luck')
    expect(fabric.live).toBe(0)
  })

  it('loses a point of the curve with a lost evaluation, not the run', async () => {
    const run = await train(new InProcess({ isEvaluationLost: true }))
    expect(run).toHaveLength(4)
    expect(run.every((done) => done.evalReturn === undefined)).toBe(true)
  })

  it('throws the reason of an abort in mid-iteration, and gives its refs back', async () => {
    const abort = new AbortController()
    const fabric = new InProcess()
    const run = train(fabric, { signal: abort.signal, onRollouts: () => abort.abort(new Error('enough')) })
    await expect(run).rejects.toThrow('enough')
    expect(fabric.live).toBe(0)
    expect(fabric.puts).toBe(1)
  })

  it.each([0, -1, 1.5])('refuses %s tasks', async (tasks) => {
    const fabric = new InProcess()
    await expect(train(fabric, { tasks })).rejects.toThrow(RangeError)
    expect(fabric.live).toBe(0)
  })
})
