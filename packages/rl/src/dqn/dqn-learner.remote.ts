/** DQN's Learner as an actor, which keeps the replay buffer. Samples come as references and pass the driver by. */
import { actor } from '@shoal/sdk'
import type { Sample } from '../runner/env-runner.ts'
import type { DqnMetrics } from './dqn-learner.ts'
import { DqnLearner } from './dqn-learner.ts'
import type { DqnSettings } from './dqn-settings.ts'

export interface DqnUpdate {
  readonly metrics: DqnMetrics
  /** Of the episodes that ended, in the order of the samples. */
  readonly returns: Float32Array
}

class DqnLearnerHost extends DqnLearner {
  constructor(settings: DqnSettings, seed: number) {
    super(settings, seed)
  }

  learn(...samples: Sample[]): DqnUpdate {
    const metrics = this.update(samples.flatMap(({ episodes }) => episodes))
    return { metrics, returns: Float32Array.from(samples.flatMap(({ returns }) => [...returns])) }
  }
}

export const DqnLearnerActor = actor(DqnLearnerHost)
