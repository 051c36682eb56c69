import type { Clock } from '@shoal/base'
import { MOST_ITEMS, mostAhead, TaskCancelledError, TO_NODE } from '@shoal/protocol'
import type { ByteReader, FrameWriter, NodeId, ValueEncoder } from '@shoal/protocol'
import { roomIdOf } from './room-id.ts'
import type { Run } from './runner.ts'

export interface RunStreamsOptions {
  readonly frame: FrameWriter
  readonly clock: Clock
  readonly encoder: ValueEncoder
  readonly nodeId: NodeId
  /** Calls back in a later turn of the event loop, after messages that are waiting. */
  soon(callback: () => void): void
  /** A run is too far ahead of who takes its items, or not any more. */
  onAhead(run: number, isAhead: boolean): void
}

interface RunStream {
  /** Items that were taken, as far as the node has said. */
  consumed: number
  /** Nobody takes any more. */
  isOver: boolean
  /** Ends its pause. */
  wake: (() => void) | undefined
}

/** The longest that a generator runs without a look at what has come in meanwhile, its own cancellation too. */
const TURN_MS = 4
/** And the most values, so that they are taken while more are made. */
const TURN_ITEMS = 1_000

/**
 * Generators that run here: each value is told of as soon as it was yielded, with those of the same turn. One that is too
 * far ahead pauses; one that is cancelled, or whose stream nobody reads any more, is returned from at its next `yield`, so
 * that its `finally` blocks run.
 */
export class RunStreams {
  readonly #options: RunStreamsOptions
  readonly #streams = new Map<number, RunStream>()
  #isFlushScheduled = false

  constructor(options: RunStreamsOptions) {
    this.#options = options
  }

  /** Runs a generator to its end. Rejects with what it throws, or with TaskCancelledError. */
  async run(run: Run, call: () => unknown): Promise<undefined> {
    const stream: RunStream = { consumed: 0, isOver: false, wake: undefined }
    this.#streams.set(run.run, stream)
    const { template } = run
    const isCancelled = (): boolean => run.isCancelled || stream.isOver
    const most = mostAhead(template.stream)
    let iterator: { readonly next?: unknown; readonly return?: () => unknown } | undefined
    let isOpen = false
    try {
      const { clock } = this.#options
      let turnStartedAt = clock.now()
      iterator = call() as typeof iterator
      const next = iterator?.next
      if (typeof next !== 'function') throw new TypeError(`${template.name} gave no iterator, and is a generator`)
      for (let index = 0; !isCancelled(); index++) {
        const step: unknown = Reflect.apply(next, iterator, [])
        const { done, value } = (isThenable(step) ? await step : step) as IteratorResult<unknown>
        isOpen = done !== true
        if (!isOpen) return undefined
        this.#tell(run, index, isThenable(value) ? await value : value)
        if (clock.now() - turnStartedAt >= TURN_MS || (index + 1) % TURN_ITEMS === 0) {
          this.#options.frame.flush()
          await new Promise<void>((resolve) => this.#options.soon(resolve))
          turnStartedAt = clock.now()
        }
        if (index + 1 - stream.consumed >= most && !isCancelled()) {
          await this.#paused(run, stream, () => index + 1 - stream.consumed < most || isCancelled())
          turnStartedAt = clock.now()
        }
      }
      const taskId = roomIdOf(run.task, this.#options.nodeId)
      const details = { taskId, taskName: template.name }
      throw new TaskCancelledError('task-cancelled', `the task ${template.name} was cancelled`, { details })
    } finally {
      this.#streams.delete(run.run)
      // A value that cannot be sent, or a cancellation: it has not ended by itself.
      if (isOpen) await iterator?.return?.()
    }
  }

  /** The node says how many items of a run were taken. */
  onConsumed(reader: ByteReader): void {
    const stream = this.#streams.get(reader.varint())
    const consumed = reader.varint()
    const isOver = reader.u8() === 1
    if (stream === undefined) return
    stream.consumed = Math.max(stream.consumed, consumed)
    stream.isOver ||= isOver
    stream.wake?.()
  }

  cancel(run: number): void {
    this.#streams.get(run)?.wake?.()
  }

  #tell(run: Run, index: number, value: unknown): void {
    if (index >= MOST_ITEMS) throw new RangeError(`${run.template.name} has yielded more than ${MOST_ITEMS} values`)
    const { frame, encoder } = this.#options
    const encoded = encoder.encodeForFrame(value, 'item')
    const writer = frame.begin(TO_NODE.yielded, true)
    writer.varint(run.run)
    writer.varint(index)
    frame.value(encoded, false)
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    this.#options.soon(() => {
      this.#isFlushScheduled = false
      frame.flush()
    })
  }

  async #paused({ run }: Run, stream: RunStream, mayGoOn: () => boolean): Promise<void> {
    this.#options.frame.flush()
    this.#options.onAhead(run, true)
    while (!mayGoOn()) await new Promise<void>((resolve) => (stream.wake = resolve))
    stream.wake = undefined
    this.#options.onAhead(run, false)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
