/** PPO's Learner as its actor has it: takes whole samples, which arrive as the values of references. */
import type { Sample } from '../runner/env-runner.ts'
import type { PpoMetrics } from './ppo-learner.ts'
import { PpoLearner } from './ppo-learner.ts'

export interface PpoUpdate {
  readonly metrics: PpoMetrics
  /** Of the episodes that ended, in the order of the samples. */
  readonly returns: Float32Array
}

export class PpoLearnerHost extends PpoLearner {
  learn(...samples: Sample[]): PpoUpdate {
    const metrics = this.update(samples.flatMap(({ episodes }) => episodes))
    return { metrics, returns: Float32Array.from(samples.flatMap(({ returns }) => [...returns])) }
  }
}
