/** The EnvRunner as an actor, in whichever tab has room; a lost one starts new episodes, and its sample is made again. */
import { actor } from '@shoal/sdk'
import { EnvRunnerHost } from './env-runner-host.ts'

export const EnvRunnerActor = actor(EnvRunnerHost, {
  maxRestarts: -1,
  maxTaskRetries: -1,
  schedulingStrategy: 'SPREAD',
})
