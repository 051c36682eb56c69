/** What a demo says about its run: to the page, and through `window.__shoal__` to programs. Plain data, clonable. */
import type { RunName } from './page-url.ts'

export interface NodeWork {
  readonly tasks: number
  readonly cpuMs: number
}

export interface RunReport {
  readonly name: RunName
  readonly state: 'waiting' | 'running' | 'done' | 'stopped' | 'failed'
  /** Iterations done; tiles of the picture for Mandelbrot. */
  readonly iteration: number
  /** Of the whole perturbed population, in the last iteration. */
  readonly meanReturn: number | undefined
  /** Mean greedy return, the last one measured. */
  readonly evalReturn: number | undefined
  /** Environment steps; points for Mandelbrot. */
  readonly stepsPerSecond: number
  /** The environment is solved, or the picture is whole. */
  readonly solved: boolean
  /** Since the run began, by node id. */
  readonly byNode: Readonly<Record<string, NodeWork>>
  readonly error: string | undefined
}

export function newReport(name: RunName, state: RunReport['state']): RunReport {
  return {
    name,
    state,
    iteration: 0,
    meanReturn: undefined,
    evalReturn: undefined,
    stepsPerSecond: 0,
    solved: false,
    byNode: {},
    error: undefined,
  }
}

/** Adds to one node's share. */
export function withWork(
  byNode: Readonly<Record<string, NodeWork>>,
  nodeId: string,
  { tasks, cpuMs }: NodeWork,
): Record<string, NodeWork> {
  const before = byNode[nodeId] ?? { tasks: 0, cpuMs: 0 }
  return { ...byNode, [nodeId]: { tasks: before.tasks + tasks, cpuMs: before.cpuMs + cpuMs } }
}
