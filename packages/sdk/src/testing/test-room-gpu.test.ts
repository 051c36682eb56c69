import { actor, cancel, get, GpuDeviceLostError, GpuError, remote, TaskCancelledError, TaskError } from '@shoal/sdk'
import { afterEach, expect, it } from 'vitest'
import { createTestRoom } from './test-room.ts'
import type { SoftwareGpu, TestRoom } from './index.ts'

let room: TestRoom | undefined
afterEach(() => room?.close())

/** Adds one to each number. */
const plusOne: SoftwareGpu = {
  run({ buffers }) {
    for (const bytes of Object.values(buffers)) {
      const numbers = new Float32Array(bytes.buffer)
      numbers.forEach((value, index) => (numbers[index] = value + 1))
    }
  },
}

const add = remote({}, async ({ context, gpu }, data: Float32Array) => {
  const { x } = await gpu.run({ code: '+1', workgroups: 1, buffers: { x: { data, usage: 'read-write' } } })
  return { x: [...x], nodeId: context().nodeId }
})

it('[WG1] a function of the test stands for the GPU of a tab, which offers one', async () => {
  room = await createTestRoom({ tabs: [{}, { gpu: plusOne, workers: 2 }] })
  const half = add.options({ numGpus: 0.5 })
  const [a, b] = await get([half.remote(Float32Array.of(1)), half.remote(Float32Array.of(2, 3))])
  expect([a.x, b.x]).toEqual([[2], [3, 4]])
  expect(new Set([a.nodeId, b.nodeId])).toEqual(new Set([room.tabs[1]?.nodeId]))
})

it('[WG2] [WG3] without one, or unasked, it is a GpuError that says so', async () => {
  room = await createTestRoom({ tabs: [{ numGpus: 1 }] })
  const causeOf = async (numGpus: number): Promise<GpuError> => {
    const error: unknown = await get(add.options({ numGpus }).remote(Float32Array.of(1))).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(TaskError)
    return (error as TaskError).cause as GpuError
  }
  const none = await causeOf(1)
  expect(none).toBeInstanceOf(GpuError)
  expect([none.code, none.message]).toEqual(['gpu-unavailable', 'this tab has no WebGPU: its browser gives it no GPU'])
  expect((await causeOf(0)).message).toContain('anonymous did not ask for a GPU: give it options({ numGpus: 1 })')
})

it('[WG5] [WG6] an actor keeps its buffers for its life, a task for its own', async () => {
  room = await createTestRoom({ tabs: [{ gpu: plusOne, workers: 2 }] })
  const held = remote({}, async ({ gpu }) => (await gpu.info()).held.buffers, { numGpus: 0.1 })
  const Keeper = actor(
    {},
    ({ gpu }) =>
      class Keeper {
        kept: Awaited<ReturnType<typeof gpu.createBuffer>> | undefined
        async step() {
          this.kept ??= await gpu.createBuffer(Float32Array.of(1))
          await gpu.run({ code: '+1', workgroups: 1, buffers: { x: this.kept } })
          return [...(await this.kept.read())]
        }
      },
    { numGpus: 0.2 },
  )
  const careless = remote({}, async ({ gpu }) => (await gpu.createBuffer({ bytes: 100 })).bytes, { numGpus: 0.2 })
  const keeper = Keeper.remote()
  expect(await get(keeper.step.remote())).toEqual([2])
  expect(await get(keeper.step.remote())).toEqual([3])
  expect(await get(careless.remote())).toBe(100)
  expect(await get(held.remote())).toBe(1)
})

it('[WG9] a task whose GPU is lost is run again, as often as one whose worker crashed', async () => {
  let losses = 0
  const gpu: SoftwareGpu = {
    run({ code }, { lose }) {
      if (losses < Number(code)) {
        losses++
        lose('a test took it away')
      }
    },
  }
  room = await createTestRoom({ tabs: [{ gpu }] })
  const run = remote(
    {},
    async ({ context, gpu: own }, times: string) => {
      await own.run({ code: times, workgroups: 1, buffers: { x: { usage: 'scratch', length: 1 } } })
      return context().attempt
    },
    { numGpus: 1, maxRetries: 2 },
  )
  expect(await get(run.remote('2'))).toBe(2)
  losses = 0
  const error: unknown = await get(run.remote('9')).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(GpuDeviceLostError)
  expect(losses).toBe(3)
})

it('[WG10] a request that is wrong is refused by the name of what is', async () => {
  room = await createTestRoom({ tabs: [{ gpu: plusOne }] })
  const wrong = remote(
    {},
    async ({ gpu }) => gpu.run({ code: '+1', workgroups: 0, buffers: { x: { usage: 'out', length: 1 } } }),
    { numGpus: 1 },
  )
  await expect(get(wrong.remote())).rejects.toThrow('workgroups must be a whole number from 1 to 4294967295, got 0')
})

it('[WG8] a cancelled shader that hangs takes the GPU with it after 5 s; a task beside it is run again on another', async () => {
  let runs = 0
  const gpu: SoftwareGpu = {
    run: ({ code }) => (code === 'hang' || runs++ === 0 ? new Promise(() => undefined) : undefined),
  }
  room = await createTestRoom({ tabs: [{ gpu, workers: 2 }], clock: 'manual' })
  const run = remote(
    {},
    async ({ context, gpu: own }, code: string) => {
      await own.run({ code, workgroups: 1, buffers: { x: { usage: 'scratch', length: 1 } } })
      return context().attempt
    },
    { numGpus: 0.5 },
  )
  const hung = run.remote('hang')
  const beside = run.remote('add')
  await room.advance(100)
  cancel(hung)
  await room.advance(4_900)
  await expect(get(hung)).rejects.toThrow(TaskCancelledError)
  expect(runs).toBe(1)
  await room.advance(1_000)
  expect(await get(beside)).toBe(1)
})
