import type { FramePort, NodeId } from '@shoal/protocol'

/** What a new worker is told about itself. */
export interface WorkerInit {
  readonly submitter: number
  readonly workerId: number
  readonly nodeId: NodeId
}

/** A shared thread that has not answered for so long, in milliseconds, is in code that never comes to an end. */
export const HANGS_AFTER_MS = 5_000

/** A worker in the sandbox, running or about to. */
export interface HostedWorker {
  /** Frames to and from the worker's runner; what is posted before it is up waits. */
  readonly port: FramePort
  /**
   * Called once when the worker ended by itself: it crashed, ran out of memory, or its frame did. `isNeighbours`: nothing
   * that it ran can have been the cause, but one that shared its thread and was terminated.
   */
  onEnded(handler: (reason: string, isNeighbours?: boolean) => void): void
  /**
   * Ends it at once, in the middle of whatever it does. Idempotent; `onEnded` is not called for it. `mayHang`: it runs
   * something; if a thread that it shares does not answer within HANGS_AFTER_MS, then that is ended with all in it.
   */
  terminate(mayHang?: boolean): void
}

/** Makes workers: in the sandbox frame of a page, or in the same process under simulation. */
export interface WorkerHost {
  /**
   * `beside`: in that one's thread, for actors that share one. `terminate` then ends its runner alone, which what it
   * left running may outlive, and the thread with the last of them; `onEnded` comes for all.
   */
  start(init: WorkerInit, beside?: HostedWorker): HostedWorker
  /** A run was cancelled: says so where code can look that has not come to an await since, if there is such a place. */
  tellCancelled?(run: number): void
  /** Ends all workers and the place they live in. */
  close(): void
}
