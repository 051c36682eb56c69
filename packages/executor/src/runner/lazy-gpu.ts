import type { GpuApi } from '@shoal/core-worker'
import { makeError } from '@shoal/protocol'
import type { CreateGpuClient, GpuClient, GpuMethod } from '../gpu/gpu-client.ts'
import type { GpuLane } from '../gpu/gpu-messages.ts'
import type { SecondStageHost } from './second-stage.ts'

/** Calls back once. */
export type LoadGpu = (loaded: (create: CreateGpuClient, lane: GpuLane) => void) => void

export interface LazyGpu {
  readonly api: GpuApi
  /** Tells the client of it, where there is one. */
  tell(what: (client: GpuClient) => void): void
}

/** `gpu` as tasks have it. All of it is brought here by the first call of it. */
export function createLazyGpu(host: Pick<SecondStageHost, 'current' | 'birth' | 'loadGpu'>): LazyGpu {
  let client: Promise<GpuClient> | undefined
  const method =
    (name: GpuMethod) =>
    async (...args: unknown[]): Promise<unknown> => {
      // Before anything is awaited: afterwards another call's code may run.
      const caller = { run: host.current(), birth: host.birth() }
      client ??= new Promise((resolve) => host.loadGpu((create, lane) => resolve(create(lane, makeError))))
      return (await client).call(name, caller, args)
    }
  return {
    api: { run: method('run'), createBuffer: method('createBuffer'), info: method('info') } as GpuApi,
    tell: (what) => void client?.then(what),
  }
}
