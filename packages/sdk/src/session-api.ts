import { createApi, createPlacementGroupApi, pageContext } from '@shoal/core-worker'
import type { Api, CoreWorker, PlacementGroupApi } from '@shoal/core-worker'
import { checkEarly } from './early-check.ts'
import { mapStacks } from './map-stacks.ts'
import type { PageSession } from './page-session.ts'
import { stackSourcesOf } from './stack-sources.ts'

/** The functions of pages. */
export type PageApi = Api & PlacementGroupApi

/** The SDK's functions over a page's session, which is asked for at each call; `nodeId` must not start one. */
export function createSessionApi(session: () => Pick<PageSession, 'core'>, nodeId: () => string): PageApi {
  const sources = stackSourcesOf(() => session().core)
  const core = (): CoreWorker => session().core
  const api = createApi({
    core,
    moduleScope: () => undefined,
    checkEarly,
    prepareError: (error) => mapStacks(error, sources),
    context: () => pageContext(nodeId()),
  })
  return { ...api, ...createPlacementGroupApi(core) }
}
