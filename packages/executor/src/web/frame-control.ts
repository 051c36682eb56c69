import type { WorkerInit } from '../worker-host.ts'

/**
 * What the sandbox frame does for the node worker, called through Comlink over a port that joins the two directly: the
 * page's main thread only hands the port over.
 */
export interface FrameControl {
  /** Says that the frame is up. */
  hello(): FrameHello
  /** Starts worker `number`; its runner speaks over `port`. Numbers are the caller's and are never used twice. */
  start(number: number, init: WorkerInit, port: MessagePort): void
  /** Ends it in the middle of whatever it does; unknown numbers are ignored. */
  terminate(number: number): void
  /** Whom to tell, once a worker, that it did not start or broke down. */
  watch(onEnded: (number: number, reason: string) => void): void
  /** From now on a thread of the frame's process sends back what comes over `port`. */
  pulse(port: MessagePort): void
}

export interface FrameHello {
  /** PROTOCOL_VERSION of the frame's build; a hosted `sandbox.html` may be older than the page. */
  readonly version: number
}

/** From the page to the node worker: a frame was made, its control port comes along; or it is gone for good. */
export type FromPage = 'frame' | 'gone'

/** From the node worker to the page: make the frame again, for it died; or remove it. */
export type ToPage = 'again' | 'close'

/** What the page posts to the frame's window once, with the control port. */
export const CONTROL_MESSAGE = 'shoal:control'

/** What the frame posts to a new worker once, with the port of its runner. */
export interface WorkerStart {
  readonly init: WorkerInit
  readonly port: MessagePort
}
