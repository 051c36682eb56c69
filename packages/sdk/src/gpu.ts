import type { GpuApi } from '@shoal/core-worker'

const refuse = (): Promise<never> =>
  Promise.reject(new TypeError('gpu works in tasks and actors only, which ask for numGpus'))

/**
 * Compute shaders on the GPU of the tab in which the task runs, through WebGPU: WGSL and buffers in, buffers out. For tasks and
 * actors that ask for `numGpus`; in an inline function take it from the first parameter, in a remote module import it.
 * docs/gpu.md has all of it.
 *
 * @example
 * const double = remote({}, async ({ gpu }, data: Float32Array) => {
 *   const code = `
 *     @group(0) @binding(0) var<storage, read_write> x: array<f32>;
 *     @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
 *       if (id.x < arrayLength(&x)) { x[id.x] *= 2.0; }
 *     }`
 *   const { x } = await gpu.run({ code, workgroups: Math.ceil(data.length / 64), buffers: { x: { data, usage: 'read-write' } } })
 *   return x
 * }, { numGpus: 1 })
 * double.remote(Float32Array.of(1, 2, 3)) // waits for a tab with a GPU, and makes 2, 4, 6 there
 */
export const gpu: GpuApi = { run: refuse, createBuffer: refuse, info: refuse }
