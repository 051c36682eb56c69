import { chromiumLaunchOptions } from '../scripts/lib/find-chromium.mjs'
import { expect, test } from './support/room-test.ts'

// Chromium's WebGPU on the CPU (SwiftShader): slow, and by the same rules as on a GPU. Only this switch asks for it.
const { executablePath, args } = chromiumLaunchOptions()
test.use({ launchOptions: { executablePath, args: [...args, '--enable-unsafe-webgpu'] } })

test('a product of matrices comes out right', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{ numGpus: 1 }] })
  const seen = await tabs[0].page.evaluate(async () => {
    const { get, remote } = window.shoalTest.sdk
    const product = remote(
      {},
      async ({ gpu }, n: number, a: Float32Array, b: Float32Array) => {
        const code = `
          @group(0) @binding(0) var<storage> a: array<f32>;
          @group(0) @binding(1) var<storage> b: array<f32>;
          @group(0) @binding(2) var<storage, read_write> c: array<f32>;
          @group(0) @binding(3) var<uniform> n: u32;
          @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3u) {
            if (id.x >= n || id.y >= n) { return; }
            var sum = 0.0;
            for (var k = 0u; k < n; k++) { sum += a[id.y * n + k] * b[k * n + id.x]; }
            c[id.y * n + id.x] = sum;
          }`
        const { c } = await gpu.run({
          code,
          workgroups: [Math.ceil(n / 8), Math.ceil(n / 8)],
          buffers: {
            a: { data: a },
            b: { data: b },
            c: { usage: 'out', length: n * n },
            n: { data: Uint32Array.of(n), usage: 'uniform' },
          },
        })
        return { c, info: await gpu.info() }
      },
      { numGpus: 1 },
    )
    const n = 100
    const a = Float32Array.from({ length: n * n }, (_, i) => i % 7)
    const b = Float32Array.from({ length: n * n }, (_, i) => i % 5)
    const { c, info } = await get(product.remote(n, a, b))
    let wrong = 0
    for (let y = 0; y < n; y++)
      for (let x = 0; x < n; x++) {
        let sum = 0
        for (let k = 0; k < n; k++) sum += (a[y * n + k] ?? 0) * (b[k * n + x] ?? 0)
        if (c[y * n + x] !== sum) wrong++
      }
    return { wrong, length: c.length, info }
  })
  expect(seen.wrong).toBe(0)
  expect(seen.length).toBe(10_000)
  expect(seen.info).toMatchObject({ isFallback: true, architecture: 'swiftshader', held: { buffers: 0, bytes: 0 } })
})
