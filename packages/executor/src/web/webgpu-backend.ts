import type { BackendBuffer, BackendPass, GpuBackend } from '../gpu/gpu-backend.ts'
import { GpuFault } from '../gpu/gpu-messages.ts'

/** Shaders that stay compiled: those used last. */
const MOST_PIPELINES = 64
/** Of WGSL, where the GPU has them: a shader may enable them. */
const FEATURES: readonly GPUFeatureName[] = ['shader-f16', 'subgroups' as GPUFeatureName]
/** WebGPU's flags of buffers, whose names the DOM's types leave out. */
const MAP_READ = 0x1
const COPY_SRC = 0x4
const COPY_DST = 0x8
const UNIFORM = 0x40
const STORAGE = 0x80
/** `GPUMapMode.READ` */
const READ = 0x1
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxUniformBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize',
] as const

interface WebGpuBuffer extends BackendBuffer {
  readonly buffer: GPUBuffer
  /** Why it could not be made. */
  readonly fault: Promise<GpuFault | undefined>
}

/** The browser's GPU, with all that it takes; undefined where it gives none, as on an insecure origin. */
export async function openWebGpu(): Promise<GpuBackend | undefined> {
  // The DOM's types have it everywhere; browsers do not.
  const gpu = (navigator as { readonly gpu?: GPU }).gpu
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) return undefined
  const requiredFeatures = FEATURES.filter((name) => adapter.features.has(name))
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]))
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits })
  return new WebGpuBackend(device, infoOf(adapter, requiredFeatures))
}

/** A device and the shaders that were compiled for it. WebGPU clears new buffers, so nobody finds another's bytes there. */
class WebGpuBackend implements GpuBackend<WebGpuBuffer> {
  readonly info: GpuBackend['info']
  readonly lost: Promise<string>
  readonly #device: GPUDevice
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>()
  #gaveUp: string | undefined

  constructor(device: GPUDevice, info: GpuBackend['info']) {
    this.#device = device
    this.info = info
    this.lost = device.lost.then(({ reason, message }) => this.#gaveUp ?? (message || reason))
  }

  createBuffer(bytes: number, data: Uint8Array | undefined, isUniform: boolean): WebGpuBuffer {
    const device = this.#device
    const size = isUniform ? roundUp(bytes, 16) : roundUp(bytes, 4)
    const kind = isUniform ? UNIFORM : STORAGE
    const faults = this.#catching()
    const buffer = device.createBuffer({ size, usage: kind | COPY_DST | COPY_SRC })
    if (data !== undefined) {
      const whole = bytes % 4 === 0 ? data : padded(data)
      device.queue.writeBuffer(buffer, 0, whole as Uint8Array<ArrayBuffer>)
    }
    return { bytes, buffer, fault: faults(), destroy: () => buffer.destroy() }
  }

  async made({ fault }: WebGpuBuffer): Promise<void> {
    throwIf(await fault)
  }

  async run(passes: readonly BackendPass[], reads: readonly WebGpuBuffer[]): Promise<ArrayBuffer[]> {
    const device = this.#device
    const used = new Set([
      ...reads,
      ...passes.flatMap(({ bindings }) => bindings.map(({ buffer }) => buffer as WebGpuBuffer)),
    ])
    const pipelines = await Promise.all(passes.map((pass) => this.#pipeline(pass)))
    const faults = this.#catching()
    const encoder = device.createCommandEncoder()
    passes.forEach((pass, index) => this.#encode(encoder, pass, pipelines[index] as GPUComputePipeline))
    const copies = reads.map(({ bytes, buffer }) => {
      const size = roundUp(bytes, 4)
      const copy = device.createBuffer({ size, usage: MAP_READ | COPY_DST })
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, size)
      return copy
    })
    device.queue.submit([encoder.finish()])
    const fault = faults()
    const mapped = Promise.allSettled(copies.map((copy) => copy.mapAsync(READ)))
    try {
      for (const { fault: made } of used) throwIf(await made)
      throwIf(await fault)
      const failed = (await mapped).find((outcome) => outcome.status === 'rejected')
      // Nothing was wrong with what was asked: the device is gone, and may be about to say so.
      if (failed) throw new GpuFault('gpu-device-lost', `the GPU was lost: ${this.#gaveUp ?? String(failed.reason)}`)
      return copies.map((copy, index) => copy.getMappedRange().slice(0, (reads[index] as WebGpuBuffer).bytes))
    } finally {
      for (const copy of copies) copy.destroy()
    }
  }

  idle(): Promise<void> {
    return this.#device.queue.onSubmittedWorkDone() as Promise<undefined>
  }

  destroy(reason: string): void {
    this.#gaveUp = reason
    this.#device.destroy()
  }

  #encode(encoder: GPUCommandEncoder, { bindings, workgroups }: BackendPass, pipeline: GPUComputePipeline): void {
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    if (bindings.length > 0) {
      const entries = bindings.map(({ buffer }, binding) => ({
        binding,
        resource: { buffer: (buffer as WebGpuBuffer).buffer },
      }))
      pass.setBindGroup(0, this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
    }
    pass.dispatchWorkgroups(...workgroups)
    pass.end()
  }

  #pipeline(pass: BackendPass): Promise<GPUComputePipeline> {
    const key = JSON.stringify([pass.entryPoint, pass.constants, pass.code])
    const known = this.#pipelines.get(key) ?? this.#compile(pass)
    // The one used last stands last.
    this.#pipelines.delete(key)
    this.#pipelines.set(key, known)
    known.catch(() => this.#pipelines.delete(key))
    const [oldest] = this.#pipelines.keys()
    if (this.#pipelines.size > MOST_PIPELINES && oldest !== undefined) this.#pipelines.delete(oldest)
    return known
  }

  async #compile({ code, entryPoint, constants }: BackendPass): Promise<GPUComputePipeline> {
    const faults = this.#catching()
    const module = this.#device.createShaderModule({ code })
    const [info, fault] = await Promise.all([module.getCompilationInfo(), faults()])
    const errors = info.messages.filter(({ type }) => type === 'error')
    if (errors.length > 0)
      throw new GpuFault(
        'gpu-shader',
        ['the shader does not compile:', ...errors.map((each) => atLine(each, code))].join('\n'),
      )
    if (fault !== undefined) throw new GpuFault('gpu-shader', fault.message)
    try {
      return await this.#device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, constants, ...(entryPoint !== undefined && { entryPoint }) },
      })
    } catch (error) {
      throw new GpuFault('gpu-shader', error instanceof Error ? error.message : String(error))
    }
  }

  /** From now on until it is called, what goes wrong. Nothing may be awaited meanwhile: scopes are the device's. */
  #catching(): () => Promise<GpuFault | undefined> {
    const device = this.#device
    for (const kind of ['validation', 'out-of-memory', 'internal'] as const) device.pushErrorScope(kind)
    return async () => {
      // A device that is lost has no faults to tell.
      const pop = (): Promise<GPUError | null> => device.popErrorScope().catch(() => null)
      const [internal, memory, invalid] = await Promise.all([pop(), pop(), pop()])
      if (memory) return new GpuFault('gpu-out-of-memory', `the GPU has no memory left: ${memory.message}`)
      const error = invalid ?? internal
      return error ? new GpuFault('gpu-validation', error.message) : undefined
    }
  }
}

function infoOf({ info, limits }: GPUAdapter, features: readonly string[]): GpuBackend['info'] {
  const { vendor, architecture, description } = info
  return {
    vendor,
    architecture,
    description,
    isFallback: info.isFallbackAdapter,
    features,
    limits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])) as unknown as GpuBackend['info']['limits'],
  }
}

/** `line 3:9: text` and the line itself, as compilers say it. */
function atLine({ lineNum, linePos, message }: GPUCompilationMessage, code: string): string {
  const line = code.split('\n')[lineNum - 1]
  return `  line ${lineNum}:${linePos}: ${message}${line === undefined ? '' : `\n    ${lineNum} | ${line}`}`
}

function throwIf(fault: GpuFault | undefined): void {
  if (fault !== undefined) throw fault
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to
}

function padded(data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(roundUp(data.byteLength, 4))
  whole.set(data)
  return whole
}
