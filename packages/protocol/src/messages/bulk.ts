import { bytes, struct, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { LIMITS } from '../limits.ts'

/** One chunk on the bulk channel: part of the run that pull number `pull` asked for, at `offset`. */
export const bulkChunk = struct({ pull: varint, offset: varint, bytes: bytes(LIMITS.bulkChunkBytes) })
export type BulkChunk = Infer<typeof bulkChunk>
