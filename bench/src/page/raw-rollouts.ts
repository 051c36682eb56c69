// A bare worker that plays the same rollouts as the fabric's tasks, for as long as it is told.
import { runRollouts } from '@shoal/rl'
import type { RolloutRequest } from '@shoal/rl'

export interface RawRollouts {
  readonly theta: Float32Array
  readonly request: RolloutRequest
  readonly forMs: number
}

addEventListener('message', ({ data: { theta, request, forMs } }: MessageEvent<RawRollouts>) => {
  const end = performance.now() + forMs
  let steps = 0
  while (performance.now() < end) steps += runRollouts(theta, request).steps
  postMessage(steps)
})
