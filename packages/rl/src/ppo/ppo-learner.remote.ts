/**
 * PPO's Learner as an actor. Samples come as references, so that what the runners saw goes from their tabs to the learner's
 * and not through the driver, which only hears how it went.
 */
import { actor } from '@shoal/sdk'
import type { Sample } from '../runner/env-runner.ts'
import type { PpoMetrics } from './ppo-learner.ts'
import { PpoLearner } from './ppo-learner.ts'

export interface PpoUpdate {
  readonly metrics: PpoMetrics
  /** Of the episodes that ended, in the order of the samples. */
  readonly returns: Float32Array
}

class PpoLearnerHost extends PpoLearner {
  learn(...samples: Sample[]): PpoUpdate {
    const metrics = this.update(samples.flatMap(({ episodes }) => episodes))
    return { metrics, returns: Float32Array.from(samples.flatMap(({ returns }) => [...returns])) }
  }
}

export const PpoLearnerActor = actor(PpoLearnerHost)
