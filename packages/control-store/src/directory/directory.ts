import type { Clock, Log, Random } from '@shoal/base'
import type { Crypto, KeyPair, NodeId, RoomId } from '@shoal/protocol'
import type * as Y from 'yjs'
import { YjsDirectory } from './yjs-directory.ts'

export interface DirectoryEntry {
  readonly body: Uint8Array<ArrayBuffer>
  /** Ed25519 public key. */
  readonly writer: Uint8Array<ArrayBuffer>
  readonly version: number
}

export interface DirectoryChange {
  readonly key: string
  /** Undefined: the record's node was retired. */
  readonly entry: DirectoryEntry | undefined
}

export interface DirectoryOptions {
  readonly clock: Clock
  readonly random: Random
  readonly crypto: Crypto
  readonly log: Log
  readonly self: NodeId
  readonly room: RoomId
  readonly roomKey: Uint8Array<ArrayBuffer>
  readonly keyPair: KeyPair
  /** In tabs with the owner's link: writes what only the room's owner may. */
  readonly ownerKeyPair?: KeyPair
  /** Our records get versions above this: in a later session of the same key, above all of the earlier ones. Default 0. */
  readonly versionsAbove?: number
}

/**
 * The room's directory on one node: sealed, signed records in a Yjs document that anybody in the room may damage, and in
 * memory the highest entitled version ever seen of each, which nothing in a document can take back.
 *
 * A record is fine -> lacking (the document misses, garbles or replays it) -> written again by its writer within half a
 * second, or put back as it stands by another node two to four seconds later, since a record carries its own proof.
 * A grown document is replaced by one of the next generation that holds the believed records alone; whoever sees a
 * higher generation moves to it, and what it lacks is healed by the same rule.
 *
 * It does not know links, servers or who lives: `DirectorySync` and the seed carry its frames, `retire` is told to it.
 */
export interface Directory {
  /** Writes a record of ours; its version rises. Unchanged bodies write nothing. PermissionError: none of our keys may. */
  set(key: string, body: Uint8Array<ArrayBuffer>): Promise<void>
  get(key: string): DirectoryEntry | undefined
  entries(prefix: string): (readonly [key: string, entry: DirectoryEntry])[]
  /** Told of what is believed anew or no longer. Gives back the function that ends it. */
  subscribe(listener: (change: DirectoryChange) => void): () => void
  /** A peer's frame (`directory.update`). Throws ProtocolError. `origin` is handed on to `onUpdate`. */
  applyUpdate(frame: Uint8Array<ArrayBuffer>, origin: unknown): void
  /** What we know, as a frame for `directory.vector`. */
  vector(): Uint8Array<ArrayBuffer>
  /** Equal for equal vectors; both ends of a link have it when they agree. Throws ProtocolError. */
  summaryOf(vector: Uint8Array<ArrayBuffer>): string
  /** Frames that bring the vector's sender up to date; none when we know nothing more. Throws ProtocolError. */
  updatesSince(vector: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[]
  /** Each change of the document as a frame for the peers, with the origin it came from (undefined: ours). */
  onUpdate(listener: (frame: Uint8Array<ArrayBuffer>, origin: unknown) => void): () => void
  /** Puts every believed record that the document lacks into it now, instead of when its time comes. */
  republish(): Promise<void>
  /** The node is gone for good: its records are dropped, and refused until it writes a higher version itself. */
  retire(node: NodeId): void
  /** The present generation's document, for the seed; another one after each `onRoll`. */
  readonly doc: Y.Doc
  readonly generation: number
  onRoll(listener: (generation: number) => void): () => void
  close(): void
}

export function createDirectory(options: DirectoryOptions): Directory {
  return new YjsDirectory(options)
}
