// A product of matrices on the GPUs of all tabs: each tile is a task that asks for a GPU and hands it a shader.
import { get, put, remote, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'

const TILE = 256

/** One tile: rows of A times columns of B. The GPU's threads take 16 x 16 numbers of both at a time into shared memory. */
const multiplyTile = remote(
  { TILE },
  async ({ TILE, gpu }, rows: Float32Array, columns: Float32Array, n: number) => {
    const code = `
      @group(0) @binding(0) var<storage> a: array<f32>;
      @group(0) @binding(1) var<storage> b: array<f32>;
      @group(0) @binding(2) var<storage, read_write> c: array<f32>;
      override n: u32;
      override tile: u32;
      var<workgroup> some_a: array<array<f32, 16>, 16>;
      var<workgroup> some_b: array<array<f32, 16>, 16>;
      @compute @workgroup_size(16, 16)
      fn main(@builtin(global_invocation_id) at: vec3u, @builtin(local_invocation_id) own: vec3u) {
        var sum = 0.0;
        for (var k = 0u; k < n; k += 16u) {
          some_a[own.y][own.x] = a[at.y * n + k + own.x];
          some_b[own.y][own.x] = b[(k + own.y) * tile + at.x];
          workgroupBarrier();
          for (var i = 0u; i < 16u; i++) { sum += some_a[own.y][i] * some_b[i][own.x]; }
          workgroupBarrier();
        }
        c[at.y * tile + at.x] = sum;
      }`
    const { c } = await gpu.run({
      code,
      constants: { n, tile: TILE },
      workgroups: [TILE / 16, TILE / 16],
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
