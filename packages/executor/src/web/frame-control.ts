import type { WorkerInit } from '../worker-host.ts'

/**
 * From the node worker to the sandbox frame, over a port that joins the two directly: the page's main thread only hands
 * the port over. Plain messages, no Comlink: the frame is downloaded by every tab, and three words need no library.
 */
export type ToFrame =
  /**
   * Starts a worker, or with `beside` another runner in that one's thread; it speaks over the port that comes along. Numbers
   * are the sender's and never used twice.
   */
  | {
      readonly type: 'start'
      readonly number: number
      readonly beside: number | undefined
      readonly init: WorkerInit
    }
  /** Ends it in the middle of whatever it does; unknown numbers are ignored. `mayHang`: see HostedWorker.terminate. */
  | { readonly type: 'terminate'; readonly number: number; readonly mayHang: boolean }
  /** From now on a thread of the frame's process sends back what comes over the port that comes along. */
  | { readonly type: 'pulse' }

/** From the sandbox frame to the node worker. */
export type FromFrame =
  /**
   * The frame is up, once. `version`: PROTOCOL_VERSION of the frame's build; a hosted `sandbox.html` may be older than the
   * page.
   */
  | { readonly type: 'hello'; readonly version: number }
  /** A worker did not start or broke down, once a worker. `isNeighbours`: see HostedWorker.onEnded. */
  | { readonly type: 'ended'; readonly number: number; readonly reason: string; readonly isNeighbours: boolean }
  /** The frame itself did, and nothing of it can be relied on. */
  | { readonly type: 'failed'; readonly reason: string }

/** From the page to the node worker: a frame was made, its control port comes along; or it is gone for good. */
export type FromPage = 'frame' | 'gone'

/** From the node worker to the page: make the frame again, for it died; or remove it. */
export type ToPage = 'again' | 'close'

/** What the page posts to the frame's window once, with the control port. */
export const CONTROL_MESSAGE = 'shoal:control'

/** What a worker posts to the node worker, once, for the text of its second stage; the answer is that text. */
export const SECOND_STAGE = 'second stage'

/** What the frame tells a worker to start: a runner, with its port. */
export interface RunnerStart {
  readonly number: number
  readonly init: WorkerInit
  readonly port: MessagePort
}

/** What the frame posts to a new worker once. Over `thread`, which user code never sees, it tells it of more runners. */
export interface WorkerStart extends RunnerStart {
  readonly thread: MessagePort
}

/** Over a worker's `thread`: another runner, or the end of one, which it answers with the number. */
export type ToThread = RunnerStart | { readonly end: number }
