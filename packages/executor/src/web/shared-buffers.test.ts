import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { SHARED_FROM_BYTES } from './frame-control.ts'
import type { ToFrame } from './frame-control.ts'
import { SharedBuffers } from './shared-buffers.ts'

const LARGE = SHARED_FROM_BYTES
const large = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(LARGE).fill(fill)

function open(limitBytes = 10 * LARGE): { shared: SharedBuffers; told: ToFrame[] } {
  const told: ToFrame[] = []
  return { shared: new SharedBuffers({ tell: (message) => told.push(message), limitBytes }), told }
}

/** Compared by length and one byte: a matcher takes seconds for hundreds of thousands. */
const shown = (item: unknown): unknown =>
  item instanceof Uint8Array ? `${item.length} x ${item[0]}, of ${item.buffer.byteLength}` : item
const COPY = (fill: number): string => `${LARGE} x ${fill}, of ${LARGE}`

const typesOf = (told: ToFrame[]): string[] => told.splice(0).map(({ type }) => type)

test('a buffer is shared when it goes into the sandbox a second time, and given from then on', () => {
  const { shared, told } = open()
  const buffer = large(1)
  const copy = shared.take(1, buffer)
  expect(shown(copy)).toBe(COPY(1))
  expect(copy === buffer).toBe(false)
  expect(told).toEqual([])
  expect(shared.take(1, buffer)).toBe(1)
  expect(told.splice(0).map(({ bytes, ...rest }: ToFrame & { bytes?: unknown }) => [rest, shown(bytes)])).toEqual([
    [{ type: 'share', key: '0.1' }, COPY(1)],
    [{ type: 'give', key: '0.1', worker: 1, ticket: 1 }, undefined],
  ])
  expect(shared.take(2, buffer)).toBe(2)
  expect(told.splice(0)).toEqual([{ type: 'give', key: '0.1', worker: 2, ticket: 2 }])
})

test('small ones never are', () => {
  const { shared, told } = open()
  const buffer = new Uint8Array(LARGE - 1)
  for (let i = 0; i < 3; i++) expect(shown(shared.take(1, buffer))).toBe(`${LARGE - 1} x 0, of ${LARGE - 1}`)
  expect(told).toEqual([])
})

test('only the part of a larger buffer is sent', () => {
  const { shared, told } = open()
  const part = new Uint8Array(3 * LARGE).subarray(LARGE, 2 * LARGE)
  shared.take(1, part)
  shared.take(1, part)
  expect(shown((told[0] as { bytes?: unknown }).bytes)).toBe(COPY(0))
})

test.each(['kept first', 'told first'])('what a worker left there is given once the frame has it: %s', (order) => {
  const { shared, told } = open()
  const buffer = large(3)
  const message: unknown[] = [new Uint8Array(1), buffer, [1, 7]]
  const came = (): void => shared.came({ type: 'kept', worker: 4, number: 7, bytes: LARGE })
  if (order === 'kept first') came()
  shared.strip(4, message)
  expect(message).toHaveLength(2)
  if (order === 'told first') {
    expect(shown(shared.take(5, buffer))).toBe(COPY(3))
    expect(told).toEqual([])
    came()
  }
  expect(shared.take(5, buffer)).toBe(1)
  expect(told).toEqual([{ type: 'give', key: '4.7', worker: 5, ticket: 1 }])
})

test('what is not as the worker says is not used', () => {
  const { shared, told } = open()
  const buffer = large(3)
  shared.came({ type: 'kept', worker: 4, number: 7, bytes: 2 * LARGE })
  shared.strip(4, [new Uint8Array(1), buffer, [1, 7, 9, 9, 'x', 1, 1]])
  expect(shown(shared.take(5, buffer))).toBe(COPY(3))
  expect(told).toEqual([])
})

test('past the limit what was used longest ago is dropped, and shared again when it is used again', () => {
  const { shared, told } = open(2 * LARGE)
  const [a, b, c] = [large(1), large(2), large(3)]
  for (const buffer of [a, b]) for (let i = 0; i < 2; i++) shared.take(1, buffer)
  shared.take(1, a)
  typesOf(told)
  for (let i = 0; i < 2; i++) shared.take(1, c)
  expect(told.splice(0).map((message) => [message.type, 'key' in message && message.key])).toEqual([
    ['share', '0.3'],
    ['drop', '0.2'],
    ['give', '0.3'],
  ])
  shared.take(1, b)
  expect(typesOf(told)).toEqual(['share', 'drop', 'give'])
})

test('what is larger than the limit is copied each time', () => {
  const { shared, told } = open(LARGE - 1)
  const buffer = large(1)
  for (let i = 0; i < 3; i++) expect(shown(shared.take(1, buffer))).toBe(COPY(1))
  expect(told).toEqual([])
})

test('a buffer that the node lets go is dropped there', async () => {
  const { shared, told } = open()
  const use = (): void => {
    const buffer = large(1)
    shared.take(1, buffer)
    shared.take(1, buffer)
  }
  use()
  typesOf(told)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // The engine calls back in a turn of its own.
  await expect.poll(() => (collect(), typesOf(told))).toEqual(['drop'])
})

test('when its frame is gone, buffers are copied', () => {
  const { shared, told } = open()
  const buffer = large(1)
  for (let i = 0; i < 2; i++) shared.take(1, buffer)
  typesOf(told)
  shared.close()
  expect(shown(shared.take(1, buffer))).toBe(COPY(1))
  expect(told).toEqual([])
})
