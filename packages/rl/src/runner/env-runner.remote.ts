/** The EnvRunner as an actor, in whichever tab has room; a lost one starts new episodes, and its sample is made again. */
import { actor } from '@shoal/sdk'
import { EnvRunner } from './env-runner.ts'

export const EnvRunnerActor = actor(EnvRunner, {
  maxRestarts: -1,
  maxTaskRetries: -1,
  schedulingStrategy: 'SPREAD',
})
