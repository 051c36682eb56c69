// A product of matrices on the GPUs of all tabs: each tile is a task that asks for a GPU and hands it a shader.
import { get, put, remote, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'

const TILE = 256

/** One tile: rows of A times columns of B. Each of the GPU's threads computes 4 x 4 numbers of it. */
const multiplyTile = remote(
  { TILE },
  async ({ TILE, gpu }, rows: Float32Array, columns: Float32Array, n: number) => {
    const code = `
      @group(0) @binding(0) var<storage> a: array<vec4f>;
      @group(0) @binding(1) var<storage> b: array<vec4f>;
      @group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
      override n: u32;
      override tile: u32;
      @compute @workgroup_size(8, 8)
      fn main(@builtin(global_invocation_id) at: vec3u) {
        var sum: mat4x4f;
        for (var k = 0u; k < n / 4u; k++) {
          var part: mat4x4f;
          for (var i = 0u; i < 4u; i++) { part[i] = b[(4u * k + i) * tile / 4u + at.x]; }
          for (var i = 0u; i < 4u; i++) { sum[i] += part * a[(4u * at.y + i) * n / 4u + k]; }
        }
        for (var i = 0u; i < 4u; i++) { c[(4u * at.y + i) * tile / 4u + at.x] = sum[i]; }
      }`
    const { c } = await gpu.run({
      code,
      constants: { n, tile: TILE },
      workgroups: [TILE / 32, TILE / 32],
      buffers: { a: { data: rows }, b: { data: columns }, c: { usage: 'out', length: TILE * TILE } },
    })
    const { vendor, isFallback } = await gpu.info()
    return { c, gpu: isFallback ? 'software' : vendor }
  },
  { numGpus: 1, name: 'multiply tile' },
)

export interface Tile {
  readonly x: number
  readonly y: number
  readonly side: number
  /** Its numbers, row by row. */
  readonly c: Float32Array
  /** Who made the GPU it was computed on; `software` where the CPU stood in for one. */
  readonly gpu: string
}

/** Multiplies two n x n matrices, n a multiple of 256, and calls back with each tile of the product. */
export async function multiply(
  a: Float32Array,
  b: Float32Array,
  n: number,
  onTile: (tile: Tile) => void,
): Promise<void> {
  const places = Array.from({ length: n / TILE }, (_, i) => i * TILE)
  // Stored once each, for all tiles that need them.
  const rows = places.map((y) => put(a.slice(y * n, (y + TILE) * n)))
  const columns = places.map((x) => {
    const part = new Float32Array(n * TILE)
    for (let k = 0; k < n; k++) part.set(b.subarray(k * n + x, k * n + x + TILE), k * TILE)
    return put(part)
  })
  const running = new Map<ObjectRef<{ c: Float32Array; gpu: string }>, { x: number; y: number }>()
  rows.forEach((row, j) =>
    columns.forEach((column, i) => running.set(multiplyTile.remote(row, column, n), { x: i * TILE, y: j * TILE })),
  )
  while (running.size > 0) {
    const [ready] = await wait([...running.keys()])
    for (const ref of ready) {
      const place = running.get(ref) ?? { x: 0, y: 0 }
      running.delete(ref)
      onTile({ ...place, side: TILE, ...(await get(ref)) })
      ref.release()
    }
  }
  for (const ref of [...rows, ...columns]) ref.release()
}
