import type { GpuInfo } from '@shoal/core-worker'
import type { BackendBuffer, BackendPass, GpuBackend } from './gpu-backend.ts'
import { GpuFault } from './gpu-messages.ts'

/** One dispatch, for a stand-in: it knows no WGSL, but may tell shaders apart by their text. */
export interface SoftwarePass extends Pick<BackendPass, 'code' | 'entryPoint' | 'workgroups' | 'constants'> {
  /** The buffers that are bound, by name, to be read and written. */
  readonly buffers: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
}

/** What a test puts in the place of a tab's GPU. */
export interface SoftwareGpu {
  /** Does what the shader would. What it throws is what the compiler says. `lose` is the browser taking the GPU away. */
  run(pass: SoftwarePass, gpu: { lose(reason: string): void }): void | Promise<void>
  readonly limits?: Partial<GpuInfo['limits']>
}

/** WebGPU's least. */
const LIMITS: GpuInfo['limits'] = {
  maxBufferSize: 256 * 1024 ** 2,
  maxStorageBufferBindingSize: 128 * 1024 ** 2,
  maxUniformBufferBindingSize: 64 * 1024,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupStorageSize: 16 * 1024,
}

interface SoftwareBuffer extends BackendBuffer {
  readonly memory: Uint8Array<ArrayBuffer>
}

/** A GPU that a test's own function stands for. */
export class SoftwareBackend implements GpuBackend<SoftwareBuffer> {
  readonly info: GpuBackend['info']
  readonly lost: Promise<string>
  readonly #gpu: SoftwareGpu
  readonly #running = new Set<Promise<unknown>>()
  #lose: (reason: string) => void = () => undefined

  constructor(gpu: SoftwareGpu) {
    this.#gpu = gpu
    this.lost = new Promise((resolve) => (this.#lose = resolve))
    const limits = { ...LIMITS, ...gpu.limits }
    this.info = { vendor: 'test', architecture: '', description: '', isFallback: false, features: [], limits }
  }

  createBuffer(bytes: number, data: Uint8Array | undefined): SoftwareBuffer {
    const memory = new Uint8Array(bytes)
    if (data !== undefined) memory.set(data)
    return { bytes, memory, destroy: () => memory.fill(0) }
  }

  made(): Promise<void> {
    return Promise.resolve()
  }

  async run(passes: readonly BackendPass[], reads: readonly SoftwareBuffer[]): Promise<ArrayBuffer[]> {
    for (const { bindings, ...pass } of passes) {
      const named = bindings.map(({ name, buffer }) => [name, (buffer as SoftwareBuffer).memory])
      const buffers = Object.fromEntries(named) as SoftwarePass['buffers']
      const running = (async () => this.#gpu.run({ ...pass, buffers }, { lose: (reason) => this.destroy(reason) }))()
      this.#running.add(running)
      try {
        await running
      } catch (error) {
        throw new GpuFault('gpu-shader', error instanceof Error ? error.message : String(error))
      } finally {
        this.#running.delete(running)
      }
    }
    return reads.map(({ memory }) => memory.slice().buffer)
  }

  async idle(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  destroy(reason: string): void {
    this.#lose(reason)
  }
}
