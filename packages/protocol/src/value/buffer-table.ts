import type { ByteReader, ByteWriter } from '../bytes.ts'
import { LIMITS } from '../limits.ts'
import { ProtocolError } from '../protocol-error.ts'

type Bytes = Uint8Array<ArrayBuffer>

interface Outgoing {
  readonly buffer: ArrayBuffer
  /** The part that any view covers. */
  from: number
  to: number
  /** Where it was met, when it is to be moved. */
  movedAt: string | undefined
}

/** Bases keep the alignment of every element type. */
const ALIGNMENT = 8

/** User code of the same realm may replace it. */
const clone = globalThis.structuredClone

/** A buffer that must be moved and cannot be. */
export class UnmovableBuffer extends Error {
  readonly path: string
  constructor(path: string) {
    super('its buffer cannot be moved')
    this.path = path
  }
}

/**
 * The buffers of a value that is being encoded. Views on one buffer stay so: it travels once, as the part from the first
 * byte to the last that one of them covers. The table stands behind the value: count, and for each the base in the
 * original, the length, and the bytes or the number of the buffer beside the body; then where the table starts, as u32.
 */
export class OutgoingBuffers {
  readonly #places = new Map<ArrayBuffer, number>()
  readonly #entries: Outgoing[] = []

  /** The buffer's number. `movedAt` says where in the value it lies when it is to be moved. */
  add(buffer: ArrayBuffer, offset: number, length: number, movedAt: string | undefined): number {
    const from = offset - (offset % ALIGNMENT)
    const to = offset + length
    const place = this.#places.get(buffer)
    const known = place === undefined ? undefined : this.#entries[place]
    if (place !== undefined && known !== undefined) {
      known.from = Math.min(known.from, from)
      known.to = Math.max(known.to, to)
      known.movedAt ??= movedAt
      return place
    }
    this.#places.set(buffer, this.#entries.length)
    return this.#entries.push({ buffer, from, to, movedAt }) - 1
  }

  /** Writes the table and puts large buffers into `beside`. @throws UnmovableBuffer */
  finish(writer: ByteWriter, beside: unknown[]): void {
    const start = writer.length
    writer.varint(this.#entries.length)
    for (const entry of this.#entries) {
      const { buffer, from, to } = entry
      writer.varint(from)
      writer.varint(to - from)
      if (to - from >= LIMITS.outOfBandBytes) {
        writer.u8(1)
        writer.varint(beside.length)
        const isWhole = from === 0 && to === buffer.byteLength
        const isMovedWhole = entry.movedAt !== undefined && isWhole
        beside.push(isMovedWhole ? new Uint8Array(moved(entry)) : new Uint8Array(buffer, from, to - from).slice())
      } else {
        writer.u8(0)
        writer.raw(new Uint8Array(buffer, from, to - from))
      }
    }
    for (let shift = 0; shift < 32; shift += 8) writer.u8((start >>> shift) & 0xff)
    // What was copied all the same is gone here too: `transfer` means one thing, whatever the size.
    for (const entry of this.#entries) if (entry.movedAt !== undefined) moved(entry)
  }
}

/** The bytes under a new buffer; the old one is detached. Once more is harmless. */
function moved({ buffer, movedAt }: Outgoing): ArrayBuffer {
  if (isDetached(buffer)) return buffer
  let taken: ArrayBuffer | undefined
  try {
    taken = clone(buffer, { transfer: [buffer] })
  } catch {
    // Said below.
  }
  // Some engines throw for memory that cannot be given away, Node's copies it.
  if (taken === undefined || !isDetached(buffer)) throw new UnmovableBuffer(movedAt ?? '')
  return taken
}

/** Moved away already. `ArrayBuffer.prototype.detached` is too new to ask. */
export function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** A buffer that arrived, and where its first byte was in the original. */
export interface ArrivedBuffer {
  readonly base: number
  readonly buffer: ArrayBuffer
}

/** Reads the table of an encoded value. */
export function readBufferTable(
  body: Bytes,
  beside: readonly Bytes[],
  createReader: (bytes: Bytes) => ByteReader,
): ArrivedBuffer[] {
  const end = body.length - 4
  if (end < 0) throw new ProtocolError('malformed', 'a value lacks its buffers')
  const start = new DataView(body.buffer, body.byteOffset).getUint32(end, true)
  if (start > end) throw new ProtocolError('malformed', 'a value lacks its buffers')
  const reader = createReader(body.subarray(start, end))
  const count = reader.varint()
  if (count > reader.remaining) throw new ProtocolError('malformed', 'more buffers than bytes')
  const table: ArrivedBuffer[] = []
  for (let i = 0; i < count; i++) {
    const base = reader.varint()
    const length = reader.varint()
    if (reader.u8() === 0) table.push({ base, buffer: reader.raw(length).slice().buffer })
    else {
      const bytes = besideAt(beside, reader.varint())
      if (bytes.length !== length) throw new ProtocolError('malformed', 'a buffer of another length than was said')
      table.push({ base, buffer: ownBuffer(bytes) })
    }
  }
  return table
}

export function besideAt(beside: readonly Bytes[], place: number): Bytes {
  const bytes = beside[place]
  if (bytes === undefined) throw new ProtocolError('malformed', `no buffer ${place}`)
  return bytes
}

/** Buffers of one value share no memory, and what arrived alone is not copied once more. */
function ownBuffer(bytes: Bytes): ArrayBuffer {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer
}
