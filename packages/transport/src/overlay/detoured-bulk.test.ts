import type { Clock } from '@shoal/base'
import { expect, test } from 'vitest'
import { DetouredBulk } from './detoured-bulk.ts'
import type { NumberedChunk } from './detoured-bulk.ts'
import { DETOURED_BULK_STALL_MS } from './timing.ts'

/** Two ends whose chunks lie in `wire` until they are delivered or dropped. */
function open(): {
  now: { ms: number }
  sender: DetouredBulk
  receiver: DetouredBulk
  wire: NumberedChunk[]
  deliver: () => void
  lost: string[]
  came: number[]
} {
  const now = { ms: 0 }
  const clock: Clock = { now: () => now.ms, after: () => ({ cancel: () => undefined }) }
  const wire: NumberedChunk[] = []
  const lost: string[] = []
  const came: number[] = []
  const receiver = new DetouredBulk({
    clock,
    send: () => undefined,
    taken: (run, chunks) => sender.onTaken(run, chunks),
    deliver: (pull) => came.push(pull),
    lost: () => lost.push('receiver'),
  })
  const sender: DetouredBulk = new DetouredBulk({
    clock,
    send: (chunk) => wire.push(chunk),
    taken: () => undefined,
    deliver: () => undefined,
    lost: () => lost.push('sender'),
  })
  const deliver = (): void => {
    for (const chunk of wire.splice(0)) receiver.onChunk(chunk)
  }
  return { now, sender, receiver, wire, deliver, lost, came }
}

test('[TR19] both ends begin anew when the very first chunk was lost', () => {
  const { now, sender, wire, deliver, lost, came } = open()
  sender.send(1, 0, new Uint8Array(10))
  wire.length = 0
  sender.tick((now.ms += DETOURED_BULK_STALL_MS))
  expect(lost).toEqual(['sender'])
  deliver()
  expect(lost).toEqual(['sender', 'receiver'])
  sender.send(1, 0, new Uint8Array(10))
  deliver()
  expect([came, lost.length]).toEqual([[1], 2])
})

test('[TR19] and when one of several was, and nothing behind it is taken', () => {
  const { now, sender, wire, deliver, lost, came } = open()
  sender.send(1, 0, new Uint8Array(10))
  deliver()
  sender.send(2, 0, new Uint8Array(10))
  sender.send(3, 0, new Uint8Array(10))
  wire.shift()
  deliver()
  expect([came, lost]).toEqual([[1], []])
  sender.tick((now.ms += DETOURED_BULK_STALL_MS))
  deliver()
  expect(lost).toEqual(['sender', 'receiver'])
})
