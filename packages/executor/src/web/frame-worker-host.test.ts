import { MessageChannel as NodeChannel } from 'node:worker_threads'
import { parseNodeId, PROTOCOL_VERSION } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { FromFrame, ToFrame } from './frame-control.ts'
import { createFrameWorkerHost } from './frame-worker-host.ts'
import type { WorkerHost } from '../worker-host.ts'

// The page and its frame, played by this test over real ports; only the browser's threads are missing.

const init = { submitter: 1, workerId: 1, nodeId: parseNodeId('ab'.repeat(16)) }
const ports: MessagePort[] = []
let host: WorkerHost | undefined

beforeEach(() => {
  vi.stubGlobal('MessageChannel', NodeChannel)
})
afterEach(() => {
  host?.close()
  for (const port of ports.splice(0)) port.close()
  vi.unstubAllGlobals()
})

interface Played {
  readonly started: number[]
  readonly terminated: number[]
  /** One for each time that a pulse was asked for. */
  readonly pulses: number[]
  breakDown(number: number, reason: string): void
}

function open(answerWithinMs = 5000): { page: MessagePort; asked: string[] } {
  const { port1, port2 } = new NodeChannel() as unknown as MessageChannel
  ports.push(port1, port2)
  const asked: string[] = []
  port2.addEventListener('message', (event: MessageEvent<string>) => asked.push(event.data))
  port2.start()
  const load = { loadSecondStage: () => Promise.resolve('second'), loadGpu: () => Promise.resolve('gpu') }
  host = createFrameWorkerHost(port1, { answerWithinMs, ...load })
  return { page: port2, asked }
}

function bringFrame(page: MessagePort, version = PROTOCOL_VERSION): Played {
  const { port1, port2 } = new NodeChannel() as unknown as MessageChannel
  ports.push(port1)
  const started: number[] = []
  const terminated: number[] = []
  const pulses: number[] = []
  const tell = (message: FromFrame): void => port1.postMessage(message)
  port1.addEventListener('message', ({ data, ports: [port] }: MessageEvent<ToFrame>) => {
    if (port !== undefined) ports.push(port)
    if (data.type === 'start') started.push(data.number)
    if (data.type === 'terminate') terminated.push(data.number)
    if (data.type === 'pulse') pulses.push(1)
  })
  port1.start()
  page.postMessage('frame', [port2])
  tell({ type: 'hello', version, isShared: false })
  return {
    started,
    terminated,
    pulses,
    breakDown: (number, reason) => tell({ type: 'ended', number, reason }),
  }
}

const ended = (): Promise<string> => new Promise((resolve) => host?.start(init).onEnded(resolve))

test('workers that were asked for before there was a frame are started in it, ended ones are not', async () => {
  const { page } = open()
  host?.start(init)
  host?.start(init).terminate()
  host?.start(init)
  const frame = bringFrame(page)
  await vi.waitFor(() => expect(frame.started).toEqual([1, 3]))
})

test('terminate reaches the frame once, and is told to nobody', async () => {
  const { page } = open()
  const frame = bringFrame(page)
  const worker = host?.start(init)
  const onEnded = vi.fn()
  worker?.onEnded(onEnded)
  await vi.waitFor(() => expect(frame.started).toEqual([1]))
  worker?.terminate()
  worker?.terminate()
  await vi.waitFor(() => expect(frame.terminated).toEqual([1]))
  frame.breakDown(1, 'too late')
  host?.start(init)
  await vi.waitFor(() => expect(frame.started).toEqual([1, 2]))
  expect(onEnded).not.toHaveBeenCalled()
})

test('a worker that broke is told with its reason, the others go on', async () => {
  const { page } = open()
  const frame = bringFrame(page)
  const first = ended()
  const second = vi.fn()
  host?.start(init).onEnded(second)
  await vi.waitFor(() => expect(frame.started).toEqual([1, 2]))
  frame.breakDown(1, 'it broke')
  expect(await first).toBe('it broke')
  expect(second).not.toHaveBeenCalled()
})

test('a frame that never answers ends running and later starts, one that answers late is used after all', async () => {
  const { page } = open(50)
  expect(await ended()).toMatch(/did not answer within 0.05 s.*sandboxUrl/)
  expect(await ended()).toMatch(/did not answer/)
  const frame = bringFrame(page)
  // Its number says that it is the third start, and that the first two never reached the frame.
  await vi.waitFor(() => {
    host?.start(init)
    expect(frame.started.length).toBeGreaterThan(0)
  })
  expect(frame.started[0]).toBeGreaterThan(2)
})

test('a sandbox page of another version ends every start and says which to serve', async () => {
  const { page } = open()
  bringFrame(page, PROTOCOL_VERSION + 1)
  expect(await ended()).toMatch(/protocol version .* serve the sandbox.html of the same build/)
})

test('a frame whose pulse stops ends its workers, and the page is asked for another that takes the next', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const { page, asked } = open()
    const first = bringFrame(page)
    const reason = ended()
    // The pulse is asked for behind hello; this frame never echoes.
    await vi.waitFor(() => expect(first.pulses).toEqual([1]))
    expect(first.started).toEqual([1])
    vi.advanceTimersByTime(6000)
    expect(await reason).toMatch(/the sandbox frame died/)
    await vi.waitFor(() => expect(asked).toEqual(['again']))
    host?.start(init)
    const second = bringFrame(page)
    await vi.waitFor(() => expect(second.started).toEqual([2]))
    expect(first.started).toEqual([1])
  } finally {
    vi.useRealTimers()
  }
})

test('when the page says the frame is gone, workers end at once; a closed host tells the page', async () => {
  const { page, asked } = open()
  const reason = ended()
  page.postMessage('gone')
  expect(await reason).toBe('the page removed the sandbox frame')
  host?.close()
  host?.close()
  expect(await ended()).toBe('the host of workers was closed')
  await vi.waitFor(() => expect(asked).toEqual(['close']))
})
