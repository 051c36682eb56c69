// Long because every record that a page or worker may write is read here, and judged before anybody acts on it.
import { must } from '@shoal/base'
import type { Log } from '@shoal/base'
import {
  FrameReader,
  FrameWriter,
  LIMITS,
  LOG_LEVELS,
  MOST_ITEMS,
  ProtocolError,
  SUBMITTER_SPAN,
  THIS_NODE,
  TO_NODE,
  TO_SUBMITTER,
  actorFacts,
  formatObjectId,
  groupDefinition,
  newWireError,
  templateDefinition,
  wireError,
} from '@shoal/protocol'
import type {
  ActorFacts,
  CodeDefinition,
  EncodedValue,
  Frame,
  FramePort,
  GroupDefinition,
  NodeId,
  ObjectId,
  OutgoingFrame,
  PlacedRef,
  RegisteredName,
  TemplateDefinition,
  WireError,
} from '@shoal/protocol'
import type { CallRequest } from './actors/actor-calls.ts'
import type { Cancelling } from './cancelled.ts'
import { Questions } from './questions.ts'
import type { StateQuestion } from './state/state-service.ts'
import { workerQuestion } from './state/worker-question.ts'
import type { Question } from './questions.ts'

/** One request to run something, as it came from a submitter. */
export interface Submission {
  readonly number: number
  readonly parentRun: number | undefined
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
}

/** Where code was defined, and what its value showed there; told to people and judged, never shipped. */
export interface CodeOrigin {
  readonly callSite: string
  /** Encoded FunctionFacts without the source; empty when there was no value. */
  readonly facts: Uint8Array<ArrayBuffer>
}

/** That a worker may have open. */
const MOST_STATE_QUESTIONS = 100
const TOO_MANY = `a worker has ${MOST_STATE_QUESTIONS} questions about the room's state open: wait for an answer first`

/** What a node does with the records of its page and workers. */
export interface SubmitterHandlers {
  code(from: Submitter, code: number, origin: CodeOrigin, definition: CodeDefinition): void
  template(from: Submitter, definition: TemplateDefinition): void
  submit(from: Submitter, template: number, submission: Submission): void
  put(from: Submitter, number: number, value: EncodedValue): void
  /** Asked once until the question is answered, however often the submitter asks. */
  want(from: Submitter, id: ObjectId, question: Question): void
  watch(from: Submitter, id: ObjectId, question: Question): void
  release(from: Submitter, ids: readonly ObjectId[]): void
  cancel(id: ObjectId, how: Cancelling): void
  /** Of the page alone. */
  keep(ids: readonly ObjectId[]): void
  /** These two of the page alone. */
  group(from: Submitter, definition: GroupDefinition): void
  groupRemove(group: ObjectId): void
  actorCreate(from: Submitter, template: number, submission: Submission): void
  actorCall(from: Submitter, request: Omit<CallRequest, 'job' | 'parent' | 'stream'>): void
  actorKill(from: Submitter, actor: ObjectId, noRestart: boolean): void
  /** Answered by `sendActor` or `sendNoActor`. */
  actorFind(from: Submitter, question: number, parentRun: number | undefined, name: RegisteredName): void
  /** Of workers alone. Answered by `sendState` or `sendNoState`. */
  stateAsk(from: Submitter, question: StateQuestion, number: number): void
  /** A worker's actor has ended in good order. */
  actorEnded(from: Submitter): void
  done(from: Submitter, run: number, cpuMicros: number, outcome: readonly EncodedValue[] | WireError): void
  /** `isAhead`: it waits for nothing but that its items are taken. */
  blocked(from: Submitter, run: number, isBlocked: boolean, isAhead: boolean): void
  dropped(from: Submitter, run: number): void
  log(from: Submitter, run: number, level: (typeof LOG_LEVELS)[number], text: string): void
  /** Whether the submitter waits for the next item of a stream. */
  owesItem(from: Submitter): boolean
  streamNext(from: Submitter, number: number, taken: number, asked: number): void
  streamDrop(from: Submitter, number: number): void
  yielded(from: Submitter, run: number, index: number, value: EncodedValue): void
  /** A whole frame was read: decisions may be taken about all of it. */
  frameEnd(): void
}

/**
 * The node's end of a port to its page (submitter 0) or to one worker: reads records, writes answers. It knows what a
 * record looks like and which answers are owed, not what any of it means.
 */
export class Submitter {
  readonly number: number
  readonly frame: FrameWriter
  readonly #self: NodeId
  readonly #handlers: SubmitterHandlers
  readonly #log: Log
  readonly #port: FramePort
  readonly #wants = new Questions()
  readonly #watches = new Questions()
  #isWaiting = false
  readonly #held = new Map<NodeId, Map<number, number>>()
  /** Actors that it may call without a reference. */
  readonly #weak = new Set<string>()
  #lastNumber = 0
  /** About the room's state. */
  #openQuestions = 0
  #isClosed = false

  constructor(options: {
    readonly number: number
    readonly self: NodeId
    readonly port: FramePort
    readonly handlers: SubmitterHandlers
    readonly log: Log
  }) {
    this.number = options.number
    this.#self = options.self
    this.#handlers = options.handlers
    this.#log = options.log
    const { port } = options
    this.#port = port
    const post = (frame: OutgoingFrame): void => {
      if (!this.#isClosed) port.post(frame)
    }
    this.frame = new FrameWriter(options.self, post, port.keep && ((buffer) => port.keep?.(buffer) ?? buffer.slice()))
    port.onFrame((frame) => this.#onFrame(frame))
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** True while a get or wait is unanswered: only then does a blocked task wait for anything. */
  get isOwed(): boolean {
    if (this.#wants.open > 0) return true
    return this.#isWaiting && (this.#watches.open > 0 || this.#handlers.owesItem(this))
  }

  /** Questions that are out, asked by a get or by a wait. */
  get questionCount(): number {
    return this.#wants.open + this.#watches.open
  }

  /** Answers a want. Gives the submitter one reference to each ref inside: the caller has counted them. */
  sendValue(id: ObjectId, value: EncodedValue): void {
    if (this.#isClosed) return
    this.frame.begin(TO_SUBMITTER.value)
    this.frame.id(id)
    this.frame.writer.u8(0)
    this.frame.value(value, true)
  }

  sendError(id: ObjectId, error: WireError): void {
    if (this.#isClosed) return
    this.frame.begin(TO_SUBMITTER.value)
    this.frame.id(id)
    this.frame.writer.u8(1)
    wireError.write(this.frame.writer, error)
  }

  /** The next item of a stream, with its value if that is at hand. Gives the submitter the stream's reference to it. */
  sendItem(stream: number, item: number, value: EncodedValue | undefined): void {
    if (this.#isClosed) return
    const writer = this.frame.begin(TO_SUBMITTER.streamItem)
    writer.varint(stream)
    writer.varint(item)
    writer.u8(value === undefined ? 0 : 1)
    if (value !== undefined) this.frame.value(value, true)
  }

  sendItemsEnd(stream: number, isFailed: boolean): void {
    if (this.#isClosed) return
    const writer = this.frame.begin(TO_SUBMITTER.streamEnd)
    writer.varint(stream)
    writer.u8(isFailed ? 1 : 0)
  }

  sendReady(id: ObjectId): void {
    if (this.#isClosed) return
    this.frame.begin(TO_SUBMITTER.ready)
    this.frame.ids([id])
  }

  /** From now on it may call the actor, which that does not keep alive. */
  sendActor(question: number, id: ObjectId, facts: ActorFacts): void {
    if (this.#isClosed) return
    // A page is asked for no leave.
    if (this.number !== 0) this.#weak.add(formatObjectId(id))
    this.frame.begin(TO_SUBMITTER.actorFound).varint(question)
    this.frame.writer.u8(0)
    this.frame.id(id)
    actorFacts.write(this.frame.writer, facts)
  }

  sendNoActor(question: number, error: WireError): void {
    if (this.#isClosed) return
    this.frame.begin(TO_SUBMITTER.actorFound).varint(question)
    this.frame.writer.u8(1)
    wireError.write(this.frame.writer, error)
  }

  sendState(number: number, rows: EncodedValue): void {
    this.#openQuestions--
    if (this.#isClosed) return
    this.frame.begin(TO_SUBMITTER.stateRows).varint(number)
    this.frame.writer.u8(0)
    this.frame.value(rows, true)
  }

  sendNoState(number: number, error: WireError): void {
    this.#openQuestions--
    if (this.#isClosed) return
    this.frame.begin(TO_SUBMITTER.stateRows).varint(number)
    this.frame.writer.u8(1)
    wireError.write(this.frame.writer, error)
  }

  /** The actor that lives in this worker: it has a handle of itself that does not keep it alive. */
  isActor(id: ObjectId): void {
    this.#weak.add(formatObjectId(id))
  }

  /** A worker's own count of a reference, kept so that it ends with the worker. A page's end with the session. */
  hold(id: ObjectId): void {
    if (this.number === 0) return
    const numbers = this.#held.get(id.owner) ?? new Map<number, number>()
    this.#held.set(id.owner, numbers)
    numbers.set(id.number, (numbers.get(id.number) ?? 0) + 1)
  }

  /** False when the submitter releases what it does not hold. */
  unhold(id: ObjectId): boolean {
    if (this.number === 0) return true
    const numbers = this.#held.get(id.owner)
    const count = numbers?.get(id.number) ?? 0
    if (numbers === undefined || count === 0) return false
    if (count === 1) numbers.delete(id.number)
    else numbers.set(id.number, count - 1)
    return true
  }

  /** What it still holds; nothing is held afterwards. */
  takeHeld(): (readonly [id: ObjectId, count: number])[] {
    const held: (readonly [ObjectId, number])[] = []
    for (const [owner, numbers] of this.#held)
      for (const [number, count] of numbers) held.push([{ owner, number }, count])
    this.#held.clear()
    return held
  }

  close(): void {
    this.#isClosed = true
    this.#wants.clear()
    this.#watches.clear()
    this.#port.close()
  }

  #onFrame(frame: Frame): void {
    if (this.#isClosed) return
    try {
      const reader = new FrameReader(this.#self, frame)
      while (!reader.isDone) this.#record(reader)
    } catch (error) {
      // A worker runs strangers' code and may have been made to write nonsense: its frame is dropped, nothing else.
      if (!(error instanceof ProtocolError)) throw error
      this.#log.warn('a frame was refused', { submitter: this.number, reason: error.message })
    }
    this.#handlers.frameEnd()
  }

  #record(reader: FrameReader): void {
    const bytes = reader.reader
    const kind = reader.kind()
    switch (kind) {
      case TO_NODE.code:
        this.#handlers.code(
          this,
          bytes.varint(),
          { callSite: bytes.string(LIMITS.logLineBytes), facts: bytes.bytes(LIMITS.inlineValueBytes).slice() },
          this.#mustHoldUses(reader.definition()),
        )
        return
      case TO_NODE.template:
        this.#handlers.template(this, this.#mustHoldGroup(templateDefinition.read(bytes)))
        return
      case TO_NODE.submit:
        this.#handlers.submit(this, bytes.varint(), this.#submission(reader))
        return
      case TO_NODE.put:
        this.#handlers.put(this, this.#newNumber(bytes.varint()), this.#mustHoldInside(reader.value()))
        return
      case TO_NODE.want:
        for (const id of this.#mustHold(reader.ids())) {
          const question = this.#wants.ask(id)
          if (question !== undefined) this.#handlers.want(this, id, question)
        }
        return
      case TO_NODE.watch:
        for (const id of this.#mustHold(reader.ids())) {
          const question = this.#watches.ask(id)
          if (question !== undefined) this.#handlers.watch(this, id, question)
        }
        return
      case TO_NODE.unwant:
        for (const id of reader.ids()) this.#wants.withdraw(id)
        return
      case TO_NODE.waiting:
        this.#isWaiting = bytes.u8() === 1
        return
      case TO_NODE.poll:
        this.frame.begin(TO_SUBMITTER.polled).varint(bytes.varint())
        return
      case TO_NODE.release:
        this.#handlers.release(this, reader.ids())
        return
      case TO_NODE.streamNext:
        this.#handlers.streamNext(this, bytes.varint(), bytes.varint(), bytes.varint())
        return
      case TO_NODE.streamDrop:
        this.#handlers.streamDrop(this, bytes.varint())
        return
      case TO_NODE.cancel: {
        const [id] = this.#mustHold([reader.id()])
        const flags = bytes.u8()
        if (id) this.#handlers.cancel(id, { isForced: (flags & 1) !== 0, isRecursive: (flags & 2) !== 0 })
        return
      }
      case TO_NODE.keep:
        if (this.number !== 0) throw new ProtocolError('denied', 'only a page keeps refs')
        this.#handlers.keep(reader.ids())
        return
      case TO_NODE.group:
      case TO_NODE.groupRemove: {
        if (this.number !== 0) throw new ProtocolError('denied', 'only a page has placement groups')
        if (kind === TO_NODE.groupRemove) this.#handlers.groupRemove(reader.id())
        else {
          const definition = groupDefinition.read(bytes)
          this.#handlers.group(this, { ...definition, number: this.#newNumber(definition.number) })
        }
        return
      }
      case TO_NODE.actorCreate:
        this.#handlers.actorCreate(this, bytes.varint(), this.#submission(reader))
        return
      case TO_NODE.actorCall:
        this.#actorCall(reader)
        return
      case TO_NODE.actorKill: {
        const [actor] = this.#mustHold([reader.id()])
        this.#handlers.actorKill(this, must(actor), bytes.u8() === 1)
        return
      }
      case TO_NODE.actorFind: {
        const question = bytes.varint()
        const parent = bytes.varint()
        const namespace = bytes.string(LIMITS.nameBytes)
        const name = bytes.string(LIMITS.nameBytes)
        this.#handlers.actorFind(this, question, parent === 0 ? undefined : parent - 1, { namespace, name })
        return
      }
      case TO_NODE.stateAsk:
        this.#stateAsk(reader)
        return
      default:
        this.#runRecord(kind, reader)
    }
  }

  #stateAsk(reader: FrameReader): void {
    if (this.number === 0) throw new ProtocolError('denied', 'a page asks by another way')
    const number = reader.reader.varint()
    const question = workerQuestion(this.#mustHoldInside(reader.value()))
    this.#openQuestions++
    if (this.#openQuestions <= MOST_STATE_QUESTIONS) this.#handlers.stateAsk(this, question, number)
    else this.sendNoState(number, newWireError('pending-calls-limit', TOO_MANY))
  }

  #runRecord(kind: number, reader: FrameReader): void {
    const bytes = reader.reader
    switch (kind) {
      case TO_NODE.done: {
        const run = bytes.varint()
        const cpuMicros = bytes.varint()
        if (bytes.u8() === 1) {
          this.#handlers.done(this, run, cpuMicros, wireError.read(bytes))
          return
        }
        const count = bytes.varint()
        if (count > LIMITS.taskArguments) throw new ProtocolError('too-large', `${count} results`)
        const values: EncodedValue[] = []
        for (let i = 0; i < count; i++) values.push(this.#mustHoldInside(reader.value()))
        this.#handlers.done(this, run, cpuMicros, values)
        return
      }
      case TO_NODE.blocked: {
        const [run, how] = [bytes.varint(), bytes.u8()]
        this.#handlers.blocked(this, run, how !== 0, how === 2)
        return
      }
      case TO_NODE.yielded: {
        const [run, index] = [bytes.varint(), bytes.varint()]
        if (index >= MOST_ITEMS) throw new ProtocolError('too-large', `the item ${index} of a stream`)
        this.#handlers.yielded(this, run, index, this.#mustHoldInside(reader.value()))
        return
      }
      case TO_NODE.dropped:
        this.#handlers.dropped(this, bytes.varint())
        return
      case TO_NODE.actorEnded:
        this.#handlers.actorEnded(this)
        return
      case TO_NODE.log: {
        const run = bytes.varint()
        const level = LOG_LEVELS[bytes.u8()] ?? 'log'
        this.#handlers.log(this, run, level, bytes.string(LIMITS.logLineBytes))
        return
      }
      default:
        throw new ProtocolError('malformed', `unknown record ${kind}`)
    }
  }

  #submission(reader: FrameReader): Submission {
    const number = this.#newNumber(reader.reader.varint())
    const parent = reader.reader.varint()
    const dependencies = this.#mustHoldArguments(reader.dependencies())
    return {
      number,
      parentRun: parent === 0 ? undefined : parent - 1,
      dependencies,
      args: this.#mustHoldInside(reader.value()),
    }
  }

  /** Numbers count upwards in a submitter's own range: it cannot write over what another, or itself, has made. */
  #newNumber(number: number): number {
    if (Math.floor(number / SUBMITTER_SPAN) !== this.number || number <= this.#lastNumber)
      throw new ProtocolError('denied', `the number ${number} is not the submitter's to give`)
    this.#lastNumber = number
    return number
  }

  /** A worker runs strangers' code: it may ask for what it was given or made, and for nothing else. */
  #mustHold(ids: readonly ObjectId[]): readonly ObjectId[] {
    if (this.number !== 0)
      for (const id of ids)
        if (!this.#held.get(id.owner)?.has(id.number) && !(this.#weak.size > 0 && this.#weak.has(formatObjectId(id))))
          throw new ProtocolError('denied', 'a ref that was never given')
    return ids
  }

  #mustHoldInside(value: EncodedValue): EncodedValue {
    if (value.refs.length > 0) this.#mustHold(value.refs)
    return value
  }

  /** As refs do, groups of this tab come without its id. */
  #mustHoldGroup(definition: TemplateDefinition): TemplateDefinition {
    const { bundle } = definition
    if (bundle === undefined) return definition
    const { owner, number } = bundle.group
    const group = { owner: owner === THIS_NODE ? this.#self : owner, number }
    this.#mustHold([group])
    return { ...definition, bundle: { ...bundle, group } }
  }

  #mustHoldUses(definition: CodeDefinition): CodeDefinition {
    if (definition.type === 'inline' && definition.uses !== undefined) this.#mustHoldInside(definition.uses)
    return definition
  }

  #mustHoldArguments(dependencies: PlacedRef[]): PlacedRef[] {
    if (this.number !== 0) this.#mustHold(dependencies.map(({ id }) => id))
    return dependencies
  }

  #actorCall(reader: FrameReader): void {
    const bytes = reader.reader
    const [actor] = this.#mustHold([reader.id()])
    const method = bytes.string(LIMITS.nameBytes)
    const first = bytes.varint()
    const numReturns = bytes.varint()
    if (numReturns > LIMITS.taskArguments) throw new ProtocolError('too-large', `${numReturns} returns of a call`)
    const mode = bytes.varint()
    const number = this.#newNumber(first)
    const maxTaskRetries = bytes.f64()
    const count = bytes.varint()
    if (count > LIMITS.errorKinds) throw new ProtocolError('too-large', `${count} kinds of errors`)
    const retryExceptions: string[] = []
    for (let i = 0; i < count; i++) retryExceptions.push(bytes.string(LIMITS.nameBytes))
    const caller = bytes.varint()
    const order = bytes.varint()
    const group = bytes.varint()
    const parent = bytes.varint()
    const dependencies = this.#mustHoldArguments(reader.dependencies())
    const submission = {
      number,
      parentRun: parent === 0 ? undefined : parent - 1,
      dependencies,
      args: this.#mustHoldInside(reader.value()),
    }
    this.#handlers.actorCall(this, {
      actor: must(actor),
      method,
      numReturns,
      mode,
      maxTaskRetries,
      retryExceptions,
      caller,
      order,
      group,
      submission,
    })
  }
}
