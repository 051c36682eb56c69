import type { WorkerInit } from '../worker-host.ts'

/**
 * From the node worker to the sandbox frame, over a port that joins the two directly: the page's main thread only hands
 * the port over. Plain messages, no Comlink: the frame is downloaded by every tab, and three words need no library.
 */
export type ToFrame =
  /** Starts a worker; it speaks over the port that comes along. Numbers are the sender's and never used twice. */
  | { readonly type: 'start'; readonly number: number; readonly init: WorkerInit }
  /** Ends it in the middle of whatever it does; unknown numbers are ignored. */
  | { readonly type: 'terminate'; readonly number: number }
  /** A run was cancelled: said in the memory that its workers share, where they may, for code that never awaits. */
  | { readonly type: 'cancelled'; readonly run: number }
  /** From now on a thread of the frame's process sends back what comes over the port that comes along. */
  | { readonly type: 'pulse' }
  /** Keeps a copy of the bytes where its workers may share it, under a key that is new. */
  | { readonly type: 'share'; readonly key: string; readonly bytes: Uint8Array }
  /** Hands what is kept to a worker, which finds it by the ticket: see `WorkerMemory`. */
  | { readonly type: 'give'; readonly key: string; readonly worker: number; readonly ticket: number }
  | { readonly type: 'drop'; readonly key: string }
  /** A worker in that thread may use the GPU, over the port that comes along. `text` is what brokers it (gpu-script.ts). */
  | { readonly type: 'gpu'; readonly number: number; readonly text: string }

/** From the sandbox frame to the node worker. */
export type FromFrame =
  /**
   * The frame is up, once. `version`: PROTOCOL_VERSION of the frame's build; a hosted `sandbox.html` may be older than the
   * page. `isShared`: its workers may share memory.
   */
  | { readonly type: 'hello'; readonly version: number; readonly isShared: boolean }
  /** A worker did not start or broke down, once a worker. */
  | { readonly type: 'ended'; readonly number: number; readonly reason: string }
  /** A worker left a buffer for others: it may be given by `keyOf(worker, number)`. */
  | { readonly type: 'kept'; readonly worker: number; readonly number: number; readonly bytes: number }
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

/** What a worker posts to the node worker for what it needs to use the GPU; the answer is a `GpuPart`. */
export const GPU_PART = 'gpu'

/** The text of gpu-script.ts, or one that stands for it where it could not be loaded; and the way to the broker. */
export interface GpuPart {
  readonly text: string
  readonly port: MessagePort
}

/** What the frame posts to a new worker once. Over the port it is told of more runners: see port-lanes.ts. */
export interface WorkerStart {
  readonly init: WorkerInit
  readonly port: MessagePort
  /** In an isolated page: at `cancelledSlot(run)` the last run of that slot that was cancelled, as an int32. */
  readonly cancelledRuns?: Int32Array
  /** In an isolated page: large buffers in shared memory come and go here. */
  readonly memory?: MessagePort
}

/** From the frame to a worker: what a ticket stands for. */
export type Given = readonly [ticket: number, area: SharedArrayBuffer]

/** From a worker to the frame: what it leaves for others, under a number of its own. */
export type FromWorker = readonly [number: number, area: SharedArrayBuffer]

/** Of that many the latest are sure to be there; who is overwritten hears of it at its next await. */
export const CANCELLED_SLOTS = 256

export function cancelledSlot(run: number): number {
  return run % CANCELLED_SLOTS
}

/** Below this, a copy between processes costs no more than to find the buffer in shared memory. */
export const SHARED_FROM_BYTES = 256 * 1024

/** Of what a worker left in shared memory under a number of its own. */
export function keyOf(worker: number, number: number): string {
  return `${worker}.${number}`
}
