import { deferred } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { SerializationError } from '../errors.ts'
import { randomNodeId } from '../ids.ts'
import { seededRandom } from '@shoal/base'
import { decodeValue } from '../value/decode-value.ts'
import { ValueEncoder } from '../value/encode-value.ts'
import { BlobGate } from './blob-gate.ts'
import { FrameReader, FrameWriter } from './frame.ts'
import type { ArrivingFrame, Frame } from './frame.ts'

const self = randomNodeId(seededRandom(1))
const encoder = new ValueEncoder()

function frameOf(value: unknown): ArrivingFrame {
  let frame: ArrivingFrame | undefined
  const writer = new FrameWriter(self, (posted) => (frame = posted as ArrivingFrame))
  writer.begin(1)
  writer.value(encoder.encodeForFrame(value, 'value'), false)
  writer.flush()
  if (frame === undefined) throw new Error('no frame')
  return frame
}

function valueOf(frame: Frame): unknown {
  const reader = new FrameReader(self, frame)
  reader.kind()
  return decodeValue(reader.value())
}

/** What comes through a gate, once there are `count` of them. */
function gate(count: number): { push(frame: ArrivingFrame): void; readonly seen: unknown[]; all: Promise<unknown> } {
  const all = deferred<undefined>()
  const seen: unknown[] = []
  const through = new BlobGate((frame) => {
    try {
      seen.push(valueOf(frame))
    } catch (error) {
      seen.push(error)
    }
    if (seen.length === count) all.resolve(undefined)
  })
  return { push: (frame) => through.push(frame), seen, all: all.promise }
}

/** A Blob whose bytes come when the test says so. */
class SlowBlob extends Blob {
  readonly opened = deferred<undefined>()
  override async arrayBuffer(): Promise<ArrayBuffer> {
    await this.opened.promise
    return super.arrayBuffer()
  }
}

describe('Blobs', () => {
  it('[V8] arrive with their bytes, type, name and time, beside other buffers', async () => {
    const blob = new Blob(['hello'], { type: 'text/plain' })
    const file = new File([new Uint8Array(100_000).fill(1)], 'data.bin', { type: 'application/x', lastModified: 1234 })
    const { push, seen, all } = gate(1)
    push(frameOf({ file, list: [blob, blob], large: new Uint8Array(20_000).fill(9) }))
    await all
    const copy = seen[0] as { file: File; list: [Blob, Blob]; large: Uint8Array }
    expect(copy.file).toBeInstanceOf(File)
    expect([copy.file.name, copy.file.type, copy.file.lastModified, copy.file.size]).toEqual([
      'data.bin',
      'application/x',
      1234,
      100_000,
    ])
    expect(new Uint8Array(await copy.file.arrayBuffer())[99_999]).toBe(1)
    expect([copy.list[0].type, await copy.list[0].text()]).toEqual(['text/plain', 'hello'])
    expect(copy.list[1]).toBe(copy.list[0])
    expect(copy.list[0]).not.toBe(blob)
    expect(copy.large[19_999]).toBe(9)
  })

  it('[V8] hold back what the same sender sends later, and nothing of another', async () => {
    const slow = new SlowBlob(['slow'])
    const { push, seen, all } = gate(4)
    const other = gate(1)
    push(frameOf('first'))
    push(frameOf([slow]))
    push(frameOf('third'))
    push(frameOf([new Blob(['fourth'])]))
    other.push(frameOf('other'))
    expect([seen, other.seen]).toEqual([['first'], ['other']])
    slow.opened.resolve(undefined)
    await all
    expect(seen[2]).toBe('third')
    const [second, fourth] = [seen[1] as [Blob], seen[3] as [Blob]]
    expect([await second[0].text(), await fourth[0].text()]).toEqual(['slow', 'fourth'])
  })

  it('[V8] that cannot be read are an error where they are used, and what follows goes on', async () => {
    class Gone extends File {
      override arrayBuffer(): Promise<ArrayBuffer> {
        return Promise.reject(new DOMException('the file changed', 'NotReadableError'))
      }
    }
    const { push, seen, all } = gate(3)
    push(frameOf(new Gone(['12345'], 'a.txt')))
    push(frameOf(new Gone(['x'.repeat('NotReadableError: the file changed'.length)], 'b.txt')))
    push(frameOf('after'))
    await all
    for (const error of seen.slice(0, 2)) expect(error).toBeInstanceOf(SerializationError)
    expect(String(seen[0])).toContain('the file a.txt could not be read: NotReadableError: the file changed')
    expect(String(seen[1])).toContain('the file b.txt could not be read')
    expect(seen[2]).toBe('after')
  })

  it('[V8] are refused where bytes are needed at once, and a closed gate lets nothing through', async () => {
    expect(() => encoder.encode([new Blob([])], 'uses')).toThrow(/uses\[0\] cannot be sent: a Blob's bytes/)
    const seen: Frame[] = []
    const closed = new BlobGate((frame) => seen.push(frame))
    const slow = new SlowBlob(['x'])
    closed.push(frameOf(slow))
    closed.close()
    closed.push(frameOf('later'))
    slow.opened.resolve(undefined)
    await slow.arrayBuffer()
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual([])
  })
})
