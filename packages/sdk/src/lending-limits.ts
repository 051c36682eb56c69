/** When a tab that lends takes nothing of others; what runs then ends. Where a browser does not tell, it never is so. */
export interface LendingPauses {
  /** While the device runs on its battery. Told by Chromium alone, on a secure page. */
  readonly onBattery?: boolean
  /** While the network is paid by its data, or the person asked to save it. Told by Chromium alone. */
  readonly metered?: boolean
  /** While the tab is in the background. */
  readonly hidden?: boolean
}

/**
 * How much of a tab is lent. What is left out is not limited. They hold for work of others, also for what that submits in
 * turn; what has begun is never stopped, so that single long tasks go past the share of the time, which is then waited for.
 */
export interface LendingLimits {
  /** CPUs that work of others may have at a time; whole. */
  readonly workers?: number
  /** The share of the time for which these may be at work, from 0.01 to 1. */
  readonly dutyCycle?: number
  /** What work of others may reserve, and what objects may take in this tab's memory; at least 1 MiB. */
  readonly memoryBytes?: number
  /** Sent and received by this tab in any hour. What is on its way when they are used up still comes. */
  readonly bytesPerHour?: number
  readonly pauseWhen?: LendingPauses
}

const BOUNDS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  workers: [1, 256],
  dutyCycle: [0.01, 1],
  memoryBytes: [1024 ** 2, Infinity],
  bytesPerHour: [1, Infinity],
}

/** @throws RangeError naming the limit. */
export function refuseBadLimits(limits: LendingLimits): void {
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    const [least, most] = BOUNDS[name] ?? []
    if (name === 'pauseWhen' || value === undefined) continue
    if (least === undefined || most === undefined || typeof value !== 'number' || !(value >= least && value <= most))
      throw new RangeError(`lend: ${name} cannot be ${String(value)}`)
  }
}
