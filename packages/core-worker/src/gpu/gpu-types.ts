/** What a shader's buffers can be made of and read as. */
export type GpuArray =
  Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array | Uint8ClampedArray

/** Such an array's constructor, as in `type: Float32Array`. */
export type GpuArrayType<A extends GpuArray = GpuArray> = (new (buffer: ArrayBuffer) => A) & {
  readonly BYTES_PER_ELEMENT: number
}

/** What a shader is given: `read` (the default) and `uniform` stay on the GPU, `read-write` comes back too. */
export interface GpuInput<A extends GpuArray = GpuArray> {
  readonly data: A
  readonly usage?: 'read' | 'read-write' | 'uniform'
}

/** What a shader makes, all zeros at first: `out` comes back, `scratch` is for passes that follow. */
export interface GpuRoom<A extends GpuArray = GpuArray> {
  readonly usage: 'out' | 'scratch'
  /** In elements of `type`. */
  readonly length: number
  /** Default: Float32Array. */
  readonly type?: GpuArrayType<A>
}

/**
 * A buffer that stays on the GPU between calls: until it is released, or the task or actor that made it ends. Only that
 * one can use it.
 */
export interface GpuBuffer extends Disposable {
  readonly bytes: number
  /** A copy of what is in it, as 32-bit floats or as what is asked for. */
  read(): Promise<Float32Array<ArrayBuffer>>
  read<A extends GpuArray>(type: GpuArrayType<A>): Promise<A>
  /** Frees it. Twice is harmless. */
  release(): void
}

/** One dispatch of a compute shader. */
export interface GpuPass {
  /** WGSL. */
  readonly code: string
  /** Default: the shader's only entry point. */
  readonly entryPoint?: string
  /** How many workgroups: one number, or up to three. */
  readonly workgroups: number | readonly [x: number, y?: number, z?: number]
  /** Names of buffers: the first is `@group(0) @binding(0)`, and so on. Default: all, in the order in which they stand. */
  readonly bindings?: readonly string[]
  /** Of the shader's `override` declarations, by name. */
  readonly constants?: Readonly<Record<string, number>>
}

/** Buffers by name. */
export type GpuBuffers = Readonly<Record<string, GpuInput | GpuRoom | GpuBuffer>>

/** One pass, or several: what one leaves in a buffer the next one finds there. */
export type GpuRequest<B extends GpuBuffers = GpuBuffers> = {
  readonly buffers: B
  readonly signal?: AbortSignal
} & (GpuPass | { readonly passes: readonly GpuPass[] })

type ArrayOf<T> = T extends { readonly data: infer A extends GpuArray }
  ? A
  : T extends { readonly type: GpuArrayType<infer A> }
    ? A
    : Float32Array<ArrayBuffer>

/** What comes back: the buffers of usage `out` and `read-write`, by name. */
export type GpuResults<B extends GpuBuffers> = {
  -readonly [K in keyof B as B[K] extends { readonly usage: 'out' | 'read-write' } ? K : never]: ArrayOf<B[K]>
}

/** What the GPU of this tab is, and what it takes. */
export interface GpuInfo {
  /** As the browser says it, e.g. `nvidia`; often no more than that. */
  readonly vendor: string
  readonly architecture: string
  readonly description: string
  /** True: there is no GPU, the browser computes on the CPU in its place. */
  readonly isFallback: boolean
  /** Those of WGSL that are on: `shader-f16`, `subgroups`. */
  readonly features: readonly string[]
  readonly limits: GpuLimits
  /** What tasks of this tab hold there at this moment. */
  readonly held: { readonly buffers: number; readonly bytes: number }
}

/** The browser's own limits, in WebGPU's words. */
export interface GpuLimits {
  readonly maxBufferSize: number
  readonly maxStorageBufferBindingSize: number
  readonly maxUniformBufferBindingSize: number
  readonly maxStorageBuffersPerShaderStage: number
  readonly maxComputeWorkgroupsPerDimension: number
  readonly maxComputeInvocationsPerWorkgroup: number
  readonly maxComputeWorkgroupSizeX: number
  readonly maxComputeWorkgroupSizeY: number
  readonly maxComputeWorkgroupSizeZ: number
  readonly maxComputeWorkgroupStorageSize: number
}

/** WebGPU's compute shaders, for tasks and actors that ask for `numGpus`. */
export interface GpuApi {
  /**
   * Runs compute shaders on buffers and gives what they made. `data` is copied while the call goes on: leave it as it is
   * until then.
   *
   * @throws GpuError: `gpu-unavailable` where the task or actor did not ask for `numGpus` or its tab has no GPU;
   *   `gpu-shader` with the compiler's lines; `gpu-validation`; `gpu-out-of-memory`. GpuDeviceLostError, after which a task
   *   is run again. The signal's reason; TaskCancelledError.
   */
  run<const B extends GpuBuffers>(request: GpuRequest<B>): Promise<GpuResults<B>>
  /** A buffer that stays there between calls, with this in it, or so many bytes of zeros. @throws as `run` */
  createBuffer(content: GpuArray | { readonly bytes: number }): Promise<GpuBuffer>
  /** @throws GpuError as `run` */
  info(): Promise<GpuInfo>
}
