/**
 * What the dashboard knows of a room: asks its source over and over, and keeps what it is told within bounds. It draws nothing.
 * States: stopped -> running -> stopped; while it runs each question is asked anew some time after its last answer.
 */
import { signal } from '@preact/signals'
import type {
  ActorState,
  NodeState,
  ObjectState,
  Session,
  StateResult,
  TaskEventsCursor,
  TaskState,
  TaskSummary,
} from '@shoal/sdk'
import { messageOf } from '../../model/message-of.ts'
import { FailureLog } from './failure-log.ts'
import { RunStore } from './run-store.ts'
import { TaskGraph } from './task-graph.ts'

/** What the dashboard asks: a session, or a replay that answers like one. */
export type DashboardSource = Pick<
  Session,
  'listTaskEvents' | 'listTasks' | 'listActors' | 'listObjects' | 'listNodes' | 'summarizeTasks' | 'getTaskState'
>

/** Milliseconds between an answer and the next question. A peer answers 10 a second. */
const EVERY = { events: 400, summary: 700, nodes: 1_500, pending: 1_200, actors: 1_500, objects: 2_500 }
const MOST_ROWS = 1_000

const NOTHING = { rows: [], total: 0, numFiltered: 0, isTruncated: false, missing: [], warnings: [] } as const

export class DashboardModel {
  readonly runs = new RunStore()
  readonly graph = new TaskGraph()
  readonly failures = new FailureLog()
  /** Goes up with each answer about events. */
  readonly tick = signal(0)
  readonly summary = signal<StateResult<TaskSummary>>(NOTHING)
  readonly nodes = signal<StateResult<NodeState>>(NOTHING)
  readonly pending = signal<StateResult<TaskState>>(NOTHING)
  readonly actors = signal<StateResult<ActorState>>(NOTHING)
  readonly objects = signal<StateResult<ObjectState>>(NOTHING)
  /** Of the last answer about events, and what went wrong with a question. */
  readonly warnings = signal<readonly string[]>([])
  readonly problem = signal<string | undefined>(undefined)
  /** Ends that owners had to overwrite before they were read. */
  droppedEnds = 0
  readonly gone = new Set<string>()
  readonly source: DashboardSource
  #cursor: TaskEventsCursor | undefined
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  /** By question, so that an answer to another one does not hide it. */
  readonly #problems = new Map<keyof typeof EVERY, string>()
  #isRunning = false

  constructor(source: DashboardSource) {
    this.source = source
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    const { source } = this
    this.#every('events', () => this.#askEvents())
    this.#every('summary', async () => {
      this.summary.value = await source.summarizeTasks({ limit: 10_000 })
    })
    this.#every('nodes', async () => void (this.nodes.value = await source.listNodes({ limit: 10_000, detail: true })))
    this.#every('pending', () => this.#askPending())
    this.#every('actors', async () => void (this.actors.value = await source.listActors({ limit: MOST_ROWS })))
    this.#every('objects', async () => void (this.objects.value = await source.listObjects({ limit: 200 })))
    void this.#askFailed()
  }

  stop(): void {
    this.#isRunning = false
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  nameOf(nodeId: string): string {
    const known = this.nodes.peek().rows.find((node) => node.nodeId === nodeId)
    return known === undefined ? `tab ${nodeId.slice(0, 6)}` : known.isSelf ? `${known.name} (this tab)` : known.name
  }

  /** Waits while a question is open, and then for as long as EVERY says. */
  #every(what: keyof typeof EVERY, ask: () => Promise<void>): void {
    const turn = async (): Promise<void> => {
      try {
        await ask()
        this.#problems.delete(what)
      } catch (error) {
        this.#problems.set(what, messageOf(error))
      }
      const [problem] = this.#problems.values()
      this.problem.value = problem
      if (!this.#isRunning) return
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        void turn()
      }, EVERY[what])
      this.#timers.add(timer)
    }
    void turn()
  }

  async #askEvents(): Promise<void> {
    const events = await this.source.listTaskEvents(this.#cursor && { since: this.#cursor })
    this.#cursor = events.cursor
    for (const nodeId of events.gone) {
      this.gone.add(nodeId)
      this.runs.gone(nodeId)
    }
    for (const batch of events.batches) {
      const from = this.runs.next
      this.runs.add(batch)
      this.droppedEnds += batch.dropped.ends
      for (const end of batch.ends) {
        this.graph.ended(end)
        this.failures.ended(end)
      }
      for (let seq = from; seq < this.runs.next; seq++) this.#ran(seq)
    }
    this.warnings.value = events.warnings
    this.tick.value++
  }

  #ran(seq: number): void {
    const { runs, graph, failures } = this
    const hasGraph = graph.size > 0
    const attempt = runs.attemptOf(seq)
    if (!hasGraph && attempt === 0) return
    const id = runs.idOf(seq)
    const name = runs.names[runs.nameOf(seq)] ?? ''
    const outcome = runs.outcomeOf(seq)
    if (hasGraph) graph.ran(id, name, outcome !== 1)
    if (attempt === 0) return
    const nodeId = runs.lanes[runs.laneOf(seq)]?.nodeId ?? ''
    const words = outcome === 1 ? 'finished' : outcome === 2 ? 'failed' : 'lost'
    failures.ranAgain(id, name, { attempt, nodeId, outcome: words, endMs: runs.endOf(seq) })
  }

  async #askPending(): Promise<void> {
    const filters = [
      ['state', '!=', 'FINISHED'],
      ['state', '!=', 'FAILED'],
    ] as const
    const pending = await this.source.listTasks({ filters, limit: MOST_ROWS, detail: true })
    for (const row of pending.rows) this.graph.pending(row)
    this.pending.value = pending
  }

  /** Once: those of before. */
  async #askFailed(): Promise<void> {
    try {
      const { rows } = await this.source.listTasks({ filters: [['state', '=', 'FAILED']], limit: MOST_ROWS })
      for (const row of rows) this.failures.remembered(row)
    } catch (error) {
      this.problem.value = messageOf(error)
    }
  }
}
