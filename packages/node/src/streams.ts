// Long because who makes the items of a stream and who takes them meet in one table, at every moment of its life.
import { assert } from '@shoal/base'
import { MOST_ITEMS, mostAhead, newWireError, showId, streamItem, streamOf } from '@shoal/protocol'
import type {
  Attempt,
  EncodedValue,
  JobId,
  NodeId,
  NodeMessage,
  ObjectId,
  ResultValue,
  WireError,
} from '@shoal/protocol'
import type { Objects } from './objects.ts'
import type { Submitter } from './submitter.ts'
import type { Workers } from './workers.ts'

export interface StreamsOptions {
  readonly self: NodeId
  /** Whose ledger the streams are of. */
  readonly owner: NodeId
  readonly objects: Objects
  readonly workers: () => Pick<Workers, 'consumed'>
  valueOf(id: ObjectId): EncodedValue | undefined
  send(to: NodeId, message: NodeMessage): void
  /** Nobody takes what a task yields any more. */
  cancel(task: ObjectId): void
}

/** Who takes the items of a stream: the page or worker that started it. */
interface Reader {
  readonly from: Submitter
  readonly job: JobId
  /** Items that it has asked for in all, that it was told of, and that its code has taken. */
  asked: number
  told: number
  taken: number
}

/** The stream of one task or call. It outlives the task's runs, and the recipe of what is lost keeps it. */
export interface Stream {
  /** From which its items have their numbers. */
  readonly id: number
  /** The task's. */
  readonly number: number
  readonly mode: number
  /** The numbers of those items that somebody refers to, and that some run may make again. */
  readonly items: Set<number>
  /** Items that there have been for the reader, whatever run made them. */
  produced: number
  /** Items that the present attempt has told of. */
  yielded: number
  /** One came out of its turn: some were lost on the way. */
  hasGap: boolean
  /** The bytes of some are not here: its task is kept to make them again. */
  isElsewhere: boolean
  /** Its task had an outcome: whatever runs again, there are no items but these. */
  isOver: boolean
  isFailed: boolean
  /** Nobody wants what is made of it any more. */
  isLeft: boolean
  reader: Reader | undefined
  /** Where the present attempt runs; undefined while it waits. */
  place: () => { readonly node: NodeId; readonly attempt: Attempt } | undefined
}

/** Small values go to the reader with their items. */
const PUSHED_BYTES = 4_096
const NOWHERE = (): undefined => undefined

/**
 * The streams of one ledger: gives each item that a run yields its object, and tells the reader of it as far as that has
 * asked; tells the run how many were taken. A run that is a later attempt begins anew, and of what it yields only that is
 * taken which there has not been, or which was lost and is waited for. Without a reader, which other tabs' streams never
 * have here, only the latter. A stream is running -> over -> read to its end or left; and running again while its task
 * makes again what was lost. It knows neither when tasks run nor why they end.
 */
export class Streams {
  readonly #options: StreamsOptions
  /** Those whose tasks have no outcome, by their ids. */
  readonly #running = new Map<number, Stream>()
  /** Those that are read, by their tasks. */
  readonly #read = new Map<number, Stream>()
  #lastId = 0

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Streams that somebody reads. */
  get count(): number {
    return this.#read.size
  }

  /** The stream of a task that was just submitted. */
  open(from: Submitter, number: number, mode: number, job: JobId): Stream {
    const reader = { from, job, asked: 0, told: 0, taken: 0 }
    assert(++this.#lastId < MOST_ITEMS, 'more streams than there are numbers for')
    const stream = newStream(this.#lastId, number, mode, reader)
    this.#read.set(number, stream)
    return stream
  }

  /** The stream of a task of a ledger that was taken over: nobody reads it. */
  adopt(id: number, number: number, mode: number): Stream {
    return newStream(id, number, mode, undefined)
  }

  /** A task that may not run has failed before it began. */
  refuse(from: Submitter, number: number, mode: number, job: JobId, error: WireError): void {
    this.ended(this.open(from, number, mode, job), error)
  }

  /** An attempt is to run. */
  begin(stream: Stream, place: Stream['place']): void {
    this.#running.set(stream.id, stream)
    stream.hasGap = false
    stream.yielded = 0
    stream.place = place
  }

  /** A run that is under way is taken over: it may wait for items to be taken, and nobody takes them. */
  takenOver(stream: Stream): void {
    this.#sayConsumed(stream)
  }

  /** The task that may be making an item just now. */
  taskOf(number: number): number | undefined {
    const item = streamOf(number)
    return item && this.#running.get(item.streamId)?.number
  }

  /** An item of the ledger that somebody needs is made by a task that runs. */
  expect(number: number): void {
    const item = streamOf(number)
    const stream = item && this.#running.get(item.streamId)
    if (stream === undefined) return
    stream.items.add(number)
    this.#options.objects.expect(this.#object(number))
  }

  freed(number: number): void {
    const item = streamOf(number)
    if (item !== undefined) this.#running.get(item.streamId)?.items.delete(number)
  }

  /** The reader wants items up to `asked`, and has taken so many. */
  onNext(from: Submitter, number: number, taken: number, asked: number): void {
    const stream = this.#read.get(number)
    const reader = stream?.reader
    if (stream === undefined || reader?.from !== from) return
    const hasTaken = taken > reader.taken
    reader.taken = Math.max(reader.taken, Math.min(taken, reader.told))
    reader.asked = Math.max(reader.asked, asked)
    this.#tell(stream)
    if (hasTaken && mostAhead(stream.mode) < Infinity) this.#sayConsumed(stream)
  }

  /** The reader wants no more. */
  onDrop(from: Submitter, number: number): void {
    const stream = this.#read.get(number)
    if (stream?.reader?.from === from) this.#leave(stream)
  }

  /** It is gone, with all that it held. */
  submitterGone(from: Submitter): void {
    for (const stream of [...this.#read.values()]) if (stream.reader?.from === from) this.#leave(stream)
  }

  /** Whether it would wait for the next item of a stream. */
  isOwed(from: Submitter): boolean {
    for (const { reader, produced, isOver } of this.#read.values())
      if (reader?.from === from && reader.told === produced && !isOver) return true
    return false
  }

  /** A run has yielded a value: here, or in the tab `from`, which may have kept it. */
  yielded(stream: Stream, index: number, attempt: Attempt, value: ResultValue, from: NodeId): void {
    const { objects } = this.#options
    const { reader } = stream
    const number = streamItem(stream.id, index)
    const id = this.#object(number)
    if (index !== stream.yielded && reader !== undefined) {
      stream.hasGap = true
      this.#refuse(id, attempt, value, from)
      return
    }
    const isFirst = stream.yielded === 0
    stream.yielded = index + 1
    if (index >= stream.produced && !stream.isOver) {
      stream.produced = index + 1
      if (reader !== undefined) {
        objects.create(number, reader.job)
        stream.items.add(number)
      }
    }
    if (objects.has(id) && objects.state(id).kind === 'pending') {
      if (value.type === 'inline') objects.storeHere(id, attempt, value.value)
      else {
        stream.isElsewhere = true
        objects.storeElsewhere(id, attempt, value.bytes, [from])
      }
    } else this.#refuse(id, attempt, value, from)
    // An attempt that begins knows nothing of what was taken before it.
    if (isFirst && (reader === undefined || reader.taken > 0)) this.#sayConsumed(stream)
    this.#tell(stream)
  }

  /** The task has its outcome: there are no more items but, after an error, one that stands for that. */
  ended(stream: Stream, error: WireError | undefined): void {
    const { objects } = this.#options
    const { reader, isOver } = stream
    this.#running.delete(stream.id)
    stream.isOver = true
    stream.place = NOWHERE
    for (const number of stream.items) {
      const id = this.#object(number)
      if (objects.state(id).kind === 'pending') objects.fail(id, error ?? notYielded(id))
    }
    if (error !== undefined && !isOver) {
      stream.isFailed = true
      // Nobody is to be told of how a stream ended that nobody reads.
      if (reader === undefined) objects.told(error)
      else {
        const number = streamItem(stream.id, stream.produced++)
        objects.create(number, reader.job)
        objects.fail(this.#object(number), error)
      }
    }
    this.#tell(stream)
  }

  /** Items that an attempt has told of and that were lost since, before it ended. */
  lostOf(stream: Stream): ObjectId[] {
    return [...stream.items].flatMap((number) => {
      const id = this.#object(number)
      const isTold = (streamOf(number)?.index ?? 0) < stream.yielded
      return isTold && this.#options.objects.state(id).kind === 'pending' ? [id] : []
    })
  }

  #refuse(id: ObjectId, attempt: Attempt, value: ResultValue, from: NodeId): void {
    // It may be what a former attempt made there, and told of.
    if (value.type === 'inline' || this.#options.objects.holdersOf(id).includes(from)) return
    this.#options.send(from, { type: 'object.free', attempt, ids: [id] })
  }

  #tell(stream: Stream): void {
    const { reader } = stream
    if (reader === undefined) return
    const { from } = reader
    while (reader.told < stream.produced && reader.told < reader.asked) {
      const number = streamItem(stream.id, reader.told++)
      const id = this.#object(number)
      // From now on the reference is the reader's.
      from.hold(id)
      from.sendItem(stream.number, number, this.#pushed(id))
    }
    if (!stream.isOver || reader.told < stream.produced) return
    from.sendItemsEnd(stream.number, stream.isFailed)
    stream.reader = undefined
    this.#read.delete(stream.number)
  }

  /** Refs inside would have to be counted for a value that may never be looked at. */
  #pushed(id: ObjectId): EncodedValue | undefined {
    if (this.#options.objects.state(id).kind !== 'here') return undefined
    const value = this.#options.valueOf(id)
    if (value === undefined || value.refs.length > 0 || value.buffers.length > 0) return undefined
    return value.body.length <= PUSHED_BYTES ? value : undefined
  }

  #leave(stream: Stream): void {
    const { reader } = stream
    if (reader === undefined) return
    stream.reader = undefined
    this.#read.delete(stream.number)
    for (let index = reader.told; index < stream.produced; index++)
      this.#options.objects.release(this.#object(streamItem(stream.id, index)))
    if (stream.isOver) return
    stream.isLeft = true
    this.#options.cancel(this.#object(stream.number))
    this.#sayConsumed(stream)
  }

  #sayConsumed(stream: Stream): void {
    const place = stream.place()
    if (place === undefined) return
    const { self, owner, workers, send } = this.#options
    const { number, reader, isLeft: isOver } = stream
    const { node, attempt } = place
    // What nobody reads is made for those who hold some of it.
    const consumed = reader?.taken ?? Number.MAX_SAFE_INTEGER
    if (node === self) workers().consumed({ owner, number }, attempt, consumed, isOver)
    else {
      const ledger = owner === self ? undefined : owner
      send(node, { type: 'task.consumed', ledger, number, attempt, consumed, isOver })
    }
  }

  #object(number: number): ObjectId {
    return { owner: this.#options.owner, number }
  }
}

function newStream(id: number, number: number, mode: number, reader: Reader | undefined): Stream {
  return {
    id,
    number,
    mode,
    items: new Set(),
    produced: 0,
    yielded: 0,
    hasGap: false,
    isElsewhere: false,
    isOver: false,
    isFailed: false,
    isLeft: false,
    reader,
    place: NOWHERE,
  }
}

/** A run that was to make it again has ended without it. */
function notYielded(id: ObjectId): WireError {
  return newWireError('object-lost', `${showId(id)} is gone, and the generator that made it did not yield it again`)
}
