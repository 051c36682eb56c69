/**
 * What plays and what learns LunarLander, as actors: the library's own, in a module that brings the environment along.
 *
 * A runner keeps a CPU for its life, so that there are as many as the room has slots: more are asked for, and those wait for
 * a tab to come. One whose tab goes is made again where there is room. The learner asks for no CPU, which keeps it in the tab that
 * drives the run, beside whatever plays there: when that tab goes, the run is over in any case.
 */
import { EnvRunnerHost, PpoLearnerHost } from '@shoal/rl'
import '@shoal/rl/lunar-lander'
import { actor } from '@shoal/sdk'

export const LanderRunner = actor(EnvRunnerHost, {
  numCpus: 1,
  maxRestarts: -1,
  maxTaskRetries: -1,
  schedulingStrategy: 'SPREAD',
})

export const LanderLearner = actor(PpoLearnerHost, { numCpus: 0 })
