import { chromiumLaunchOptions } from '../scripts/lib/find-chromium.mjs'
import { expect, test } from './support/room-test.ts'
import { join } from './support/tab.ts'

// Chromium's WebGPU on the CPU (SwiftShader): slow, and by the same rules as on a GPU. Only this switch asks for it.
const { executablePath, args } = chromiumLaunchOptions()
test.use({ launchOptions: { executablePath, args: [...args, '--enable-unsafe-webgpu'] } })

test('[WG1] a product of matrices comes out right, in the tab that has the GPU', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, { numGpus: 1 }] })
  const [driver, helper] = tabs
  const seen = await driver.page.evaluate(async () => {
    const { get, remote } = window.shoalTest.sdk
    const product = remote(
      {},
      async ({ context, gpu }, n: number, a: Float32Array, b: Float32Array) => {
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
        return { c, info: await gpu.info(), nodeId: context().nodeId }
      },
      { numGpus: 1 },
    )
    const n = 100
    const a = Float32Array.from({ length: n * n }, (_, i) => i % 7)
    const b = Float32Array.from({ length: n * n }, (_, i) => i % 5)
    const { c, info, nodeId } = await get(product.remote(n, a, b))
    let wrong = 0
    for (let y = 0; y < n; y++)
      for (let x = 0; x < n; x++) {
        let sum = 0
        for (let k = 0; k < n; k++) sum += (a[y * n + k] ?? 0) * (b[k * n + x] ?? 0)
        if (c[y * n + x] !== sum) wrong++
      }
    const labels = (await window.shoalTest.sdk.listNodes()).rows.map((row) => row.labels)
    return { wrong, length: c.length, info, nodeId, labels }
  })
  expect(seen.wrong).toBe(0)
  expect(seen.length).toBe(10_000)
  expect(seen.nodeId).toBe(helper?.nodeId)
  expect(seen.info).toMatchObject({ isFallback: true, architecture: 'swiftshader', held: { buffers: 0, bytes: 0 } })
  // [WG11] The driver's browser has the same, which does not count unless it is asked for.
  expect(seen.labels.map((labels) => labels['shoal/gpu']).sort()).toEqual(['fallback', undefined])
})

test('[WG1] passes share buffers, an actor keeps them between its calls, and both leave nothing', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{ numGpus: 1, workers: 3 }] })
  const seen = await tabs[0].page.evaluate(async () => {
    const { actor, get, kill, remote } = window.shoalTest.sdk
    const held = remote({}, async ({ gpu }) => (await gpu.info()).held, { numGpus: 0.1 })
    const untilHeld = async (buffers: number): Promise<void> => {
      while ((await get(held.remote())).buffers !== buffers);
    }
    const passes = remote(
      {},
      async ({ gpu }) => {
        const scale = (by: string) => `
          override by: f32 = ${by};
          @group(0) @binding(0) var<storage> a: array<f32>;
          @group(0) @binding(1) var<storage, read_write> b: array<f32>;
          @compute @workgroup_size(1) fn scale(@builtin(global_invocation_id) id: vec3u) { b[id.x] = a[id.x] * by; }`
        return gpu.run({
          buffers: {
            a: { data: Float32Array.of(1, 2, 3) },
            t: { usage: 'scratch', length: 3 },
            c: { usage: 'out', length: 3 },
          },
          passes: [
            { code: scale('2.0'), workgroups: 3, bindings: ['a', 't'] },
            { code: scale('2.0'), entryPoint: 'scale', constants: { by: 10 }, workgroups: 3, bindings: ['t', 'c'] },
          ],
        })
      },
      { numGpus: 0.5 },
    )
    const Counter = actor(
      {},
      ({ gpu }) =>
        class Counter {
          state: Awaited<ReturnType<typeof gpu.createBuffer>> | undefined
          async add(bytes: Uint8Array) {
            this.state ??= await gpu.createBuffer({ bytes: 4 })
            const code = `
              @group(0) @binding(0) var<storage, read_write> sum: u32;
              @group(0) @binding(1) var<storage> more: u32;
              @compute @workgroup_size(1) fn main() { sum += more; }`
            await gpu.run({ code, workgroups: 1, buffers: { sum: this.state, more: { data: bytes } } })
            return [...(await this.state.read(Uint32Array))]
          }
        },
      { numGpus: 0.5 },
    )
    const counter = Counter.remote()
    const sums = []
    // Three bytes are padded to a word.
    for (const byte of [1, 2, 3]) sums.push(await get(counter.add.remote(Uint8Array.of(byte, 0, 0))))
    const { c } = await get(passes.remote())
    const whileAlive = await get(held.remote())
    kill(counter)
    await untilHeld(0)
    return { sums, c: [...c], whileAlive }
  })
  expect(seen).toEqual({ sums: [[1], [3], [6]], c: [20, 40, 60], whileAlive: { buffers: 1, bytes: 4 } })
})

test('[WG4] errors say what is wrong: the shader and its line, bindings, sizes, and who did not ask', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{ numGpus: 1 }] })
  const seen = await tabs[0].page.evaluate(async () => {
    const { get, remote } = window.shoalTest.sdk
    const run = remote({}, async ({ gpu }, code: string, length: number) => {
      const { x } = await gpu.run({ code, workgroups: 1, buffers: { x: { usage: 'out', length } } })
      return [...x]
    })
    const main = (body: string, binding = 0) => `@group(0) @binding(${binding}) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(1)
fn main() { ${body} }`
    const outcome = async (options: { numGpus?: number }, code: string, length = 1) =>
      get(run.options(options).remote(code, length)).catch((error: Error) => {
        const cause = error.cause as Error & { code: string }
        return { name: cause.name, code: cause.code, message: cause.message }
      })
    const gpu = { numGpus: 1 }
    return {
      shader: await outcome(gpu, main('x[0] = y;')),
      entry: await outcome(gpu, 'const a = 1;'),
      binding: await outcome(gpu, main('x[0] = 1.0;', 1)),
      size: await outcome(gpu, main('x[0] = 1.0;'), 2 ** 28 + 1),
      notAsked: await outcome({}, main('x[0] = 1.0;')),
      right: await outcome(gpu, main('x[0] = 1.0;')),
      page: await window.shoalTest.sdk.gpu.info().catch((error: Error) => error.message),
    }
  })
  expect(seen.shader).toMatchObject({ name: 'GpuError', code: 'gpu-shader' })
  expect(JSON.stringify(seen.shader)).toContain('line 3:20: unresolved value')
  expect(JSON.stringify(seen.shader)).toContain('3 | fn main() { x[0] = y; }')
  expect(seen.entry).toMatchObject({ code: 'gpu-shader' })
  expect(seen.binding).toMatchObject({ code: 'gpu-validation' })
  expect(seen.size).toMatchObject({ code: 'gpu-validation' })
  expect(JSON.stringify(seen.size)).toContain('buffers.x has 1073741828 bytes; this GPU takes')
  expect(seen.notAsked).toMatchObject({ code: 'gpu-unavailable' })
  expect(JSON.stringify(seen.notAsked)).toContain('give it options({ numGpus: 1 })')
  expect(seen.right).toEqual([1])
  expect(seen.page).toContain('in tasks and actors only')
})

test('[WG11] a task waits while no tab has a GPU, and says why', async ({ openRoom, newTab }) => {
  // The CPU in a GPU's place counts only where a page says so.
  const { tabs, helperLink } = await openRoom({ tabs: [{}] })
  const pending = await tabs[0].page.evaluate(async () => {
    const { listTasks, remote } = window.shoalTest.sdk
    const vendor = remote({}, async ({ gpu }) => (await gpu.info()).vendor, { name: 'vendor', numGpus: 1 })
    Object.assign(window, { vendor: vendor.remote() })
    await window.shoalTest.until((status) => status.infeasible.length > 0)
    const { rows } = await listTasks({ filters: [['name', '=', 'vendor']] })
    return rows[0]?.pendingReason
  })
  expect(pending).toBe('needs 1 GPU and no node has one')
  await join(await newTab(), { room: helperLink, workers: 1, numGpus: 1 })
  const vendor = await tabs[0].page.evaluate(() =>
    window.shoalTest.sdk.get((window as unknown as { vendor: never }).vendor),
  )
  expect(vendor).toBe('google')
})

test('[WG6] [WG7] a task that is cancelled, or ended with force while its shader runs, leaves nothing', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{ numGpus: 1, workers: 2 }] })
  const seen = await tabs[0].page.evaluate(async () => {
    const { cancel, get, remote } = window.shoalTest.sdk
    const held = remote({}, async ({ gpu }) => (await gpu.info()).held, { numGpus: 0.1 })
    const untilHeld = async (matches: (buffers: number) => boolean): Promise<void> => {
      while (!matches((await get(held.remote())).buffers));
    }
    const long = remote(
      {},
      async ({ gpu }) => {
        const code = `
          @group(0) @binding(0) var<storage, read_write> x: array<f32>;
          @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            for (var i = 0u; i < 20000u; i++) { x[id.x] = x[id.x] * 1.0001 + 1.0; }
          }`
        for (;;) await gpu.run({ code, workgroups: 256, buffers: { x: { usage: 'out', length: 64 * 256 } } })
      },
      { numGpus: 0.5, maxRetries: 0 },
    )
    const names: string[] = []
    for (const force of [false, true]) {
      const ref = long.remote()
      await untilHeld((buffers) => buffers > 0)
      cancel(ref, { force })
      await get(ref).catch((error: Error) => names.push(error.name))
      await untilHeld((buffers) => buffers === 0)
    }
    return names
  })
  expect(seen).toEqual(['TaskCancelledError', 'WorkerCrashedError'])
})

test('[WG9] when the browser loses its GPU the task is run again, on the next one', async ({ openRoom, browser }) => {
  const { tabs } = await openRoom({ tabs: [{ numGpus: 1 }] })
  const { page } = tabs[0]
  const attempts = page.evaluate(async () => {
    const { get, remote } = window.shoalTest.sdk
    const busy = remote(
      {},
      async ({ context, gpu }) => {
        const code = `
          @group(0) @binding(0) var<storage, read_write> x: array<f32>;
          @compute @workgroup_size(1) fn main() { x[0] += 1.0; }`
        const run = () => gpu.run({ code, workgroups: 1, buffers: { x: { usage: 'out', length: 1 } } })
        if (context().attempt > 0) return { attempt: context().attempt, x: [...(await run()).x] }
        console.log('the GPU is busy')
        for (;;) await run()
      },
      { numGpus: 1 },
    )
    return get(busy.remote())
  })
  await page.waitForEvent('console', (line) => line.text().includes('the GPU is busy'))
  const session = await browser.newBrowserCDPSession()
  await session.send('Browser.crashGpuProcess')
  expect(await attempts).toEqual({ attempt: 1, x: [1] })
})
