import { context } from '@shoal/sdk'

/** Where a task ran and how long it kept its worker busy. */
export interface TaskRecord {
  readonly nodeId: string
  readonly workerId: number
  /** Browsers have no CPU clock: time from start to end of a task that never waits. */
  readonly cpuMs: number
}

/** Runs it within a task or a call of an actor, and says where that was. */
export function recorded<Outcome>(run: () => Outcome): Outcome & TaskRecord {
  const { nodeId, workerId } = context()
  const start = performance.now()
  const outcome = run()
  return { ...outcome, nodeId, workerId, cpuMs: performance.now() - start }
}
