import type { GpuInfo } from '@shoal/core-worker'

/** A buffer on the GPU. What went wrong when it was made is told when it is used. */
export interface BackendBuffer {
  readonly bytes: number
  destroy(): void
}

/** One dispatch, checked but for what the GPU alone knows. */
export interface BackendPass {
  readonly code: string
  readonly entryPoint: string | undefined
  readonly workgroups: readonly [number, number, number]
  readonly bindings: readonly { readonly name: string; readonly buffer: BackendBuffer }[]
  readonly constants: Readonly<Record<string, number>>
}

/**
 * One life of a GPU: WebGPU's device, or what a test puts in its place. Everything throws GpuFault.
 */
export interface GpuBackend<B extends BackendBuffer = BackendBuffer> {
  readonly info: Omit<GpuInfo, 'held'>
  /** Resolves with the reason when it is of no use any more; never rejects. */
  readonly lost: Promise<string>
  /** `data` is read before it returns; what it leaves of `bytes` is zero. */
  createBuffer(bytes: number, data: Uint8Array | undefined, isUniform: boolean): B
  /** Resolves when it is known to be there. */
  made(buffer: B): Promise<void>
  /** Runs the passes one after the other, then reads buffers back, each into memory of its own. */
  run(passes: readonly BackendPass[], reads: readonly B[]): Promise<ArrayBuffer[]>
  /** Resolves when everything that was begun has come to an end. */
  idle(): Promise<void>
  /** Gives it up, with all its buffers: `lost` resolves. */
  destroy(reason: string): void
}
