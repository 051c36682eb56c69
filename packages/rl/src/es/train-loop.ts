/**
 * The driver's loop of evolution strategies over any fabric that has refs. Each iteration puts θ once, spreads the pairs over
 * tasks, takes results as they arrive, and updates in the plan's order, so that the run is the same whichever tab was
 * first. θ of an iteration is evaluated beside its rollouts, not after them: no tab waits for it.
 * It does not know sessions or tabs; `train.ts` gives it the SDK's.
 */
import { createEsState, esPlan, esUpdate, evaluationSeeds } from './es.ts'
import type { EsPlan, EsState } from './es.ts'
import { Gathered, splitPairs } from './gathered.ts'
import type { PairSlice, Settled } from './gathered.ts'
import { mean } from './mean.ts'
import type { EvaluateResult, RolloutResult } from './rollout.remote.ts'
import type { EvaluateRequest, RolloutRequest } from './rollout.ts'
import type { EsSettings } from './settings.ts'

/** What the loop needs of the SDK: Ray's put, get and wait, the two tasks, and a clock for the rate it reports. */
export interface EsFabric<ThetaRef extends Disposable, RolloutRef extends Disposable, EvaluateRef extends Disposable> {
  put(theta: Float32Array): ThetaRef
  rollouts(theta: ThetaRef, request: RolloutRequest): RolloutRef
  evaluate(theta: ThetaRef, request: EvaluateRequest): EvaluateRef
  /** Rejects with the task's error, or with the signal's reason. */
  getRollouts(ref: RolloutRef, signal: AbortSignal | undefined): Promise<RolloutResult>
  getEvaluation(ref: EvaluateRef, signal: AbortSignal | undefined): Promise<EvaluateResult>
  /** The first ref that is done, well or not. Rejects with the signal's reason. */
  waitAny(refs: readonly RolloutRef[], signal: AbortSignal | undefined): Promise<RolloutRef>
  nowMs(): number
}

export interface TrainEsOptions {
  readonly settings: EsSettings
  /** Decides everything but who plays what: same seed, same run. Default 0. */
  readonly seed?: number
  /**
   * Tasks an iteration, asked anew each time since tabs come and go: two to four for each worker slot keep all busy.
   * Default 8; never more than there are pairs.
   */
  readonly tasks?: number | (() => number)
  /** Ask each task for the states of one episode, for drawing. */
  readonly trace?: boolean
  /** Called with each result as it arrives, before the update; what it throws ends the run. */
  readonly onRollouts?: (result: RolloutResult, iteration: number) => void
  /** Likewise with each evaluation. */
  readonly onEvaluation?: (result: EvaluateResult, iteration: number) => void
  /** Ends the run: the generator throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Goes on from here instead of from `seed`. */
  readonly resumeFrom?: EsState
}

export interface EsIteration {
  /** 0 for the first. */
  readonly iteration: number
  /** Over the whole perturbed population. */
  readonly meanReturn: number
  /** Mean greedy return of the θ this iteration started from; absent when it was not evaluated. */
  readonly evalReturn?: number
  /** Environment steps of training since this run began. */
  readonly steps: number
  /** Of this iteration, waiting included. */
  readonly stepsPerSecond: number
  /** The evaluation reached the settings' `solvedReturn`: the run ends here, and `state` is what solved it. */
  readonly solved: boolean
  /** Rollout tasks done and time spent on them in this iteration, by node id. */
  readonly byNode: ReadonlyMap<string, { readonly tasks: number; readonly cpuMs: number }>
  /** Pairs whose task failed for good; the update went on without them. */
  readonly skippedPairs: number
  /** After the update, or as evaluated when solved. */
  readonly state: EsState
}

/**
 * Yields after every iteration, the last of which is solved or number `settings.maxIterations`.
 * @throws the signal's reason; a task's error when every task of an iteration failed; RangeError for a bad `tasks`.
 */
export async function* trainOver<T extends Disposable, R extends Disposable, E extends Disposable>(
  fabric: EsFabric<T, R, E>,
  options: TrainEsOptions,
): AsyncGenerator<EsIteration, void, undefined> {
  let state = options.resumeFrom ?? createEsState(options.settings, options.seed ?? 0)
  let steps = 0
  while (state.iteration < options.settings.maxIterations) {
    const done = await runIteration(fabric, options, state, steps)
    state = done.state
    steps = done.steps
    yield done
    if (done.solved) return
  }
}

async function runIteration<T extends Disposable, R extends Disposable, E extends Disposable>(
  fabric: EsFabric<T, R, E>,
  options: TrainEsOptions,
  state: EsState,
  stepsBefore: number,
): Promise<EsIteration> {
  const { settings, signal, trace } = options
  signal?.throwIfAborted()
  const startMs = fabric.nowMs()
  const plan = esPlan(state, settings)
  const held: Disposable[] = []
  const hold = <Ref extends Disposable>(ref: Ref): Ref => {
    held.push(ref)
    return ref
  }
  try {
    const theta = hold(fabric.put(state.theta))
    const pending = new Map<R, PairSlice>()
    for (const slice of splitPairs(settings.pairs, taskCount(options.tasks))) {
      pending.set(hold(fabric.rollouts(theta, rolloutRequest(settings, plan, slice, trace))), slice)
    }
    const isEvaluated = state.iteration % settings.evaluateEvery === 0
    const evaluation = isEvaluated ? hold(fabric.evaluate(theta, evaluateRequest(settings, state, trace))) : undefined

    const gathered = new Gathered(plan)
    while (pending.size > 0) {
      const ref = await fabric.waitAny([...pending.keys()], signal)
      const slice = pending.get(ref)
      if (slice === undefined) throw new Error('waitAny answered with a ref it was not asked about')
      pending.delete(ref)
      const result = await settled(fabric.getRollouts(ref, signal), signal)
      if (gathered.add(slice, result) && result.isDone) options.onRollouts?.(result.value, state.iteration)
    }
    gathered.throwIfEmpty()

    let evalReturn: number | undefined
    if (evaluation !== undefined) {
      // A failed evaluation costs a point of the curve, not the run: the next one will tell.
      const result = await settled(fabric.getEvaluation(evaluation, signal), signal)
      if (result.isDone) {
        evalReturn = mean(result.value.returns)
        options.onEvaluation?.(result.value, state.iteration)
      }
    }
    const solved = evalReturn !== undefined && evalReturn >= settings.solvedReturn
    const outcome = gathered.inPlanOrder()
    const elapsedMs = Math.max(fabric.nowMs() - startMs, 0.001)
    return {
      iteration: state.iteration,
      meanReturn: mean(outcome.returns),
      ...(evalReturn === undefined ? {} : { evalReturn }),
      steps: stepsBefore + gathered.steps,
      stepsPerSecond: (gathered.steps / elapsedMs) * 1000,
      solved,
      byNode: gathered.byNode,
      skippedPairs: settings.pairs - outcome.indices.length,
      state: solved ? state : esUpdate(state, settings, outcome),
    }
  } finally {
    for (const ref of held) ref[Symbol.dispose]()
  }
}

/** A task's failure as a value; an abort is thrown, since it ends the run. */
async function settled<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<Settled<T>> {
  try {
    return { isDone: true, value: await result }
  } catch (error) {
    signal?.throwIfAborted()
    return { isDone: false, error }
  }
}

function taskCount(tasks: TrainEsOptions['tasks']): number {
  const count = typeof tasks === 'function' ? tasks() : (tasks ?? 8)
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`tasks must be a whole number of 1 or more, got ${count}`)
  return count
}

function rolloutRequest(settings: EsSettings, plan: EsPlan, slice: PairSlice, trace = false): RolloutRequest {
  const { policy, noise, sigma, episodesPerPair } = settings
  return {
    policy,
    noise,
    sigma,
    episodesPerPair,
    // slice(), not subarray(): a view would travel with the whole plan behind it.
    indices: plan.indices.slice(slice.start, slice.end),
    episodeSeeds: plan.episodeSeeds.slice(slice.start, slice.end),
    trace,
  }
}

function evaluateRequest(settings: EsSettings, state: EsState, trace = false): EvaluateRequest {
  return { policy: settings.policy, episodeSeeds: evaluationSeeds(state, settings.evaluateEpisodes), trace }
}
