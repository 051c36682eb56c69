import { createApi, outsideOfTasks } from '@shoal/core-worker'
import type { Api } from '@shoal/core-worker'
import { checkEarly } from './early-check.ts'
import { mapStacks } from './map-stacks.ts'
import type { PageSession } from './page-session.ts'
import { stackSourcesOf } from './stack-sources.ts'

/** The SDK's functions over a page's session, which is asked for at each call; `nodeId` must not start one. */
export function createSessionApi(session: () => Pick<PageSession, 'core'>, nodeId: () => string): Api {
  const sources = stackSourcesOf(() => session().core)
  return createApi({
    core: () => session().core,
    moduleScope: () => undefined,
    checkEarly,
    prepareError: (error) => mapStacks(error, sources),
    context: () => outsideOfTasks(nodeId()),
  })
}
