import { init, currentSession } from '@shoal/sdk'
import type { ActorHandle, Session } from '@shoal/sdk'
import { BOARD_NAMESPACE, boardName, REPORT_EVERY_MS } from './bar-report.ts'
import type { BoardState } from './board-state.ts'
import { BoardActor } from './board.remote.ts'
import { ProgressList } from './progress-list.ts'
import type { Progress } from './progress-list.ts'

/** Called with all bars, in the order in which they came, at most ten times a second. */
export type ProgressListener = (bars: readonly Progress[]) => void

type WatchedSession = Pick<Session, 'actor' | 'get' | 'kill' | 'status' | 'ready' | 'getTaskState' | 'getActorState'>

/** Silent for so long, it is asked about for the first time; then half as often each time, up to the most. */
const ASK_AFTER_MS = 2_000
const ASK_AT_MOST_AFTER_MS = 30_000
/** Questions of one round: a tab answers ten a second. */
const MOST_ASKED = 5
/** Between attempts to have a board. */
const TRY_AGAIN_MS = 1_000
const TRY_AT_MOST_AFTER_MS = 30_000

interface Silence {
  /** When it is asked about, if nothing comes before. */
  askAtMs: number
  waitMs: number
}

/**
 * What a driver's page knows of the progress of its tasks: owns the board, asks it for news, and asks the room about bars that
 * are silent, so that one whose task was lost does not stand there for good. States: following -> (the board is lost: made
 * again) -> over, by `close` or with the session.
 */
export class ProgressWatch {
  readonly #session: WatchedSession
  readonly #askAfterMs: number
  readonly #list = new ProgressList()
  readonly #silent = new Map<string, Silence>()
  readonly #listeners = new Set<ProgressListener>()
  readonly #over = new AbortController()
  readonly #ended: () => void
  #board: ActorHandle<BoardState> | undefined
  #asking: ReturnType<typeof setTimeout> | undefined

  /** @param askAfterMs for tests: see ASK_AFTER_MS */
  constructor(session: WatchedSession, ended: () => void, askAfterMs = ASK_AFTER_MS) {
    this.#session = session
    this.#ended = ended
    this.#askAfterMs = askAfterMs
    void this.#run()
  }

  get bars(): readonly Progress[] {
    return this.#list.all()
  }

  /** The function that is given back ends it, and with the last one all ends. */
  subscribe(listener: ProgressListener): () => void {
    const own: ProgressListener = (bars) => listener(bars)
    this.#listeners.add(own)
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.close()
    }
  }

  close(): void {
    if (this.#over.signal.aborted) return
    this.#over.abort()
    clearTimeout(this.#asking)
    if (this.#board !== undefined) killQuietly(this.#session, this.#board)
    this.#ended()
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted
  }

  async #run(): Promise<void> {
    for (let waitMs = TRY_AGAIN_MS; !this.#isOver; waitMs = Math.min(2 * waitMs, TRY_AT_MOST_AFTER_MS)) {
      try {
        await this.#session.ready
        if (this.#isOver) return
        const name = boardName(this.#session.status().nodeId ?? '')
        const options = { name, namespace: BOARD_NAMESPACE, getIfExists: true }
        this.#board = this.#session.actor(BoardActor).options(options).remote()
        await this.#follow(this.#board, () => (waitMs = TRY_AGAIN_MS))
      } catch (error) {
        if ((error as { readonly code?: unknown }).code === 'shutdown') break
      }
      await this.#pause(waitMs)
    }
    this.close()
  }

  async #follow(board: ActorHandle<BoardState>, heard: () => void): Promise<void> {
    let version = 0
    let life = ''
    while (!this.#isOver) {
      const news = await this.#session.get(board.news.remote(version, life))
      version = news.version
      life = news.life
      heard()
      const changed = this.#list.add(news.reports)
      for (const id of changed) this.#heardOf(id)
      if (changed.size > 0) this.#tell()
      await this.#pause(REPORT_EVERY_MS)
    }
  }

  #heardOf(id: string): void {
    this.#silent.delete(id)
    const bar = this.#list.get(id)
    // The page's own bars end with the page.
    if (bar?.state !== 'running' || bar.taskId === undefined) return
    this.#silent.set(id, { askAtMs: performance.now() + this.#askAfterMs, waitMs: this.#askAfterMs })
    this.#asking ??= setTimeout(() => void this.#ask(), this.#askAfterMs)
  }

  /** Asks about those that have been silent, the longest first. */
  async #ask(): Promise<void> {
    const now = performance.now()
    const due = [...this.#silent].filter(([, { askAtMs }]) => askAtMs <= now)
    due.sort(([, a], [, b]) => a.askAtMs - b.askAtMs)
    for (const [id, silence] of due.slice(0, MOST_ASKED)) {
      const bar = this.#list.get(id)
      const isLost = bar?.state !== 'running' || (await this.#isGone(bar))
      if (this.#isOver) return
      // It has reported meanwhile.
      if (this.#silent.get(id) !== silence) continue
      if (isLost) {
        this.#silent.delete(id)
        if (this.#list.lost(id)) this.#tell()
      } else {
        silence.waitMs = Math.min(2 * silence.waitMs, ASK_AT_MOST_AFTER_MS)
        silence.askAtMs = performance.now() + silence.waitMs
      }
    }
    this.#asking = this.#silent.size === 0 ? undefined : setTimeout(() => void this.#ask(), this.#askAfterMs)
  }

  /** Whether nothing is left that could report it. */
  async #isGone({ taskId = '', actorId, attempt, nodeId, workerId }: Progress): Promise<boolean> {
    try {
      if (actorId === undefined) {
        const task = await this.#session.getTaskState(taskId)
        return task === undefined || task.state === 'FINISHED' || task.state === 'FAILED' || task.attempt > attempt
      }
      const actor = await this.#session.getActorState(actorId)
      if (actor === undefined || actor.state === 'DEAD' || actor.state === 'RESTARTING') return true
      // It was made again elsewhere: its bars were of the one before.
      return actor.workerId !== undefined && (actor.nodeId !== nodeId || actor.workerId !== workerId)
    } catch {
      // Who would know did not answer: another time.
      return false
    }
  }

  #tell(): void {
    const bars = this.bars
    for (const listener of [...this.#listeners])
      try {
        listener(bars)
      } catch (error) {
        console.error('a listener of progress failed', error)
      }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#over
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }
}

function killQuietly(session: WatchedSession, board: ActorHandle<BoardState>): void {
  try {
    session.kill(board)
  } catch {
    // With the session it has ended already.
  }
}

const watches = new WeakMap<WatchedSession, ProgressWatch>()

/** Where it is looked, and for which session. */
export interface OnProgressOptions {
  /** Default: the page's session, which is started if there is none. */
  readonly session?: Session
}

/**
 * On a page: tells of the progress bars of its tasks and actors, at most ten times a second. The first call makes an actor where
 * they come together, and the end of the last listener ends it. The function that is given back ends the listener.
 *
 * @throws TypeError where there is no page.
 * @example
 * const stop = onProgress((bars) => {
 *   for (const { description, count, total } of bars) console.log(description, count, total)
 * })
 */
export function onProgress(listener: ProgressListener, options: OnProgressOptions = {}): () => void {
  if (typeof currentSession !== 'function') throw new TypeError('onProgress() is for pages: tasks make progress bars')
  const given = options.session ?? currentSession()
  let stop: (() => void) | undefined
  let isOver = false
  const start = (session: Session): void => {
    if (!isOver) stop = watchOf(session).subscribe(listener)
  }
  if (given !== undefined) start(given)
  else init().then(start, (error: unknown) => console.error('no progress is shown: there is no session', error))
  return () => {
    isOver = true
    stop?.()
  }
}

function watchOf(session: Session): ProgressWatch {
  const known = watches.get(session)
  if (known !== undefined) return known
  const made: ProgressWatch = new ProgressWatch(session, () => {
    if (watches.get(session) === made) watches.delete(session)
  })
  watches.set(session, made)
  return made
}
