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
  /** Whom to tell, once a worker, that it did not start or broke down. An exit shows as the closing of its port. */
  watch(onEnded: (number: number, reason: string) => void): void
}

export interface FrameHello {
  /** PROTOCOL_VERSION of the frame's build; a hosted `sandbox.html` may be older than the page. */
  readonly version: number
}

/** What the page posts to the frame's window once, with the control port. */
export const CONTROL_MESSAGE = 'shoal:control'

/** What the frame posts to a new worker once, with the port of its runner. */
export interface WorkerStart {
  readonly init: WorkerInit
  readonly port: MessagePort
}
