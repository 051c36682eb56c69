import { callSiteOf, createApi } from '@shoal/core-worker'
import type { Api } from '@shoal/core-worker'
import { currentSession, mustSession } from './current-session.ts'
import { mapStacks } from './map-stacks.ts'
import { bundleOfVersion } from './remote-module.ts'

/** The page's functions: they go through the current session and start one when there is none. */
export const pageApi: Api = createApi({
  core: () => mustSession().core,
  moduleScope: () => undefined,
  prepareError: (error) =>
    mapStacks(error, {
      bundle: bundleOfVersion,
      callSite: (mark) => callSiteOf(mustSession().core.codes.known(), mark),
    }),
  context: () => ({
    nodeId: currentSession() === undefined ? '' : mustSession().nodeId,
    workerId: 0,
    jobId: '',
    taskId: undefined,
    taskName: undefined,
    attempt: 0,
  }),
})
