import type { Clock, Timer } from '@shoal/base'
import { LIMITS, MOST_TASK_EVENTS } from '@shoal/protocol'
import type {
  EndEvent,
  EventCursor,
  NodeId,
  ObjectId,
  RUN_OUTCOMES,
  RUN_WAITS,
  RunEvent,
  TaskEventRow,
  TaskRow,
  WireError,
} from '@shoal/protocol'
import type { Work, WorkOutcome } from '../work.ts'
import type { Run, RunWatcher } from '../workers.ts'
import { MOST_TEXT, cut, cutName } from './cut.ts'
import type { EndedTasks, EndingKind, EndingTask } from './ended-tasks.ts'
import { EventNames } from './event-names.ts'
import { eventRing } from './event-ring.ts'

export interface TaskEventLogOptions {
  readonly self: NodeId
  readonly clock: Clock
  /** Milliseconds since 1970 for what the clock shows. */
  toEpochMs(clockMs: number): number
  /** Runs that have ended in this tab since its session began. */
  runsEnded(): number
  /** Where the log is told of runs; undefined takes it away again. */
  watchRuns(watcher: RunWatcher | undefined): void
  /** Of each ledger that this tab answers for now, what is told of attempts that end. */
  ledgers(): Iterable<{ readonly owner: NodeId; readonly ended: EndedTasks }>
  /** What is in the workers at this moment. */
  runs(): Iterable<Run>
  whereIs(id: ObjectId): 'here' | 'disk' | 'elsewhere'
}

interface RunTimes {
  beganMs: number
  sentMs: number | undefined
  blockedMs: number
  blockedAtMs: number | undefined
  waited: (typeof RUN_WAITS)[number]
}

interface RanOnce {
  readonly work: Pick<Work, 'id' | 'attempt'>
  readonly name: string
  readonly type: TaskRow['type']
  readonly worker: number
  readonly outcome: (typeof RUN_OUTCOMES)[number]
  readonly waited: (typeof RUN_WAITS)[number]
  readonly endedMs: number
  readonly ranMs: number
  readonly blockedMs: number
  readonly queuedMs: number
  readonly fetchedMs: number
}

interface EndedOnce {
  readonly owner: NodeId
  readonly task: Pick<EndingTask, 'number' | 'attempt' | 'parent' | 'actor'>
  readonly needs: readonly ObjectId[]
  readonly moreNeeds: number
  readonly returns: number
  readonly name: string
  readonly type: TaskRow['type']
  readonly node: NodeId | undefined
  readonly endedMs: number
  readonly errorType: string | undefined
  readonly errorMessage: string | undefined
}

/** Nobody has asked for so long: nothing is kept any more. */
export const WATCHED_MS = 15_000
const MOST_RUNS = MOST_TASK_EVENTS
const MOST_ENDS = 2_048
/** Runs under way that are told of beside those that ended. */
const MOST_OPEN = 512
const MOST_ERROR = 200

/**
 * What ran in this tab and what ended of its ledgers, while somebody looks: the newest of both, each with its number, so that
 * what was overwritten before it was read is counted. States: idle -> watching, with the first question -> idle, 15 s after
 * the last. While idle it costs nothing; numbers of runs go on, so that a gap is known by its exact size.
 */
export class TaskEventLog implements RunWatcher {
  readonly #options: TaskEventLogOptions
  readonly #runs = eventRing<RanOnce>(MOST_RUNS)
  readonly #ends = eventRing<EndedOnce>(MOST_ENDS)
  readonly #open = new Map<Run, RunTimes>()
  readonly #watchedLedgers = new Map<EndedTasks, NodeId>()
  #sinceMs = 0
  #timer: Timer | undefined
  #askedAtMs = 0

  constructor(options: TaskEventLogOptions) {
    this.#options = options
  }

  get isWatching(): boolean {
    return this.#timer !== undefined
  }

  /** `fits`: whether an answer has room for one more; asked once for each, with the bytes of it at most. */
  since(cursor: EventCursor | undefined, fits: (bytes: number) => boolean): TaskEventRow {
    const { self, clock, toEpochMs } = this.#options
    this.#watch()
    const now = clock.now()
    const names = new EventNames(fits)
    const from = cursor ?? { runs: 0, ends: 0 }
    const [runs, ends]: [RunEvent[], EndEvent[]] = [[], []]
    // Those of owners are few and tell of failures: first.
    const endPart = this.#ends.read(from.ends, (each) => isTold(ends, names.end(each, now)))
    const runPart = this.#runs.read(from.runs, (each) => isTold(runs, names.run(each, now)))
    let open = 0
    for (const [run, times] of this.#open) {
      if (++open > MOST_OPEN || runs.length >= MOST_RUNS) break
      if (times.sentMs === undefined && times.waited === 'none') continue
      const event = names.run(this.#ranOnce(run, times, 'running', now, undefined), now)
      if (event === undefined) break
      runs.push(event)
    }
    return {
      nodeId: self,
      nowMs: toEpochMs(now),
      watchedSinceMs: toEpochMs(this.#sinceMs),
      next: { runs: runPart.next, ends: endPart.next },
      dropped: { runs: runPart.dropped, ends: endPart.dropped },
      left: { runs: runPart.left, ends: endPart.left },
      names: names.names,
      owners: names.owners,
      runs,
      ends,
    }
  }

  began(run: Run): void {
    this.#open.set(run, this.#timesOf(run))
  }

  sent(run: Run): void {
    const times = this.#open.get(run)
    if (times === undefined) return
    times.sentMs = this.#options.clock.now()
    if (times.sentMs - times.beganMs < 0.5) times.waited = 'none'
  }

  blocked(run: Run, isBlocked: boolean): void {
    const times = this.#open.get(run)
    if (times === undefined) return
    const now = this.#options.clock.now()
    if (times.blockedAtMs !== undefined) times.blockedMs += now - times.blockedAtMs
    times.blockedAtMs = isBlocked ? now : undefined
  }

  dropped(run: Run): void {
    this.#open.delete(run)
  }

  ended(run: Run, { kind }: WorkOutcome, cpuMicros: number): void {
    const now = this.#options.clock.now()
    const times = this.#open.get(run)
    const outcome = kind === 'values' ? 'finished' : kind
    this.#open.delete(run)
    this.#runs.add(this.#ranOnce(run, times, outcome, now, cpuMicros / 1000))
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#options.watchRuns(undefined)
    for (const ended of this.#watchedLedgers.keys()) ended.watch = undefined
    this.#watchedLedgers.clear()
    this.#open.clear()
    this.#runs.clear()
    this.#ends.clear()
  }

  #watch(): void {
    const { clock, watchRuns, runs, runsEnded, ledgers } = this.#options
    this.#askedAtMs = clock.now()
    if (this.#timer === undefined) {
      this.#sinceMs = this.#askedAtMs
      this.#runs.skipTo(runsEnded())
      for (const run of runs()) this.#open.set(run, this.#timesOf(run, run.isSent))
      watchRuns(this)
      this.#wait(WATCHED_MS)
    }
    for (const { owner, ended } of ledgers()) {
      if (this.#watchedLedgers.has(ended)) continue
      this.#watchedLedgers.set(ended, owner)
      ended.watch = (...attempt) => this.#attemptEnded(owner, ...attempt)
    }
  }

  #wait(ms: number): void {
    const { clock } = this.#options
    this.#timer = clock.after(ms, () => {
      const left = this.#askedAtMs + WATCHED_MS - clock.now()
      if (left > 0) this.#wait(left)
      else this.close()
    })
  }

  #timesOf({ work }: Run, isSent = false): RunTimes {
    const now = this.#options.clock.now()
    const places = work.dependencies.map(({ id }) => this.#options.whereIs(id))
    const waited = places.includes('elsewhere') ? 'transfer' : places.includes('disk') ? 'disk' : 'memory'
    return {
      beganMs: now,
      sentMs: isSent ? now : undefined,
      blockedMs: 0,
      blockedAtMs: undefined,
      waited: isSent ? 'none' : waited,
    }
  }

  /** `ranMs`: as its worker measured it; else from when the worker had it. */
  #ranOnce(
    { work, worker }: Run,
    times: RunTimes | undefined,
    outcome: RanOnce['outcome'],
    endedMs: number,
    ranMs: number | undefined,
  ): RanOnce {
    const sentMs = times?.sentMs ?? endedMs
    const inWorkerMs = endedMs - sentMs
    // What ended before its worker was told, or was ended with it, was measured by nobody.
    const ran = ranMs === undefined || (ranMs === 0 && outcome !== 'finished') ? inWorkerMs : ranMs
    const stillBlockedMs = times?.blockedAtMs === undefined ? 0 : endedMs - times.blockedAtMs
    return {
      work,
      name: work.kind === 'actor-call' ? cutName(`${work.template.name}.${work.method}`) : work.template.name,
      type: TYPE_OF_WORK[work.kind],
      worker: worker.submitter.number,
      outcome,
      waited: times?.waited ?? 'none',
      endedMs,
      ranMs: ran,
      blockedMs: (times?.blockedMs ?? 0) + stillBlockedMs,
      queuedMs: times === undefined ? 0 : Math.max(0, inWorkerMs - ran),
      fetchedMs: times === undefined ? 0 : Math.max(0, sentMs - times.beganMs),
    }
  }

  #attemptEnded(
    owner: NodeId,
    task: EndingTask,
    kind: EndingKind,
    type: TaskRow['type'],
    node: NodeId | undefined,
    error: WireError | undefined,
  ): void {
    const all = [...(task.dependencies ?? []).map(({ id }) => id), ...(task.args?.refs ?? [])]
    const { parent, actor, number, attempt } = task
    // Of a plain task its run has told all there is.
    if (error === undefined && all.length === 0 && parent === undefined && actor === undefined) return
    this.#ends.add({
      owner,
      task: { number, parent, actor, ...(attempt !== undefined && { attempt }) },
      needs: all.slice(0, LIMITS.stateDependencies),
      moreNeeds: Math.max(0, all.length - LIMITS.stateDependencies),
      returns: task.numReturns ?? kind.numReturns ?? 1,
      name: kind.name,
      type,
      node,
      endedMs: this.#options.clock.now(),
      errorType: error?.code,
      errorMessage: error && cut((error.argumentOf ?? '') + error.message, Math.min(MOST_ERROR, MOST_TEXT)),
    })
  }
}

export type { EndedOnce, RanOnce }

const TYPE_OF_WORK = {
  task: 'NORMAL_TASK',
  'actor-new': 'ACTOR_CREATION_TASK',
  'actor-call': 'ACTOR_TASK',
} as const satisfies Readonly<Record<Work['kind'], TaskRow['type']>>

function isTold<T>(list: T[], event: T | undefined): boolean {
  if (event === undefined || list.length >= MOST_RUNS) return false
  list.push(event)
  return true
}
