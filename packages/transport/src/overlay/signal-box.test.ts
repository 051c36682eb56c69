import { seededRandom } from '@shoal/base'
import { LIMITS, ProtocolError } from '@shoal/protocol'
import { SimWorld } from '@shoal/testing'
import { describe, expect, it } from 'vitest'
import { createSignalBox } from './signal-box.ts'
import type { SignalBox } from './signal-box.ts'

async function setUp() {
  const world = new SimWorld({ seed: 7 })
  const ports = await Promise.all(['a', 'b', 'c'].map(async (name) => world.ports(await world.identity(name), 1)))
  const [a, b, c] = ports
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were made')
  const box = (self: typeof a, over: Partial<Parameters<typeof createSignalBox>[0]> = {}): SignalBox =>
    createSignalBox({ ...self, self, ...over })
  return { a, b, c, box }
}

const code = async (attempt: Promise<unknown>): Promise<string> => {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof ProtocolError ? error.code : String(error)
}

describe('a signal box', () => {
  it('[TR14] opens what the other sealed', async () => {
    const { a, b, box } = await setUp()
    const blob = await box(a).seal(b.node, 1, 4, 'an offer')
    const signal = await box(b).open(a.node, blob)
    expect(signal).toMatchObject({ from: a.node, to: b.node, fromSession: 1, connection: 4, data: 'an offer' })
    expect(Buffer.from(blob).includes('an offer')).toBe(false)
  })

  it('[TR14] refuses each single damaged byte', async () => {
    const { a, b, box } = await setUp()
    const blob = await box(a).seal(b.node, 1, 4, 'an offer')
    for (let i = 0; i < blob.length; i++) {
      const damaged = blob.slice()
      damaged[i] = (damaged[i] ?? 0) ^ 1
      expect(await code(box(b).open(a.node, damaged))).toBe('denied')
    }
  })

  it('[TR14] refuses another room, another room key, another receiver, another sender', async () => {
    const { a, b, c, box } = await setUp()
    const roomKey = seededRandom(9).bytes(16)
    const blob = await box(a).seal(b.node, 1, 4, 'an offer')
    expect(await code(box(b).open(a.node, await box(a, { roomKey }).seal(b.node, 1, 4, 'an offer')))).toBe('denied')
    expect(await code(box(c).open(a.node, blob))).toBe('denied')
    expect(await code(box(b).open(c.node, blob))).toBe('denied')
  })

  it("[TR14] refuses a member that speaks with another's id, or with its key", async () => {
    const { a, b, c, box } = await setUp()
    const withOwnKey = await box(c, { self: { ...c, node: a.node } }).seal(b.node, 1, 4, 'an offer')
    expect(await code(box(b).open(a.node, withOwnKey))).toBe('denied')
    const withTheirKey = await box(c, { self: { ...c, node: a.node }, publicKey: a.publicKey }).seal(b.node, 1, 4, 'x')
    expect(await code(box(b).open(a.node, withTheirKey))).toBe('denied')
  })

  it('[TR14] does not seal what the server would not forward', async () => {
    const { a, b, box } = await setUp()
    await expect(box(a).seal(b.node, 1, 1, 'x'.repeat(LIMITS.signalingBlobBytes))).rejects.toThrow(RangeError)
  })
})
