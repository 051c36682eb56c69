/**
 * PPO's Learner as an actor. Samples come as references, so that what the runners saw goes from their tabs to the learner's
 * and not through the driver, which only hears how it went.
 */
import { actor } from '@shoal/sdk'
import { PpoLearnerHost } from './ppo-learner-host.ts'

export const PpoLearnerActor = actor(PpoLearnerHost)
