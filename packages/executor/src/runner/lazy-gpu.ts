import type { GpuApi } from '@shoal/core-worker'
import { makeError } from '@shoal/protocol'
import type { CreateGpuClient, GpuClient, GpuMethod } from '../gpu/gpu-client.ts'
import type { GpuLane } from '../gpu/gpu-messages.ts'
import type { SecondStageHost } from './second-stage.ts'

/** Calls back once, with nothing where the GPU's part could not be brought here. */
export type LoadGpu = (loaded: (create: CreateGpuClient | undefined, lane: GpuLane) => void) => void

export interface LazyGpu {
  readonly api: GpuApi
  /** Tells the client of it, where there is one. */
  tell(what: (client: GpuClient) => void): void
}

/** `gpu` as tasks have it. All of it is brought here by the first call of it. */
export function createLazyGpu(host: Pick<SecondStageHost, 'current' | 'birth' | 'loadGpu'>): LazyGpu {
  let client: Promise<GpuClient> | undefined
  const load = (): Promise<GpuClient> =>
    new Promise((resolve, reject) =>
      host.loadGpu((create, lane) => {
        if (create !== undefined) resolve(create(lane, makeError))
        else {
          client = undefined
          reject(makeError('gpu-unavailable', 'the part of Shoal that speaks with the GPU could not be loaded'))
        }
      }),
    )
  const method =
    (name: GpuMethod) =>
    async (...args: unknown[]): Promise<unknown> => {
      // Before anything is awaited: afterwards another call's code may run.
      const caller = { run: host.current(), birth: host.birth() }
      client ??= load()
      return (await client).call(name, caller, args)
    }
  return {
    api: { run: method('run'), createBuffer: method('createBuffer'), info: method('info') } as GpuApi,
    tell: (what) => void client?.then(what, () => undefined),
  }
}
