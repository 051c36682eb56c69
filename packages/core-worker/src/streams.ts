import { must, Queue } from '@shoal/base'
import { GetTimeoutError, mostAhead, THIS_NODE, TO_NODE } from '@shoal/protocol'
import type { EncodedValue, FrameReader, FrameWriter, ObjectId } from '@shoal/protocol'
import type { ObjectRef } from './object-ref.ts'
import { ObjectRefGenerator } from './ref-generator.ts'
import type { StreamHome } from './ref-generator.ts'
import type { GetOptions, Waits } from './waits.ts'

export interface StreamsOptions {
  readonly frame: FrameWriter
  readonly waits: Pick<Waits, 'wait' | 'onReady' | 'notReady' | 'forget'>
  /** @throws when nothing may be asked for any more */
  mustBeOpen(): void
  isClosed(): boolean
  /** A ref for a reference that is counted already. */
  makeRef(number: number): ObjectRef
  /** A ref to undefined. */
  putNothing(): ObjectRef
  release(id: ObjectId): void
  register(generator: ObjectRefGenerator, id: ObjectId): void
  unregister(generator: ObjectRefGenerator): void
}

interface Item {
  readonly number: number
  readonly value: EncodedValue | undefined
}

/** One stream as whoever takes its items sees it. */
interface Stream {
  /** Its task's. */
  readonly number: number
  /** By how many items the task may be ahead of those that were taken. */
  readonly mostAhead: number
  /** Told of and not taken. */
  readonly items: Queue<Item>
  taken: number
  asked: number
  /** The node has told of all there are. */
  isEnded: boolean
  isFailed: boolean
  /** The reference to what stands for the task's own outcome: ours, the application's, or none any more. */
  completion: 'held' | 'gone' | ObjectRef
  /** Calls of `next` that wait, in order. */
  waiting: number
  last: Promise<void>
  isReporting: boolean
}

/** Items are asked for this far ahead of those that are taken, so that a loop does not wait for each. */
const WINDOW = 256

/**
 * The streams that were started through one core worker. Items come in order as soon as they exist, small ones with their
 * values; those that nobody has taken are held here, one reference each, until they are or the stream is left. In `wait` a
 * stream stands as an object that no other has the number of: ready while there is an item, or the end.
 */
export class Streams implements StreamHome {
  readonly #options: StreamsOptions
  /** Until all items are taken, or the stream is left. */
  readonly #open = new Map<number, Stream>()
  readonly #streams = new WeakMap<ObjectRefGenerator, Stream>()
  /** Of items that were taken: the first `get` needs to ask nobody. */
  readonly #values = new Map<number, EncodedValue>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  get openCount(): number {
    return this.#open.size
  }

  /** The stream of a task that was just submitted, and whose own object holds one reference. */
  open(number: number, mode: number): ObjectRefGenerator {
    const stream: Stream = {
      number,
      mostAhead: mostAhead(mode),
      items: new Queue(),
      taken: 0,
      asked: 0,
      isEnded: false,
      isFailed: false,
      completion: 'held',
      waiting: 0,
      last: Promise.resolve(),
      isReporting: false,
    }
    this.#open.set(number, stream)
    this.#report(stream)
    const generator = new ObjectRefGenerator(this)
    this.#streams.set(generator, stream)
    this.#options.register(generator, readyId(stream))
    return generator
  }

  take(generator: ObjectRefGenerator, options: GetOptions): Promise<IteratorResult<ObjectRef, undefined>> {
    const stream = this.#of(generator)
    if (stream.waiting === 0 && (stream.items.length > 0 || stream.isEnded)) {
      try {
        this.#options.mustBeOpen()
        return Promise.resolve(this.#next(stream))
      } catch (error) {
        return Promise.reject(error as Error)
      }
    }
    return this.#wait(stream, options)
  }

  leave(generator: ObjectRefGenerator): void {
    this.#options.unregister(generator)
    this.#left(this.#of(generator))
  }

  completed(generator: ObjectRefGenerator): ObjectRef {
    const stream = this.#of(generator)
    if (stream.completion === 'gone') return this.#options.putNothing()
    if (stream.completion === 'held') stream.completion = this.#options.makeRef(stream.number)
    return stream.completion
  }

  /** What a generator stands for in `wait`. */
  readyId(generator: ObjectRefGenerator): ObjectId {
    return readyId(this.#of(generator))
  }

  /** What makes the items, while that may be cancelled. */
  taskId(generator: ObjectRefGenerator): ObjectId | undefined {
    const { number } = this.#of(generator)
    return this.#open.has(number) ? { owner: THIS_NODE, number } : undefined
  }

  /** `wait` wants to know when a stream is ready. False for what is none. */
  watch(id: ObjectId): boolean {
    if (id.number >= 0) return false
    const stream = this.#open.get(-id.number)
    if (stream === undefined || stream.items.length > 0 || stream.isEnded) this.#options.waits.onReady([id])
    return true
  }

  /** The collector took a generator. False when the id is no stream's. */
  collected(id: ObjectId): boolean {
    if (id.number >= 0) return false
    const stream = this.#open.get(-id.number)
    if (stream !== undefined) this.#left(stream)
    else this.#options.waits.forget(id)
    return true
  }

  /** The value of an item that came with it, once. */
  takeValue({ owner, number }: ObjectId): EncodedValue | undefined {
    if (this.#values.size === 0 || owner !== THIS_NODE) return undefined
    const value = this.#values.get(number)
    if (value !== undefined) this.#values.delete(number)
    return value
  }

  onItem(reader: FrameReader): void {
    const stream = this.#open.get(reader.reader.varint())
    const number = reader.reader.varint()
    const value = reader.kind() === 1 ? reader.value() : undefined
    if (stream === undefined) {
      // It was left meanwhile.
      this.#options.release({ owner: THIS_NODE, number })
      return
    }
    stream.items.push({ number, value })
    if (stream.items.length === 1) this.#options.waits.onReady([readyId(stream)])
  }

  onEnd(reader: FrameReader): void {
    const stream = this.#open.get(reader.reader.varint())
    const isFailed = reader.kind() === 1
    if (stream === undefined) return
    stream.isEnded = true
    stream.isFailed = isFailed
    this.#options.waits.onReady([readyId(stream)])
  }

  close(): void {
    this.#open.clear()
    this.#values.clear()
  }

  #of(generator: ObjectRefGenerator): Stream {
    return must(this.#streams.get(generator), 'a stream of another session')
  }

  async #wait(stream: Stream, options: GetOptions): Promise<IteratorResult<ObjectRef, undefined>> {
    const before = stream.last
    let isOver = (): void => undefined
    stream.last = new Promise((resolve) => (isOver = resolve))
    stream.waiting++
    try {
      if (stream.waiting > 1) await before
      while (stream.items.length === 0 && !stream.isEnded) {
        this.#options.mustBeOpen()
        const ready = await this.#options.waits.wait([readyId(stream)], options)
        if (ready.length === 0)
          throw new GetTimeoutError('get-timeout', `the next item did not exist within ${options.timeoutMs} ms`)
      }
      return this.#next(stream)
    } finally {
      stream.waiting--
      isOver()
    }
  }

  #next(stream: Stream): IteratorResult<ObjectRef, undefined> {
    const item = stream.items.shift()
    if (item === undefined) {
      this.#exhausted(stream)
      return { done: true, value: undefined }
    }
    stream.taken++
    if (!stream.isEnded) {
      if (stream.items.length === 0) this.#options.waits.notReady(readyId(stream))
      if (stream.mostAhead < Infinity || stream.asked - stream.taken < WINDOW / 2) this.#report(stream)
    }
    if (item.value !== undefined) this.#values.set(item.number, item.value)
    return { done: false, value: this.#options.makeRef(item.number) }
  }

  /** What became of the task need not be kept for a stream that came to its end; an error is kept for who asks late. */
  #exhausted(stream: Stream): void {
    if (stream.isFailed && stream.completion === 'held') return
    if (this.#open.delete(stream.number) && stream.completion === 'held') this.#letGo(stream)
  }

  #left(stream: Stream): void {
    const isOpen = this.#open.delete(stream.number)
    if (isOpen && !stream.isEnded && !this.#options.isClosed())
      this.#options.frame.begin(TO_NODE.streamDrop).varint(stream.number)
    for (let item = stream.items.shift(); item !== undefined; item = stream.items.shift())
      this.#options.release({ owner: THIS_NODE, number: item.number })
    stream.isEnded = true
    if (stream.completion === 'held') this.#letGo(stream)
    // Whoever waits for an item has the end.
    this.#options.waits.onReady([readyId(stream)])
    this.#options.waits.forget(readyId(stream))
  }

  #letGo(stream: Stream): void {
    stream.completion = 'gone'
    this.#options.release({ owner: THIS_NODE, number: stream.number })
  }

  /** How far it is, once a turn. */
  #report(stream: Stream): void {
    if (stream.isReporting) return
    stream.isReporting = true
    queueMicrotask(() => {
      stream.isReporting = false
      if (this.#options.isClosed() || !this.#open.has(stream.number)) return
      stream.asked = Math.max(stream.asked, stream.taken + WINDOW)
      const writer = this.#options.frame.begin(TO_NODE.streamNext)
      writer.varint(stream.number)
      writer.varint(stream.taken)
      writer.varint(stream.asked)
    })
  }
}

/** Of no object: those have positive numbers. */
function readyId({ number }: Stream): ObjectId {
  return { owner: THIS_NODE, number: -number }
}
