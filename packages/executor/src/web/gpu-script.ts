/**
 * All that speaks with the GPU, as one script: the broker for the sandbox frame's document, and what tasks call for
 * workers. It is kept by the node worker and evaluated where it is needed, as a function with the parameter `shoalTake`,
 * when a tab finds out whether it has a GPU or a task first uses it.
 */
import type { Clock } from '@shoal/base'
import { GpuBroker } from '../gpu/gpu-broker.ts'
import { createGpuClient } from '../gpu/gpu-client.ts'
import { portLane } from './port-lanes.ts'
import { openWebGpu } from './webgpu-backend.ts'

export interface GpuScript {
  readonly createGpuClient: typeof createGpuClient
  /** The sandbox frame's part: lets a worker in that thread use the GPU over the port; without one, the thread is gone. */
  frame(thread: number, port?: MessagePort): void
}

declare const shoalTake: (script: GpuScript) => void

const clock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

let broker: GpuBroker | undefined

shoalTake({
  createGpuClient,
  frame(thread, port) {
    broker ??= new GpuBroker({ clock, open: openWebGpu })
    if (port === undefined) broker.close(thread)
    else broker.open(thread, portLane(port))
  },
})
