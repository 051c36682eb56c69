import type { StateApi, StateTimeout } from '@shoal/core-worker'
import type { Timeline } from './timeline.ts'

/** As many tasks as one question gives. */
const MOST_TASKS = 10_000

export async function askTimeline(session: StateApi, options: StateTimeout = {}): Promise<Timeline> {
  const [{ toTimeline }, tasks, nodes] = await Promise.all([
    // Few pages ever ask for one.
    import('./timeline.ts'),
    session.listTasks({ ...options, limit: MOST_TASKS }),
    session.nodes(options),
  ])
  return toTimeline(tasks, nodes, Date.now())
}
