import { MessageChannel as NodeChannel } from 'node:worker_threads'
import { deferred } from '@shoal/base'
import type { Frame } from '@shoal/protocol'
import { afterEach, expect, test } from 'vitest'
import { createMessageFramePort } from './message-frame-port.ts'

const opened: MessagePort[] = []
afterEach(() => {
  for (const port of opened.splice(0)) port.close()
})

function channel(): readonly [MessagePort, MessagePort] {
  const { port1, port2 } = new NodeChannel()
  const ports = [port1, port2] as unknown as readonly [MessagePort, MessagePort]
  opened.push(...ports)
  return ports
}

const bytes = (...items: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(items)

test('frames come in order, with their buffers, also those sent before anybody listened', async () => {
  const [a, b] = channel()
  const sender = createMessageFramePort(a)
  sender.post({ bytes: bytes(1, 2), buffers: [bytes(3), bytes(4, 5)] })
  sender.post({ bytes: bytes(6), buffers: [] })
  const frames: Frame[] = []
  const both = deferred<undefined>()
  createMessageFramePort(b).onFrame((frame) => {
    if (frames.push(frame) === 2) both.resolve(undefined)
  })
  await both.promise
  expect(frames).toEqual([
    { bytes: bytes(1, 2), buffers: [bytes(3), bytes(4, 5)] },
    { bytes: bytes(6), buffers: [] },
  ])
})

test('buffers and large frames are moved, small frames are copied without what lies around them', async () => {
  const [a, b] = channel()
  const arrived = deferred<Frame>()
  createMessageFramePort(b).onFrame((frame) => arrived.resolve(frame))
  const around = new Uint8Array(1000).fill(7)
  const buffer = new Uint8Array(100)
  createMessageFramePort(a).post({ bytes: around.subarray(10, 20), buffers: [buffer] })
  expect(buffer.byteLength).toBe(0)
  expect(around.byteLength).toBe(1000)
  const frame = await arrived.promise
  expect(frame.bytes).toEqual(new Uint8Array(10).fill(7))
  expect(frame.bytes.buffer.byteLength).toBe(10)

  const [c] = channel()
  const large = new Uint8Array(40_000)
  createMessageFramePort(c).post({ bytes: large, buffers: [] })
  expect(large.byteLength).toBe(0)
})

test('a buffer that is part of another is copied, and the other stays whole', () => {
  const [a] = channel()
  const whole = new Uint8Array(100)
  createMessageFramePort(a).post({ bytes: bytes(1), buffers: [whole.subarray(50)] })
  expect(whole.byteLength).toBe(100)
})

test.each([
  ['a text', 'hello'],
  ['nothing at all', []],
  ['something among the buffers that is none', [bytes(1), 'x']],
  ['shared memory', [new Uint8Array(new SharedArrayBuffer(4))]],
])('%s is refused, told once, and ends the port', async (_name, message) => {
  const [a, b] = channel()
  const refused = deferred<string>()
  let frames = 0
  createMessageFramePort(b, { onMalformed: (reason) => refused.resolve(reason) }).onFrame(() => frames++)
  const closed = new Promise((resolve) => a.addEventListener('close', resolve))
  a.postMessage(message)
  expect(await refused.promise).toMatch(/no frame/)
  await closed
  expect(frames).toBe(0)
})
