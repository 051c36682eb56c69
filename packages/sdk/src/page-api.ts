import { currentSession, mustSession } from './current-session.ts'
import { createSessionApi } from './session-api.ts'
import type { PageApi } from './session-api.ts'

/** The page's functions: they go through the current session and start one when there is none. */
export const pageApi: PageApi = createSessionApi(mustSession, () =>
  currentSession() === undefined ? '' : mustSession().nodeId,
)
