import type { CoreWorker } from '@shoal/core-worker'
import type { Session } from './session-types.ts'

/** What the module-level functions act on: a tab's session, or the session of a driver in a test room. */
export interface PageSession extends Session {
  readonly core: CoreWorker
  /** 32 hex digits; empty until the node is up. */
  readonly nodeId: string
  /** From `shutdown()` on. */
  readonly isClosed: boolean
}
