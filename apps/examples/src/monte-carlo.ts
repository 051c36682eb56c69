// Parallel Monte Carlo: pi from random points, many tasks at once, a better estimate with each one that ends.
import { get, remote, wait } from '@shoal/sdk'

// A function that stands alone may be written inline: its text is what travels to other tabs. In a task, Math.random is
// seeded from the task's id: every task draws other numbers, and one that has to run again draws the same.
const countInside = remote((points: number) => {
  let inside = 0
  for (let i = 0; i < points; i++) {
    const x = Math.random()
    const y = Math.random()
    if (x * x + y * y < 1) inside++
  }
  return inside
})

export interface Estimate {
  readonly points: number
  readonly pi: number
  /** Half the width of the interval that holds pi 95 times in 100. */
  readonly margin: number
}

/** Draws `tasks` x `pointsPerTask` points and calls back with each new estimate. */
export async function estimatePi(
  tasks: number,
  pointsPerTask: number,
  onEstimate: (estimate: Estimate) => void,
): Promise<Estimate> {
  // All tasks are submitted at once; `.remote()` returns a ref without waiting for anything.
  let running = Array.from({ length: tasks }, () => countInside.remote(pointsPerTask))
  let inside = 0
  let estimate: Estimate = { points: 0, pi: NaN, margin: Infinity }
  while (running.length > 0) {
    // Whichever is ready first, in whatever tab it ran.
    const [ready, rest] = await wait(running)
    for (const ref of ready) {
      inside += await get(ref)
      ref.release()
    }
    running = rest
    const points = (tasks - rest.length) * pointsPerTask
    const share = inside / points
    estimate = { points, pi: 4 * share, margin: 4 * 1.96 * Math.sqrt((share * (1 - share)) / points) }
    onEstimate(estimate)
  }
  return estimate
}
