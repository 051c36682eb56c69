/**
 * Evolution strategies over a Shoal room, written from the SDK's public entry alone.
 */
import { get, put, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { evaluate, rollouts } from './rollout.remote.ts'
import type { EvaluateResult, RolloutResult } from './rollout.remote.ts'
import { trainOver } from './train-loop.ts'
import type { EsFabric, EsIteration, TrainEsOptions } from './train-loop.ts'

/** The SDK's module-level functions, which speak for the page's session. */
const sdkFabric: EsFabric<ObjectRef<Float32Array>, ObjectRef<RolloutResult>, ObjectRef<EvaluateResult>> = {
  put: (theta) => put(theta),
  rollouts: (theta, request) => rollouts.remote(theta, request),
  evaluate: (theta, request) => evaluate.remote(theta, request),
  getRollouts: (ref, signal) => get(ref, waitOptions(signal)),
  getEvaluation: (ref, signal) => get(ref, waitOptions(signal)),
  async waitAny(refs, signal) {
    const [[first]] = await wait([...refs], { numReturns: 1, ...waitOptions(signal) })
    if (first === undefined) throw new Error('wait without a time limit came back empty')
    return first
  },
  nowMs: () => performance.now(),
}

function waitOptions(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

/**
 * Trains over every tab of the page's session (`init` first, or the first task does it), yielding after each iteration:
 *
 *     for await (const { iteration, meanReturn, solved } of trainEs({ settings: ES_SETTINGS.cartpole })) ...
 *
 * Lost tabs are the fabric's matter: their tasks are re-run. Leaving the loop releases what the iteration held.
 * @throws the signal's reason; a task's error when every task of an iteration failed.
 */
export function trainEs(options: TrainEsOptions): AsyncGenerator<EsIteration, void, undefined> {
  return trainOver(sdkFabric, options)
}
