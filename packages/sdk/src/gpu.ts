import type { GpuApi } from '@shoal/core-worker'

const refuse = (): Promise<never> =>
  Promise.reject(new TypeError('gpu works in tasks and actors only, which ask for numGpus'))

/**
 * Compute shaders on the GPU of the tab in which the task runs, through WebGPU: WGSL and buffers in, buffers out. For tasks and
 * actors that ask for `numGpus`; in an inline function take it from the first parameter, in a remote module import it.
 * docs/gpu.md has all of it.
 *
 * @example
 * const apply = remote({}, async ({ gpu }, code: string, data: Float32Array) => {
 *   const { x } = await gpu.run({ code, workgroups: data.length, buffers: { x: { data, usage: 'read-write' } } })
 *   return x
 * }, { numGpus: 1 })
 * apply.remote('the WGSL of a shader', Float32Array.of(1, 2, 3)) // waits for a tab with a GPU
 */
export const gpu: GpuApi = { run: refuse, createBuffer: refuse, info: refuse }
