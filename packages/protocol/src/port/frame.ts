import { ByteReader, ByteWriter } from '../bytes.ts'
import { nodeId } from '../ids.ts'
import type { NodeId, ObjectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { BlobLike } from '../value/blob.ts'
import type { EncodedValue, OutgoingValue } from '../value/encoded-value.ts'
import { codeDefinition } from './definitions.ts'
import type { CodeDefinition } from './definitions.ts'
import { THIS_NODE } from './records.ts'

/**
 * What crosses a port between the threads of one tab: many records in one run of bytes, and beside them the large
 * buffers of their values in the order in which the records name them, each moved rather than copied.
 */
export interface Frame {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly buffers: readonly Uint8Array<ArrayBuffer>[]
}

/** A frame before its port has read the Blobs among its buffers. */
export interface ArrivingFrame {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly buffers: readonly (Uint8Array<ArrayBuffer> | BlobLike)[]
}

/** Tickets among its buffers are of a port that gave them: see `FramePort.keep`. */
export interface OutgoingFrame {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly buffers: readonly (Uint8Array<ArrayBuffer> | BlobLike | Ticket)[]
}

/** By this the other end of a port finds a buffer in memory that it shares. */
export type Ticket = number

/**
 * The place of a dependency that is no single argument but the list of all of them: arguments that are together too large
 * for a message between tabs are an object of their own, which other tabs pull.
 */
export const ALL_ARGUMENTS = LIMITS.taskArguments

/** A top-level argument that is a ref, and its place among the arguments. */
export interface PlacedRef {
  readonly place: number
  readonly id: ObjectId
}

/**
 * One end of a port between threads: ordered, reliable, both ways. `post` takes ownership of the frame. The receiving
 * end reads Blobs before it delivers their frame, and holds back what comes behind it until then.
 */
export interface FramePort {
  post(frame: OutgoingFrame): void
  /**
   * What is posted in the place of a buffer that its sender goes on using: a copy, which is what they are without this, or
   * the ticket by which the other end finds those bytes in memory that it shares. For one frame, which is posted next.
   */
  keep?(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | Ticket
  /** Called once; frames that came before are delivered first. */
  onFrame(handler: (frame: Frame) => void): void
  close(): void
}

/**
 * Collects records and posts them as one frame a microtask: the rule that keeps the cost of a hop from being paid a task.
 */
export class FrameWriter {
  readonly writer = new ByteWriter(4096)
  #buffers: OutgoingFrame['buffers'][number][] = []
  #isScheduled = false
  readonly #post: (frame: OutgoingFrame) => void
  readonly #keep: NonNullable<FramePort['keep']>
  readonly #self: NodeId

  /** `self` is the tab's node: ids that it owns are written without it. */
  constructor(self: NodeId, post: (frame: OutgoingFrame) => void, keep: FramePort['keep'] = copyOf) {
    this.#self = self
    this.#post = post
    this.#keep = keep
  }

  /**
   * Starts a record of the given kind. The frame goes out at the end of this microtask turn, or, when `isLazy`, with the
   * next one that is not lazy or the next `flush`.
   */
  begin(kind: number, isLazy = false): ByteWriter {
    if (!this.#isScheduled && !isLazy) {
      this.#isScheduled = true
      // One turn later, with what is told a turn after its cause: a node that learns that a task submitted another, and only
      // with the next frame that it waits for it, has no slot for that one, and sends it away.
      queueMicrotask(() => queueMicrotask(() => this.flush()))
    }
    if (this.writer.length > FLUSH_BYTES) this.#send()
    this.writer.u8(kind)
    return this.writer
  }

  id(id: ObjectId): void {
    if (id.owner === this.#self) this.writer.u8(0)
    else {
      this.writer.u8(1)
      nodeId.write(this.writer, id.owner)
    }
    this.writer.varint(id.number)
  }

  ids(ids: readonly ObjectId[]): void {
    this.writer.varint(ids.length)
    for (const id of ids) this.id(id)
  }

  dependencies(dependencies: readonly PlacedRef[]): void {
    this.writer.varint(dependencies.length)
    for (const { place, id } of dependencies) {
      this.writer.varint(place)
      this.id(id)
    }
  }

  /** `keep` copies the buffers because the sender goes on using them; otherwise they are moved. */
  value(value: OutgoingValue, keep: boolean): void {
    this.ids(value.refs)
    this.writer.bytes(value.body)
    this.writer.varint(value.buffers.length)
    for (const buffer of value.buffers)
      if (!(buffer instanceof Uint8Array)) this.#buffers.push(buffer)
      else if (keep) this.#buffers.push(this.#keep(buffer))
      else this.#buffers.push(isWhole(buffer) ? buffer : buffer.slice())
  }

  /** Refs handed in by name cross like all others. */
  definition(definition: CodeDefinition): void {
    codeDefinition.write(this.writer, withOwner(definition, this.#self, THIS_NODE))
  }

  /** Sends what was written so far, now. */
  flush(): void {
    this.#isScheduled = false
    if (this.writer.length > 0) this.#send()
  }

  #send(): void {
    const bytes = this.writer.length > COPY_BYTES ? this.writer.take() : this.writer.finish()
    const buffers = this.#buffers
    this.#buffers = []
    this.#post({ bytes, buffers })
  }
}

// Small frames are cheaper to copy than to hand over with their whole buffer; frames stay small enough to be pipelined.
const COPY_BYTES = 32 * 1024
const FLUSH_BYTES = 128 * 1024

function copyOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.slice()
}

function isWhole(bytes: Uint8Array<ArrayBuffer>): boolean {
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
}

/** Reads the records of a frame. The values it gives are views into the frame, which it takes over. */
export class FrameReader {
  readonly reader: ByteReader
  readonly #buffers: readonly Uint8Array<ArrayBuffer>[]
  readonly #self: NodeId
  #nextBuffer = 0

  constructor(self: NodeId, frame: Frame) {
    this.#self = self
    this.reader = new ByteReader(frame.bytes)
    this.#buffers = frame.buffers
  }

  get isDone(): boolean {
    return this.reader.isDone
  }

  kind(): number {
    return this.reader.u8()
  }

  id(): ObjectId {
    const owner = this.reader.u8() === 0 ? this.#self : nodeId.read(this.reader)
    return { owner, number: this.reader.varint() }
  }

  ids(limit: number = LIMITS.valueReferences): ObjectId[] {
    const count = this.reader.varint()
    if (count > limit) throw new ProtocolError('too-large', `${count} references where at most ${limit} are allowed`)
    if (count === 0) return NO_IDS
    const ids: ObjectId[] = []
    for (let i = 0; i < count; i++) ids.push(this.id())
    return ids
  }

  dependencies(): PlacedRef[] {
    const count = this.reader.varint()
    if (count > LIMITS.taskArguments) throw new ProtocolError('too-large', `${count} arguments are refs`)
    if (count === 0) return NO_DEPENDENCIES
    const dependencies: PlacedRef[] = []
    for (let i = 0; i < count; i++) dependencies.push({ place: this.reader.varint(), id: this.id() })
    return dependencies
  }

  definition(): CodeDefinition {
    return withOwner(codeDefinition.read(this.reader), THIS_NODE, this.#self)
  }

  value(): EncodedValue {
    const refs = this.ids()
    const body = this.reader.bytes()
    const count = this.reader.varint()
    if (count === 0) return { refs, body, buffers: NO_BUFFERS }
    const buffers = this.#buffers.slice(this.#nextBuffer, this.#nextBuffer + count)
    if (buffers.length !== count) throw new ProtocolError('malformed', 'a frame lacks buffers')
    this.#nextBuffer += count
    return { refs, body, buffers }
  }
}

/** The definition with `to` in the place of `from` wherever that is a ref's owner. */
function withOwner(definition: CodeDefinition, from: NodeId, to: NodeId): CodeDefinition {
  if (from === to || definition.type !== 'inline' || definition.uses === undefined) return definition
  const refs = definition.uses.refs.map((id) => (id.owner === from ? { owner: to, number: id.number } : id))
  return { ...definition, uses: { ...definition.uses, refs } }
}

const NO_IDS: ObjectId[] = []
const NO_DEPENDENCIES: PlacedRef[] = []
const NO_BUFFERS: readonly Uint8Array<ArrayBuffer>[] = []
