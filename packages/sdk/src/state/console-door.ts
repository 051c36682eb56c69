import { STATE_FUNCTIONS } from '@shoal/core-worker'
import type { StateApi, StateTimeout } from '@shoal/core-worker'
import { askTimeline } from './ask-timeline.ts'

/**
 * Puts a session's functions at `__shoal__`, where people look for them in the console. What is there already, of the page or
 * of another copy of the SDK, stays. The function that is given back takes it away again.
 */
export function openConsoleDoor(session: StateApi, target: object = globalThis): () => void {
  const place = target as { __shoal__?: unknown }
  if (place.__shoal__ !== undefined) return () => undefined
  const door = {
    ...Object.fromEntries(STATE_FUNCTIONS.map((name) => [name, session[name]])),
    timeline: (options?: StateTimeout) => askTimeline(session, options),
  }
  place.__shoal__ = door
  return () => {
    if (place.__shoal__ === door) delete place.__shoal__
  }
}
