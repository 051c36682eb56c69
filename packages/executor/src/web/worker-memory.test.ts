import { MessageChannel as NodeChannel } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keyOf, SHARED_FROM_BYTES } from './frame-control.ts'
import type { FromFrame } from './frame-control.ts'
import { FrameMemory } from './frame-memory.ts'
import type { MessageLane } from './port-lanes.ts'
import { createWorkerMemory } from './worker-memory.ts'

const opened: MessagePort[] = []
beforeEach(() => {
  vi.stubGlobal('MessageChannel', NodeChannel)
})
afterEach(() => {
  for (const port of opened.splice(0)) port.close()
  vi.unstubAllGlobals()
})

/** A frame, and one worker's lane in it, at whose other end the node is. */
function open(): {
  memory: FrameMemory
  told: FromFrame[]
  worker: (number: number) => { seen: unknown[]; sent: unknown[]; lane: MessageLane; come: (data: unknown) => void }
} {
  const told: FromFrame[] = []
  const memory = new FrameMemory((message) => told.push(message))
  return {
    memory,
    told,
    worker(number) {
      const port = memory.open(number)
      opened.push(port)
      let come = (_: unknown): void => undefined
      const sent: unknown[] = []
      const lane = createWorkerMemory(port).lane({
        post: (message) => sent.push(message),
        listen: (handler) => (come = handler),
        close: () => undefined,
      })
      const seen: unknown[] = []
      lane.listen((data) => seen.push(data))
      return { seen, sent, lane, come: (data) => come(data) }
    },
  }
}

/** With its large buffers by length and one byte: a matcher takes seconds for hundreds of thousands. */
const shown = (message: unknown): unknown =>
  Array.isArray(message)
    ? message.map((item) => (item instanceof Uint8Array ? `${item.length} x ${item[0]}` : (item as unknown)))
    : message
const LARGE = (fill: number): string => `${SHARED_FROM_BYTES} x ${fill}`

const large = (fill: number): Uint8Array => new Uint8Array(SHARED_FROM_BYTES).fill(fill)

test('a message waits for what its tickets stand for, and those behind it for their turn', async () => {
  const { memory, worker } = open()
  const { seen, come } = worker(1)
  come(['first'])
  come([new Uint8Array(1), 5, large(2), 6])
  come('a text')
  expect(seen).toEqual([['first']])
  memory.share({ type: 'share', key: 'a', bytes: large(7) })
  memory.give({ type: 'give', key: 'a', worker: 1, ticket: 6 })
  memory.give({ type: 'give', key: 'a', worker: 1, ticket: 5 })
  await expect.poll(() => seen.length).toBe(3)
  expect(seen.slice(1).map(shown)).toEqual([['1 x 0', LARGE(7), LARGE(2), LARGE(7)], 'a text'])
})

test('each ticket is a copy of its own, and the shared bytes stay as they were', async () => {
  const { memory, worker } = open()
  const [one, two] = [worker(1), worker(2)]
  memory.share({ type: 'share', key: 'a', bytes: large(7) })
  memory.give({ type: 'give', key: 'a', worker: 1, ticket: 1 })
  one.come([new Uint8Array(1), 1])
  await expect.poll(() => one.seen.length).toBe(1)
  const [, mine] = one.seen[0] as [unknown, Uint8Array]
  expect(mine.buffer).toBeInstanceOf(ArrayBuffer)
  mine.fill(0)
  memory.give({ type: 'give', key: 'a', worker: 2, ticket: 2 })
  two.come([new Uint8Array(1), 2])
  await expect.poll(() => two.seen.map(shown)).toEqual([['1 x 0', LARGE(7)]])
})

test('what a worker sends that is large stays with the frame too, and is found by its number', async () => {
  const { memory, told, worker } = open()
  const [one, two] = [worker(1), worker(2)]
  one.lane.post([new Uint8Array(1), new Uint8Array(10), large(3)], [])
  one.lane.post([new Uint8Array(1), new Uint8Array(10)], [])
  expect(one.sent.map(shown)).toEqual([
    ['1 x 0', '10 x 0', LARGE(3), [2, 1]],
    ['1 x 0', '10 x 0'],
  ])
  await expect.poll(() => told).toEqual([{ type: 'kept', worker: 1, number: 1, bytes: SHARED_FROM_BYTES }])
  memory.give({ type: 'give', key: keyOf(1, 1), worker: 2, ticket: 9 })
  two.come([new Uint8Array(1), 9])
  await expect.poll(() => two.seen.map(shown)).toEqual([['1 x 0', LARGE(3)]])
  memory.drop({ type: 'drop', key: keyOf(1, 1) })
  expect(() => memory.give({ type: 'give', key: keyOf(1, 1), worker: 2, ticket: 10 })).toThrow(/no shared buffer 1\.1/)
})

test('a worker that has ended is given nothing', () => {
  const { memory, worker } = open()
  worker(1)
  memory.share({ type: 'share', key: 'a', bytes: large(7) })
  memory.end(1)
  expect(() => memory.give({ type: 'give', key: 'a', worker: 1, ticket: 1 })).not.toThrow()
})

test('what user code makes of prototypes is never handed the shared memory', async () => {
  const { memory, worker } = open()
  const { seen, come } = worker(1)
  memory.share({ type: 'share', key: 'a', bytes: large(7) })
  const stolen: unknown[] = []
  const steal = (value: unknown): void => {
    if (value instanceof SharedArrayBuffer || (Array.isArray(value) && value[1] instanceof SharedArrayBuffer))
      stolen.push(value)
  }
  const undo = [
    spy(SharedArrayBuffer.prototype, 'byteLength', 'get', steal),
    spy(Array.prototype, Symbol.iterator, 'value', steal),
    spy(Array.prototype, 'push', 'value', steal),
    spy(Object.getPrototypeOf(Uint8Array.prototype) as object, 'set', 'value', steal),
  ]
  try {
    come([new Uint8Array(1), 1])
    memory.give({ type: 'give', key: 'a', worker: 1, ticket: 1 })
    // Not by `expect.poll`, which is user code here: a turn of the real event loop each.
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
  } finally {
    for (const each of undo) each()
  }
  expect(seen.map(shown)).toEqual([['1 x 0', LARGE(7)]])
  expect(stolen).toEqual([])
})

/** What is called, or read, is told with its `this`. */
function spy(of: object, name: PropertyKey, how: 'get' | 'value', tell: (value: unknown) => void): () => void {
  const found = Object.getOwnPropertyDescriptor(of, name)
  const original = found?.[how] as ((...args: unknown[]) => unknown) | undefined
  if (found === undefined || original === undefined) throw new Error(`there is no ${String(name)}`)
  Object.defineProperty(of, name, {
    ...found,
    [how](this: unknown, ...args: unknown[]): unknown {
      tell(this)
      return Reflect.apply(original, this, args)
    },
  })
  return () => Object.defineProperty(of, name, found)
}
