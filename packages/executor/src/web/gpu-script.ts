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
  readonly createFrameGpu: typeof createFrameGpu
}

/** The sandbox frame's part of it. */
export interface FrameGpu {
  open(thread: number, port: MessagePort): void
  close(thread: number): void
}

declare const shoalTake: (script: GpuScript) => void

const clock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

function createFrameGpu(): FrameGpu {
  const broker = new GpuBroker({ clock, open: openWebGpu })
  return { open: (thread, port) => broker.open(thread, portLane(port)), close: (thread) => broker.close(thread) }
}

shoalTake({ createGpuClient, createFrameGpu })
