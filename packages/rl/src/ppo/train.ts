/**
 * PPO over a Shoal room, written from the SDK's public entry alone: EnvRunner actors play, a Learner actor learns, and
 * references go from one to the other, so that the driver sees figures only.
 */
import { get, wait } from '@shoal/sdk'
import type { ActorHandle, ObjectRef } from '@shoal/sdk'
import type { EnvRunnerHost, RecordedSample } from '../runner/env-runner-host.ts'
import type { SampleRequest } from '../runner/env-runner.ts'
import { EnvRunnerActor } from '../runner/env-runner.remote.ts'
import type { PpoMetrics, PpoState } from './ppo-learner.ts'
import { PpoLearnerActor } from './ppo-learner.remote.ts'
import type { PpoSettings } from './ppo-settings.ts'
import { RecentReturns } from '../runner/recent-returns.ts'

export interface TrainPpoOptions {
  readonly settings: PpoSettings
  /** Default 0. With `gather: 'barrier'` it decides everything. */
  readonly seed?: number
  /**
   * barrier: each update waits for one sample of every runner. wait: samples are short, each runner gets its next one as soon as one
   * is back, and an update begins when there are enough steps; what is under way then counts for the next update. Default barrier.
   */
  readonly gather?: 'barrier' | 'wait'
  /** Steps of one sample with `gather: 'wait'`. Default: so that each runner gives about four an iteration. */
  readonly sampleSteps?: number
  /** With `gather: 'wait'`: a sample made with weights more updates old than this is thrown away. Default 1. */
  readonly maxStaleness?: number
  /** Ends the run: the generator throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Goes on from here instead of from `seed`. */
  readonly resumeFrom?: PpoState
  /**
   * Called with each sample once it is there. The driver then fetches all samples too, which costs little while they are
   * small enough to travel in messages (100 KiB).
   */
  readonly onSample?: (sample: RecordedSample) => void
  /** The actor that plays; one from a remote module of yours where environments are registered. */
  readonly runnerActor?: typeof EnvRunnerActor
  /** Likewise the one that learns, which needs to know the environment's sizes. */
  readonly learnerActor?: typeof PpoLearnerActor
}

export interface PpoIteration {
  /** 0 for the first. */
  readonly iteration: number
  /** Of the last `solvedEpisodes` episodes; NaN before the first has ended. */
  readonly meanReturn: number
  /** Learned from since this run began. */
  readonly steps: number
  readonly metrics: PpoMetrics
  /** Samples that were made with weights older than the last. */
  readonly staleSamples: number
  /** Samples thrown away because they were too old. */
  readonly droppedSamples: number
  /** The settings' goal is reached: the run ends here. */
  readonly solved: boolean
  /** Fetches the learner's state, to keep or to go on from; before the next iteration is asked for. */
  readonly state: () => Promise<PpoState>
}

type RunnerHandle = ActorHandle<EnvRunnerHost>

/**
 * Trains over every tab of the page's session, yielding after each update until solved or out of `maxIterations`. Lost
 * runners are started again; a lost learner ends the run. Leaving the loop ends all actors.
 * @throws the signal's reason; ActorDiedError when the learner was lost; TaskError for settings that fit no environment.
 */
export async function* trainPpo(options: TrainPpoOptions): AsyncGenerator<PpoIteration, void, undefined> {
  const { settings, seed = 0, gather = 'barrier', signal, resumeFrom } = options
  const { runnerActor = EnvRunnerActor, learnerActor = PpoLearnerActor } = options
  const { module, envsPerRunner: envs } = settings
  const waiting = signal === undefined ? {} : { signal }
  signal?.throwIfAborted()
  const held = new Set<Disposable>()
  const hold = <T extends Disposable>(resource: T): T => {
    held.add(resource)
    return resource
  }
  const release = (resource: Disposable): void => {
    held.delete(resource)
    resource[Symbol.dispose]()
  }
  try {
    const learner = hold(learnerActor.remote(settings, seed, resumeFrom))
    const runners = Array.from({ length: settings.runners }, (_, index) =>
      hold(runnerActor.remote({ module, envs, seed, index })),
    )
    const first = resumeFrom?.updates ?? 0
    const gatherer =
      gather === 'wait' ? new Waiting(options, runners, hold, first) : new Barrier(options, runners, hold)
    const recent = new RecentReturns(settings)
    let steps = 0
    for (let iteration = first; iteration < settings.maxIterations; iteration += 1) {
      const weights = hold(learner.getWeights.remote())
      const gathered = await gatherer.gather(weights, iteration, waiting)
      const update = hold(learner.learn.remote(...gathered.samples))
      const { metrics, returns } = await get(update, waiting)
      for (const ref of [update, ...gathered.samples, ...gathered.dropped]) release(ref)
      release(weights)
      steps += metrics.steps
      recent.add(returns)
      yield {
        iteration,
        meanReturn: recent.mean,
        steps,
        metrics,
        staleSamples: gathered.stale,
        droppedSamples: gathered.dropped.length,
        solved: recent.isSolved,
        state: async () => {
          using state = learner.getState.remote()
          return await get(state, waiting)
        },
      }
      if (recent.isSolved) return
    }
  } finally {
    // Actors last: a call that is under way ends with its actor.
    for (const resource of [...held].reverse()) release(resource)
  }
}

interface Gathered {
  readonly samples: readonly ObjectRef<RecordedSample>[]
  readonly dropped: readonly ObjectRef<RecordedSample>[]
  readonly stale: number
}

type Cancellable = { readonly signal?: AbortSignal }
type Hold = <T extends Disposable>(resource: T) => T

/** One sample of every runner, in the runners' order. Nobody waits here, unless somebody looks: the update's arguments do. */
class Barrier {
  readonly #runners: readonly RunnerHandle[]
  readonly #hold: Hold
  readonly #steps: number
  readonly #onSample: TrainPpoOptions['onSample']

  constructor({ settings, onSample }: TrainPpoOptions, runners: readonly RunnerHandle[], hold: Hold) {
    this.#onSample = onSample
    this.#runners = runners
    this.#hold = hold
    this.#steps = Math.ceil(settings.stepsPerIteration / settings.runners)
  }

  async gather(weights: ObjectRef<Float32Array>, iteration: number, waiting: Cancellable): Promise<Gathered> {
    const request: SampleRequest = { steps: this.#steps, round: iteration, explore: { kind: 'sample' } }
    const samples = this.#runners.map((runner) => this.#hold(runner.sample.remote(weights, request)))
    if (this.#onSample !== undefined) for (const sample of samples) this.#onSample(await get(sample, waiting))
    return { samples, dropped: [], stale: 0 }
  }
}

/** Samples as they come (section 5.3.2 of Ray's paper), until there are enough steps; each runner always has one to make. */
class Waiting {
  readonly #runners: readonly RunnerHandle[]
  readonly #hold: Hold
  readonly #enough: number
  readonly #sampleSteps: number
  readonly #maxStaleness: number
  readonly #onSample: TrainPpoOptions['onSample']
  readonly #underWay = new Map<ObjectRef<RecordedSample>, { readonly runner: RunnerHandle; readonly version: number }>()
  #round = 0

  constructor(options: TrainPpoOptions, runners: readonly RunnerHandle[], hold: Hold, first: number) {
    const { settings, sampleSteps, maxStaleness = 1, onSample } = options
    const envs = settings.envsPerRunner
    const steps = sampleSteps ?? settings.stepsPerIteration / (4 * settings.runners)
    if (!(steps >= 1)) throw new RangeError(`sampleSteps must be 1 or more, got ${steps}`)
    this.#runners = runners
    this.#hold = hold
    this.#sampleSteps = Math.ceil(steps / envs) * envs
    this.#enough = settings.stepsPerIteration
    this.#maxStaleness = maxStaleness
    this.#onSample = onSample
    // A run that goes on draws other actions than it began with.
    this.#round = first * 1_000_003
  }

  async gather(weights: ObjectRef<Float32Array>, version: number, waiting: Cancellable): Promise<Gathered> {
    const samples: ObjectRef<RecordedSample>[] = []
    const dropped: ObjectRef<RecordedSample>[] = []
    let stale = 0
    const busy = new Set([...this.#underWay.values()].map(({ runner }) => runner))
    for (const runner of this.#runners) if (!busy.has(runner)) this.#submit(runner, weights, version)
    while (samples.length * this.#sampleSteps < this.#enough) {
      const [ready] = await wait([...this.#underWay.keys()], { numReturns: 1, ...waiting })
      for (const ref of ready) {
        const made = this.#underWay.get(ref)
        if (made === undefined) continue
        this.#underWay.delete(ref)
        const age = version - made.version
        if (age > 0) stale += 1
        if (age > this.#maxStaleness) dropped.push(ref)
        else samples.push(ref)
        this.#submit(made.runner, weights, version)
        if (this.#onSample !== undefined) this.#onSample(await get(ref, waiting))
      }
    }
    return { samples, dropped, stale }
  }

  #submit(runner: RunnerHandle, weights: ObjectRef<Float32Array>, version: number): void {
    const request: SampleRequest = { steps: this.#sampleSteps, round: this.#round, explore: { kind: 'sample' } }
    this.#round += 1
    this.#underWay.set(this.#hold(runner.sample.remote(weights, request)), { runner, version })
  }
}
