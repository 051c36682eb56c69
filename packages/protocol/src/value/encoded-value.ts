import type { ByteReader, ByteWriter } from '../bytes.ts'
import { objectId } from '../ids.ts'
import type { ObjectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { ProtocolError } from '../protocol-error.ts'
import { array } from '../schema.ts'
import type { Schema } from '../schema.ts'
import type { BlobLike } from './blob.ts'

/**
 * A value as it travels: encoded once where it arises, decoded only where it is used. Whoever passes it on sees its
 * references and its size, never its content. Large buffers stand beside the body so that they can be moved.
 */
export interface EncodedValue {
  readonly refs: readonly ObjectId[]
  readonly body: Uint8Array<ArrayBuffer>
  readonly buffers: readonly Uint8Array<ArrayBuffer>[]
}

/** A value on its way to another thread of its tab: Blobs stand where their bytes will be. */
export interface OutgoingValue extends Omit<EncodedValue, 'buffers'> {
  readonly buffers: readonly (Uint8Array<ArrayBuffer> | BlobLike)[]
}

/** Bytes the value needs in memory and on the wire, without its references. */
export function valueBytes(value: OutgoingValue): number {
  let total = value.body.length
  for (const buffer of value.buffers) total += buffer instanceof Uint8Array ? buffer.length : buffer.size
  return total
}

/** What a value takes inside a message between nodes, its refs included: at least, a little more in fact. */
export function messageBytes(value: OutgoingValue): number {
  return valueBytes(value) + REF_BYTES * value.refs.length
}

/** An owner, 16 bytes, and a number. */
const REF_BYTES = 24

const refList = array(objectId, LIMITS.valueReferences)

/** Everything inside the message; for values within `LIMITS.inlineValueBytes`. */
export const inlineValue: Schema<EncodedValue> = {
  shape: `value(refs:${refList.shape},body:bytes,buffers:array(bytes))`,
  write(writer, value) {
    refList.write(writer, value.refs as ObjectId[])
    writer.bytes(value.body)
    writer.varint(value.buffers.length)
    for (const buffer of value.buffers) writer.bytes(buffer)
  },
  read(reader) {
    const refs = refList.read(reader)
    const body = reader.bytes(LIMITS.controlMessageBytes).slice()
    const count = reader.varint()
    if (count > LIMITS.taskArguments) throw new ProtocolError('too-large', `${count} buffers in one value`)
    const buffers: Uint8Array<ArrayBuffer>[] = []
    for (let i = 0; i < count; i++) buffers.push(reader.bytes(LIMITS.controlMessageBytes).slice())
    return { refs, body, buffers }
  },
}

// A large object's bytes on the bulk channel are one run: header, body, then every buffer at a multiple of 8, so that
// a receiver with one allocation can hand out typed arrays over it.
const ALIGNMENT = 8
const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT

/** The pieces of an object's run, in order; together `runBytes(value)` long. Nothing large is copied. */
export function toRun(value: EncodedValue, writer: ByteWriter): Uint8Array<ArrayBuffer>[] {
  refList.write(writer, value.refs as ObjectId[])
  writer.varint(value.body.length)
  writer.varint(value.buffers.length)
  for (const buffer of value.buffers) writer.varint(buffer.length)
  const header = writer.finish()
  const prefix = new Uint8Array(ALIGNMENT)
  new DataView(prefix.buffer).setUint32(0, header.length, true)
  const pieces = [prefix, padded(header), padded(value.body)]
  for (const buffer of value.buffers) pieces.push(...paddedPieces(buffer))
  return pieces
}

function padded(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length % ALIGNMENT === 0) return bytes
  const copy = new Uint8Array(aligned(bytes.length))
  copy.set(bytes)
  return copy
}

function paddedPieces(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const rest = aligned(bytes.length) - bytes.length
  return rest === 0 ? [bytes] : [bytes, new Uint8Array(rest)]
}

/** Reads a run that was received whole; the value's parts are views into it. */
export function fromRun(
  run: Uint8Array<ArrayBuffer>,
  createReader: (bytes: Uint8Array<ArrayBuffer>) => ByteReader,
): EncodedValue {
  if (run.length < ALIGNMENT) throw new ProtocolError('malformed', 'an object ends early')
  const headerLength = new DataView(run.buffer, run.byteOffset).getUint32(0, true)
  let offset = ALIGNMENT
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    if (offset + length > run.length) throw new ProtocolError('malformed', 'an object ends early')
    const piece = run.subarray(offset, offset + length)
    offset += aligned(length)
    return piece
  }
  const header = createReader(take(headerLength))
  const refs = refList.read(header)
  const bodyLength = header.varint()
  const count = header.varint()
  if (count > run.length) throw new ProtocolError('malformed', 'an object has more buffers than bytes')
  const lengths: number[] = []
  for (let i = 0; i < count; i++) lengths.push(header.varint())
  return { refs, body: take(bodyLength), buffers: lengths.map(take) }
}
