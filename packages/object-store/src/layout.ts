import { ByteWriter, LIMITS, ProtocolError, toRun } from '@shoal/protocol'
import type { EncodedValue } from '@shoal/protocol'

/** Less room for the chunk's own header on the bulk lane. */
export const CHUNK_BYTES = LIMITS.bulkChunkBytes - 64
/** A segment has at least so many chunks. */
const LEAST_CHUNKS = 4
export const HASH_BYTES = 32

export type Sha256 = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>

/** How a run of bytes is cut for its way, and what each part of it has to be: equal for equal runs alone. */
export interface Layout {
  readonly bytes: number
  /** SHA-256 of each segment, one after another. */
  readonly hashes: Uint8Array<ArrayBuffer>
}

/** All segments of a run but the last one have as many bytes: a whole number of chunks, 256 kB, or more for large runs. */
export function segmentBytes(bytes: number): number {
  const chunks = Math.ceil(bytes / (CHUNK_BYTES * LIMITS.objectSegments))
  return Math.max(LEAST_CHUNKS, chunks) * CHUNK_BYTES
}

export function segmentCount(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / segmentBytes(bytes)))
}

/** Where a segment begins and ends within its run. */
export function segmentRange(bytes: number, segment: number): readonly [start: number, end: number] {
  const size = segmentBytes(bytes)
  return [segment * size, Math.min(bytes, (segment + 1) * size)]
}

/** @throws ProtocolError for what no holder can mean. */
export function checkedLayout(bytes: number, hashes: Uint8Array<ArrayBuffer>): Layout {
  if (bytes > LIMITS.objectBytes) throw new ProtocolError('too-large', `an object of ${bytes} bytes`)
  if (hashes.length !== segmentCount(bytes) * HASH_BYTES)
    throw new ProtocolError('malformed', `${hashes.length} bytes of hashes for an object of ${bytes}`)
  return { bytes, hashes }
}

export function isSameLayout(a: Layout, b: Layout): boolean {
  return a.bytes === b.bytes && sameBytes(a.hashes, b.hashes)
}

export function hashOf({ hashes }: Layout, segment: number): Uint8Array<ArrayBuffer> {
  return hashes.subarray(segment * HASH_BYTES, (segment + 1) * HASH_BYTES)
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** An encoded value as one run of bytes, of which any part can be copied out. */
export class Run {
  readonly bytes: number
  readonly #pieces: readonly Uint8Array<ArrayBuffer>[]
  /** Where each piece begins. */
  readonly #starts: readonly number[]

  constructor(pieces: readonly Uint8Array<ArrayBuffer>[]) {
    this.#pieces = pieces
    let bytes = 0
    this.#starts = pieces.map(({ length }) => (bytes += length) - length)
    this.bytes = bytes
  }

  static of(value: EncodedValue): Run {
    return new Run(toRun(value, new ByteWriter(64)))
  }

  copy(start: number, end: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(end - start)
    for (let index = this.#pieceAt(start); ; index++) {
      const [piece, at] = [this.#pieces[index], this.#starts[index]]
      if (piece === undefined || at === undefined || at >= end) return copy
      const from = Math.max(start - at, 0)
      copy.set(piece.subarray(from, Math.min(end - at, piece.length)), at + from - start)
    }
  }

  /** The last piece that begins at or before the offset. */
  #pieceAt(offset: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  async layout(sha256: Sha256): Promise<Layout> {
    const count = segmentCount(this.bytes)
    const hashes = new Uint8Array(count * HASH_BYTES)
    for (let segment = 0; segment < count; segment++)
      hashes.set(await sha256(this.copy(...segmentRange(this.bytes, segment))), segment * HASH_BYTES)
    return { bytes: this.bytes, hashes }
  }
}
