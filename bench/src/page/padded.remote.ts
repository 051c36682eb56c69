// Rollouts that take as long as they are told: what a simulator costs that is slower than ours, without the CPU.
import { context, remote } from '@shoal/sdk'
import { runRollouts } from '@shoal/rl'
import type { RolloutRequest, RolloutResult } from '@shoal/rl'

export const paddedRollouts = remote(
  async (theta: Float32Array, request: RolloutRequest, leastMs: number): Promise<RolloutResult> => {
    const { nodeId, workerId } = context()
    const start = performance.now()
    const outcome = runRollouts(theta, request)
    const cpuMs = performance.now() - start
    if (leastMs > cpuMs) await new Promise((resolve) => setTimeout(resolve, leastMs - cpuMs))
    return { ...outcome, nodeId, workerId, cpuMs }
  },
)

/** A rollout of so many milliseconds, without the CPU. */
export const episode = remote(async (ms: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
})
