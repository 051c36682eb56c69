import type { LoadGpu } from '../runner/lazy-gpu.ts'
import { GpuBroker } from './gpu-broker.ts'
import type { GpuBrokerOptions } from './gpu-broker.ts'
import { createGpuClient } from './gpu-client.ts'
import type { GpuLane } from './gpu-messages.ts'

export interface LocalGpu {
  readonly broker: GpuBroker
  /** For the runner of a worker that is a thread of its own here. */
  loader(thread: number): LoadGpu
}

/** Broker and workers in one process, for rooms without a browser: what crosses between them is not copied again. */
export function createLocalGpu(options: GpuBrokerOptions): LocalGpu {
  const broker = new GpuBroker(options)
  return {
    broker,
    loader: (thread) => (loaded) => {
      const [here, there] = lanePair()
      broker.open(thread, there)
      loaded(createGpuClient, here)
    },
  }
}

function lanePair(): [GpuLane, GpuLane] {
  let isOpen = true
  const handlers: (((message: unknown) => void) | undefined)[] = []
  const end = (own: number, other: number): GpuLane => ({
    post: (message) => queueMicrotask(() => isOpen && handlers[other]?.(message)),
    listen: (handler) => (handlers[own] = handler),
    // What was said before still arrives, as over a port.
    close: () => queueMicrotask(() => (isOpen = false)),
  })
  return [end(0, 1), end(1, 0)]
}
