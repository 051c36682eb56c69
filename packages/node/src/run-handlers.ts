import type { LogLine, NodeId } from '@shoal/protocol'
import type { Dispatcher } from './dispatcher.ts'
import type { SubmitterHandlers } from './submitter.ts'
import type { Workers } from './workers.ts'

export interface RunHandlersOptions {
  readonly self: NodeId
  workers(): Workers
  dispatcher(): Dispatcher
  toDriver(line: LogLine): void
}

type RunHandlers = Pick<
  SubmitterHandlers,
  'actorEnded' | 'done' | 'yielded' | 'blocked' | 'dropped' | 'log' | 'frameEnd'
>

/** What workers tell of the runs that are in them, and whom in this node it is for. */
export function createRunHandlers({ self, workers, dispatcher, toDriver }: RunHandlersOptions): RunHandlers {
  return {
    done: (from, run, cpuMicros, outcome) =>
      workers().done(
        from,
        run,
        cpuMicros,
        'code' in outcome ? { kind: 'failed', error: outcome } : { kind: 'values', values: outcome },
      ),
    yielded: (from, run, index, value) => workers().yielded(from, run, index, value),
    blocked: (from, number, isBlocked, isAhead) => {
      const run = workers().run(number)
      if (run === undefined || run.worker.submitter !== from || run.worker.isActor) return
      if (isBlocked && !isAhead && !from.isOwed) return
      dispatcher().blocked(run, isBlocked)
    },
    actorEnded: (from) => workers().endedIn(from),
    dropped: (from, run) => workers().dropped(from, run),
    log: (from, number, level, text) => {
      const run = workers().run(number)
      if (run === undefined || run.worker.submitter !== from) return
      const { job, name } = run.work.template
      toDriver({ job, task: run.work.id, node: self, name, level, text })
    },
    frameEnd: () => dispatcher().step(),
  }
}
