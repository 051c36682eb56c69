import { ProtocolError } from './protocol-error.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Writes binary frames into one growing buffer: little endian, varints of 7 bits a byte up to 2^53 - 1.
 * `take` hands the bytes over without a copy and starts a fresh buffer.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  u8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }

  string(text: string): void {
    if (text.length < 64 && this.#ascii(text)) return
    this.bytes(encoder.encode(text))
  }

  /** The bytes written so far as a view into the buffer, valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of the bytes; the writer is empty afterwards and keeps its buffer. */
  finish(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return bytes
  }

  /** Gives the buffer away, ready to be transferred; the writer starts with a fresh one of the same size. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#bytes = new Uint8Array(Math.max(256, Math.min(this.#bytes.length, 1 << 18)))
    this.#view = new DataView(this.#bytes.buffer)
    this.#length = 0
    return bytes
  }

  /** Undoes everything written after `length`: used when encoding a value fails half-way. */
  truncate(length: number): void {
    this.#length = length
  }

  #ascii(text: string): boolean {
    this.#reserve(text.length + 1)
    const start = this.#length
    this.#bytes[this.#length++] = text.length
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        this.#length = start
        return false
      }
      this.#bytes[this.#length++] = code
    }
    return true
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads what ByteWriter wrote. Every short or damaged input is a ProtocolError, never a crash or a huge allocation. */
export class ByteReader {
  readonly #bytes: Uint8Array<ArrayBuffer>
  /** Most messages have no such number in them. */
  #view: DataView | undefined
  #offset = 0

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  get isDone(): boolean {
    return this.#offset >= this.#bytes.length
  }

  u8(): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) throw new ProtocolError('malformed', 'the message ends early')
    this.#offset++
    return byte
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 0x80
    }
    throw new ProtocolError('malformed', 'a number is out of range')
  }

  f64(): number {
    this.#need(8)
    const { buffer, byteOffset, byteLength } = this.#bytes
    this.#view ??= new DataView(buffer, byteOffset, byteLength)
    const value = this.#view.getFloat64(this.#offset, true)
    this.#offset += 8
    return value
  }

  /** A view of `length` bytes; the caller copies when it outlives the message. */
  raw(length: number): Uint8Array<ArrayBuffer> {
    this.#need(length)
    const bytes = this.#bytes.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    return bytes
  }

  bytes(limit = Number.MAX_SAFE_INTEGER): Uint8Array<ArrayBuffer> {
    const length = this.varint()
    if (length > limit) throw new ProtocolError('too-large', `${length} bytes where at most ${limit} are allowed`)
    return this.raw(length)
  }

  string(limit = Number.MAX_SAFE_INTEGER): string {
    const bytes = this.bytes(limit)
    if (bytes.length < 24) {
      let text = ''
      for (const byte of bytes) {
        if (byte > 0x7f) return this.#utf8(bytes)
        text += String.fromCharCode(byte)
      }
      return text
    }
    return this.#utf8(bytes)
  }

  #utf8(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes)
    } catch {
      throw new ProtocolError('malformed', 'a text is not UTF-8')
    }
  }

  #need(count: number): void {
    if (count > this.remaining) throw new ProtocolError('malformed', 'the message ends early')
  }
}
