import {
  array,
  ByteReader,
  bytes,
  ByteWriter,
  fixedBytes,
  LIMITS,
  ProtocolError,
  string,
  struct,
  union,
  varint,
} from '@shoal/protocol'
import type { Infer, Schema } from '@shoal/protocol'

/** Room for tags and lengths around the payload of one `directory.update`. */
export const FRAME_BYTES = LIMITS.directoryUpdateBytes - 1024

/** What a node knows, inside `directory.vector`: its document's Yjs state vector and a digest of what it believes. */
export const vectorFrame = struct({
  generation: varint,
  state: bytes(LIMITS.directoryUpdateBytes),
  digest: fixedBytes(32),
})
export type VectorFrame = Infer<typeof vectorFrame>

/**
 * Inside `directory.update`: a Yjs update, or sealed records as they are. Records stand for themselves; they go where a
 * document is too large for one message and where two documents differ behind equal state vectors.
 */
export const updateFrame = union({
  document: struct({ generation: varint, update: bytes(LIMITS.directoryUpdateBytes) }),
  records: struct({
    generation: varint,
    records: array(
      struct({ key: string(LIMITS.nameBytes), sealed: bytes(LIMITS.directoryRecordBytes) }),
      LIMITS.directoryUpdateBytes / 64,
    ),
  }),
})
export type UpdateFrame = Infer<typeof updateFrame>

export function encodeFrame<T>(schema: Schema<T>, value: T): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(1024)
  schema.write(writer, value)
  return writer.finish()
}

/** Throws ProtocolError. */
export function decodeFrame<T>(schema: Schema<T>, frame: Uint8Array<ArrayBuffer>): T {
  const reader = new ByteReader(frame)
  const value = schema.read(reader)
  if (!reader.isDone) throw new ProtocolError('malformed', 'bytes follow a directory frame')
  return value
}

/** Records as frames for `directory.update`, each within one message. */
export function encodeRecords(
  generation: number,
  values: Iterable<{ readonly key: string; readonly sealed: Uint8Array<ArrayBuffer> }>,
): Uint8Array<ArrayBuffer>[] {
  const frames: Uint8Array<ArrayBuffer>[] = []
  let records: { key: string; sealed: Uint8Array<ArrayBuffer> }[] = []
  let size = 0
  const flush = (): void => {
    if (records.length > 0) frames.push(encodeFrame(updateFrame, { type: 'records', generation, records }))
    records = []
    size = 0
  }
  for (const { key, sealed } of values) {
    // A key's text has at most three bytes a character; lengths and tags fit into the rest.
    const cost = 3 * key.length + sealed.length + 16
    if (size + cost > FRAME_BYTES) flush()
    records.push({ key, sealed })
    size += cost
  }
  flush()
  return frames
}
