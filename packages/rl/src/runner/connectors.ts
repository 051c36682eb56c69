/**
 * What stands between environment and network, as RLlib's connectors: data that says what to do, so that it travels with
 * a task, and a pure function made of it where it is needed. Those of observations run in order.
 */
import type { Action, ActionSpec } from '../envs/env.ts'

/** Env to module: each observation is multiplied by factors, or clipped to ±bound. */
export type ObservationConnector =
  { readonly kind: 'scale'; readonly factors: readonly number[] } | { readonly kind: 'clip'; readonly bound: number }

/** Takes the observation at `offset` of `values` through the connectors, in place. */
export type ObservationPipeline = (values: Float32Array, offset: number) => void

/** @throws RangeError when a scale has another size than the observation. */
export function observationPipeline(connectors: readonly ObservationConnector[], size: number): ObservationPipeline {
  for (const connector of connectors) {
    if (connector.kind === 'scale' && connector.factors.length !== size) {
      throw new RangeError(`a scale needs ${size} factors, got ${connector.factors.length}`)
    }
  }
  return (values, offset) => {
    for (const connector of connectors) {
      for (let i = 0; i < size; i += 1) {
        const value = values[offset + i]!
        values[offset + i] =
          connector.kind === 'scale'
            ? value * connector.factors[i]!
            : Math.min(Math.max(value, -connector.bound), connector.bound)
      }
    }
  }
}

/** Module to env: an index as it is; continuous actions clipped to ±1, then in units of the bound. Lends the same array. */
export function actionConnector(spec: ActionSpec): (actions: Float32Array, offset: number) => Action {
  if (spec.kind === 'discrete') return (actions, offset) => actions[offset]!
  const lent = new Float64Array(spec.size ?? 1)
  return (actions, offset) => {
    for (let i = 0; i < lent.length; i += 1) lent[i] = spec.bound * Math.min(Math.max(actions[offset + i]!, -1), 1)
    return lent
  }
}
