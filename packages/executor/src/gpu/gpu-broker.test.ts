import { makeError, ShoalError } from '@shoal/protocol'
import { expect, it } from 'vitest'
import type { Run } from '../runner/runner.ts'
import type { GpuClient } from './gpu-client.ts'
import type { GpuMethod } from './gpu-client.ts'
import { createLocalGpu } from './local-gpu.ts'
import { SoftwareBackend } from './software-backend.ts'
import type { SoftwarePass } from './software-backend.ts'

type Shader = (pass: SoftwarePass) => void | Promise<void>

/** Adds one to each number of `x`; a shader named otherwise fails to compile, `hang` never ends. */
const shaders: Shader = ({ code, buffers }) => {
  if (code === 'hang') return new Promise(() => undefined)
  if (code !== 'add') throw new Error(`line 1:1: no ${code}`)
  const x = floats(buffers['x'])
  x.forEach((value, index) => (x[index] = value + 1))
  return undefined
}

/** A broker whose time goes on when the test says so, and tasks of several workers. */
function bench(run: Shader = shaders) {
  const alarms = new Set<{ atMs: number; callback: () => void }>()
  const backends: SoftwareBackend[] = []
  let nowMs = 0
  let isGone = false
  const gpu = createLocalGpu({
    clock: {
      now: () => nowMs,
      after(delayMs, callback) {
        const alarm = { atMs: nowMs + delayMs, callback }
        alarms.add(alarm)
        return { cancel: () => void alarms.delete(alarm) }
      },
    },
    open() {
      if (isGone) return Promise.resolve(undefined)
      const backend = new SoftwareBackend({ run })
      backends.push(backend)
      return Promise.resolve(backend)
    },
  })
  const worker = (thread: number) => {
    let client: GpuClient | undefined
    gpu.loader(thread)((create, lane) => (client = create(lane, makeError)))
    const made = client as unknown as GpuClient
    const call = async (method: GpuMethod, first?: unknown, runNumber = 1, gpus = true): Promise<unknown> =>
      made.call(method, { run: runOf(runNumber, gpus), birth: undefined }, [first])
    return {
      client: made,
      call,
      run: (request: unknown, number = 1) => call('run', request, number) as Promise<Record<string, Float32Array>>,
      keep: (content: unknown, number = 1) => call('createBuffer', content, number) as Promise<Kept>,
    }
  }
  return {
    broker: gpu.broker,
    backends,
    worker,
    alarms,
    takeAway: () => (isGone = true),
    giveBack: () => (isGone = false),
    async pass(ms: number) {
      nowMs += ms
      for (const alarm of [...alarms].filter(({ atMs }) => atMs <= nowMs)) {
        alarms.delete(alarm)
        alarm.callback()
      }
      await settled()
    },
  }
}

interface Kept {
  readonly bytes: number
  read(): Promise<Float32Array>
  release(): void
}

function runOf(run: number, gpus: boolean): Run {
  const resources = [{ name: 'CPU', units: 10_000 }, ...(gpus ? [{ name: 'GPU', units: 5_000 }] : [])]
  return { run, template: { name: 'f', resources }, isCancelled: false } as unknown as Run
}

function floats(bytes: Uint8Array<ArrayBuffer> | undefined): Float32Array {
  return new Float32Array(bytes?.buffer ?? new ArrayBuffer(0))
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'a value',
    (error: unknown) => (ShoalError.is(error) ? error.code : String(error)),
  )
const readWrite = (...numbers: number[]) => ({ x: { data: Float32Array.from(numbers), usage: 'read-write' } })
const add = { code: 'add', workgroups: 1 }
const hang = { code: 'hang', workgroups: 1 }

it('[WG1] buffers go in, what the passes made of them comes out, and nothing stays', async () => {
  const { worker, broker } = bench()
  const { run } = worker(1)
  const { x } = await run({ buffers: readWrite(1, 2), passes: [add, add, add] })
  expect([...(x ?? [])]).toEqual([4, 5])
  const made = await run({
    buffers: { x: { usage: 'out', length: 3 }, y: { data: Int32Array.of(1) } },
    ...add,
    bindings: ['x'],
  })
  expect(made).toEqual({ x: Float32Array.of(1, 1, 1) })
  expect(broker.held).toEqual({ buffers: 0, bytes: 0 })
})

it('[WG2] who did not ask for a GPU is told what to ask for, before anything else', async () => {
  const { worker, backends } = bench()
  const asked = worker(1).call('run', { buffers: readWrite(1), ...add }, 1, false)
  await expect(asked).rejects.toMatchObject({ code: 'gpu-unavailable' })
  await expect(worker(1).call('info', undefined, 1, false)).rejects.toThrow(
    'f did not ask for a GPU: give it options({ numGpus: 1 })',
  )
  expect(backends).toEqual([])
})

it('[WG3] where there is none, a call fails and says so; one that comes later is found', async () => {
  const { worker, takeAway, giveBack } = bench()
  const { run } = worker(1)
  takeAway()
  await expect(run({ buffers: readWrite(1), ...add })).rejects.toMatchObject({
    code: 'gpu-unavailable',
    message: 'this tab has no WebGPU: its browser gives it no GPU',
  })
  giveBack()
  expect(await codeOf(run({ buffers: readWrite(1), ...add }))).toBe('a value')
})

it('[WG4] what does not compile says the lines, and what is larger than the GPU takes says how much it takes', async () => {
  const { worker, broker } = bench()
  const { run } = worker(1)
  await expect(run({ buffers: readWrite(1), code: 'sub', workgroups: 1 })).rejects.toMatchObject({
    name: 'GpuError',
    code: 'gpu-shader',
    message: expect.stringContaining('line 1:1: no sub') as string,
  })
  await expect(run({ buffers: { x: { usage: 'out', length: 2 ** 28 } }, ...add })).rejects.toThrow(
    'buffers.x has 1073741824 bytes; this GPU takes 134217728 at most',
  )
  expect(broker.held).toEqual({ buffers: 0, bytes: 0 })
})

it("[WG5] a kept buffer is its task's: it is there in the next call, and for nobody else", async () => {
  const { worker, broker } = bench()
  const own = worker(1)
  const kept = await own.keep(Float32Array.of(1, 2))
  await own.run({ buffers: { x: kept }, ...add })
  await own.run({ buffers: { x: kept }, ...add })
  expect([...(await kept.read())]).toEqual([3, 4])
  // Another task of the same worker, and another worker.
  expect(await codeOf(own.run({ buffers: { x: kept }, ...add }, 2))).toBe('gpu-validation')
  expect(await codeOf(worker(2).run({ buffers: { x: kept }, ...add }))).toBe('gpu-validation')
  expect(broker.held).toEqual({ buffers: 1, bytes: 8 })
  kept.release()
  kept.release()
  await settled()
  expect(broker.held).toEqual({ buffers: 0, bytes: 0 })
  expect(await codeOf(kept.read())).toBe('gpu-validation')
  expect(await codeOf(own.run({ buffers: { x: kept }, ...add }))).toBe('gpu-validation')
})

it('[WG6] what a task kept is freed with it, and what a worker kept with its thread', async () => {
  const { worker, broker } = bench()
  const one = worker(1)
  const two = worker(2)
  const kept = await one.keep({ bytes: 100 }, 1)
  await one.keep({ bytes: 10 }, 2)
  await two.keep({ bytes: 1 })
  expect(broker.held).toEqual({ buffers: 3, bytes: 111 })
  one.client.ended(1)
  await settled()
  expect(broker.held).toEqual({ buffers: 2, bytes: 11 })
  expect(await codeOf(kept.read())).toBe('gpu-validation')
  broker.close(1)
  expect(broker.held).toEqual({ buffers: 1, bytes: 1 })
  two.client.close()
  await settled()
  expect(broker.held).toEqual({ buffers: 0, bytes: 0 })
  expect(await codeOf(two.run({ buffers: readWrite(1), ...add }))).toBe('gpu-unavailable')
})

it('[WG7] a cancelled call rejects at once with the reason, and its buffers are freed when the GPU is done with it', async () => {
  let finish: () => void = () => undefined
  const { worker, broker, alarms } = bench(() => new Promise((resolve) => (finish = resolve)))
  const { client, run } = worker(1)
  const going = run({ buffers: readWrite(1), ...add })
  await settled()
  expect(broker.held.buffers).toBe(1)
  client.cancel(1, new Error('cancelled'))
  await expect(going).rejects.toThrow('cancelled')
  await settled()
  finish()
  await settled()
  expect(broker.held.buffers).toBe(0)
  expect(alarms.size).toBe(0)

  const controller = new AbortController()
  const aborted = run({ buffers: readWrite(1), ...add, signal: controller.signal })
  await settled()
  controller.abort(new Error('aborted'))
  await expect(aborted).rejects.toThrow('aborted')
  await expect(run({ buffers: readWrite(1), ...add, signal: controller.signal })).rejects.toThrow('aborted')
})

it('[WG8] what was cancelled and hangs takes the GPU with it: others fail as lost, and the next call asks for another', async () => {
  const { worker, broker, backends, pass } = bench()
  const hung = worker(1)
  const other = worker(2)
  const kept = await other.keep(Float32Array.of(1))
  const going = codeOf(hung.run({ buffers: readWrite(1), ...hang }))
  const waiting = codeOf(other.run({ buffers: readWrite(1), ...hang }))
  await settled()
  // As when its worker is ended with force.
  broker.close(1)
  await pass(4_999)
  expect(await codeOf(other.run({ buffers: readWrite(1), ...add }))).toBe('a value')
  await pass(1)
  expect(await waiting).toBe('gpu-device-lost')
  expect(await codeOf(other.run({ buffers: { x: kept }, ...add }))).toBe('gpu-device-lost')
  expect(await codeOf(other.run({ buffers: readWrite(1), ...add }))).toBe('a value')
  expect(backends).toHaveLength(2)
  hung.client.close()
  expect(await going).toBe('gpu-unavailable')
})

it('[WG9] a GPU that the browser takes away fails what runs, is asked for again for a while, and then is said to be gone', async () => {
  const { worker, backends, takeAway, pass } = bench()
  const { run } = worker(1)
  const going = codeOf(run({ buffers: readWrite(1), ...hang }))
  await settled()
  takeAway()
  backends[0]?.destroy('its process ended')
  expect(await going).toBe('gpu-device-lost')
  let outcome: string | undefined
  void codeOf(run({ buffers: readWrite(1), ...add })).then((code) => (outcome = code))
  for (let i = 0; i < 4; i++) {
    await settled()
    expect(outcome).toBeUndefined()
    await pass(500)
  }
  expect(outcome).toBe('gpu-device-lost')
})
