// Long because each record that a submitter writes or reads has its method here, and nowhere else.
import { assert } from '@shoal/base'
import type { Clock } from '@shoal/base'
import {
  actorFacts,
  ALL_ARGUMENTS,
  decodeValue,
  FrameReader,
  FrameWriter,
  LIMITS,
  messageBytes,
  ShutdownError,
  SUBMITTER_SPAN,
  templateDefinition,
  THIS_NODE,
  TO_NODE,
  TO_SUBMITTER,
  ValueEncoder,
  wireError,
} from '@shoal/protocol'
import type {
  CodeDefinition,
  Frame,
  FramePort,
  ObjectId,
  EncodedValue,
  OutgoingValue,
  PlacedRef,
  SerializerRegistry,
  DecodeHooks,
} from '@shoal/protocol'
import { contentOf } from './actor-class.ts'
import type { HandleContent } from './actor-class.ts'
import { NO_FACTS } from './code.ts'
import type { Code } from './code.ts'
import { CodeTable } from './code-table.ts'
import { codesIn } from './codes-in.ts'
import { reviveError } from './error-revival.ts'
import { createHooks } from './hooks.ts'
import { homeOf, idOf, markOnce, ObjectRef } from './object-ref.ts'
import type { RefHome } from './object-ref.ts'
import type { ResolvedCallOptions, ResolvedOptions } from './options.ts'
import { ObjectRefGenerator, streamHomeOf } from './ref-generator.ts'
import type { CheckedQuestion } from './state/state-question.ts'
import type { StateResult } from './state/state-types.ts'
import { Streams } from './streams.ts'
import { Waits } from './waits.ts'
import type { GetOptions, WaitOptions } from './waits.ts'

/** Tells when a ref, or a generator of refs, was collected: a hint only, and a port, so that simulations replay. */
export interface RefFinalizer {
  register(ref: object, id: ObjectId): void
  unregister(ref: object): void
}

export interface CoreWorkerOptions {
  readonly port: FramePort
  /** Workers only: the port's writer, whose owner reads the port too and hands on what is for `answer`. */
  readonly frame?: FrameWriter
  readonly clock: Clock
  /** 0 for a page; the node gives every worker its own. */
  readonly submitter: number
  /** `collected` is called with the id of each ref that the collector took. */
  createFinalizer?(collected: (id: ObjectId) => void): RefFinalizer
  /** The classes that are registered where calls are made from now. */
  serializers?(): SerializerRegistry | undefined
  /** Workers only: the run that calls are made from, undefined outside of one. */
  currentRun?(): number | undefined
  /** Workers only: why calls of the present run fail: it was cancelled. */
  cancelled?(): Error | undefined
  /** Workers only: a run starts or stops waiting in get or wait. */
  onBlocked?(run: number, isBlocked: boolean): void
}

/** Whose calls keep their order: one handle in one core worker. */
export interface ActorCaller {
  readonly caller: number
  calls: number
  /** Those that are counted and have no outcome yet. */
  pending: number
}

interface Question<T> {
  resolve(answer: T): void
  reject(reason: Error): void
}

/**
 * The submitting side of a node's port, as Ray's core worker is the library inside each driver and worker: it numbers
 * tasks and objects, encodes values once, and waits for answers. It knows nothing of placement, other tabs or storage.
 * States: open -> closed (by `close`, which settles every wait with ShutdownError).
 */
export class CoreWorker implements RefHome {
  readonly frame: FrameWriter
  readonly encoder: ValueEncoder
  /** How refs, handles and classes inside values are revived here. */
  readonly decodeHooks: DecodeHooks
  readonly #options: CoreWorkerOptions
  readonly #finalizer: RefFinalizer | undefined
  readonly #waits: Waits
  readonly #streams: Streams
  /** What was used through here and is remembered. */
  readonly codes = new CodeTable()
  #nextNumber: number
  #released: ObjectId[] = []
  readonly #polls = new Map<number, () => void>()
  #lastPoll = 0
  /** What has to be told once it exists, of this tab's own. */
  readonly #outcomes = new Map<number, () => void>()
  readonly #questions = new Map<number, Question<HandleContent>>()
  readonly #stateQuestions = new Map<number, Question<StateResult<object>>>()
  #lastQuestion = 0
  readonly #weak = new WeakSet<ObjectRef>()
  #lastWait = 0
  #hasAdopted = false
  #closed: Error | undefined

  constructor(options: CoreWorkerOptions) {
    this.#options = options
    this.#nextNumber = options.submitter * SUBMITTER_SPAN + 1
    this.frame = options.frame ?? new FrameWriter(THIS_NODE, (frame) => options.port.post(frame))
    const hooks = createHooks(this)
    this.encoder = new ValueEncoder(hooks.encode)
    this.decodeHooks = hooks.decode
    this.#finalizer = options.createFinalizer?.((id) => {
      if (!this.#streams.collected(id)) this.#releaseId(id)
    })
    this.#waits = new Waits({
      clock: options.clock,
      ask: (kind, ids) => this.#ask(kind, ids),
      // Only a worker's slot depends on it.
      ...(options.onBlocked && {
        waiting: (isWaiting) => {
          if (!this.#closed) this.frame.begin(TO_NODE.waiting).u8(isWaiting ? 1 : 0)
        },
      }),
      poll: (callback) => this.#poll(callback),
      ...(options.currentRun && { currentRun: options.currentRun }),
      ...(options.onBlocked && { onBlocked: options.onBlocked }),
    })
    this.#streams = new Streams({
      frame: this.frame,
      waits: this.#waits,
      mustBeOpen: () => this.#mustBeOpen(),
      isClosed: () => this.#closed !== undefined,
      makeRef: (number) => this.#newRef(number),
      putNothing: () => this.put(undefined),
      release: (id) => this.#releaseId(id),
      register: (generator, id) => this.#finalizer?.register(generator, id),
      unregister: (generator) => this.#finalizer?.unregister(generator),
    })
    if (options.frame === undefined) options.port.onFrame((frame) => this.#onFrame(frame))
  }

  get serializers(): SerializerRegistry | undefined {
    return this.#options.serializers?.()
  }

  /** The number under which the node knows this code and these options. */
  template(code: Code, exportName: string, options: ResolvedOptions): number {
    this.#mustBeOpen()
    const codeNumber = this.codes.code(code, (number, told) => this.#tellCode(number, told))
    return this.codes.template(codeNumber, exportName, options, (template) => {
      const writer = this.frame.begin(TO_NODE.template)
      const retryExceptions = [...options.retryExceptions]
      templateDefinition.write(writer, { template, code: codeNumber, exportName, ...options, retryExceptions })
    })
  }

  /** Code that goes on in a value: the node that drives the job gives others leave to run it, and so has to have it. */
  know(code: Code): void {
    if (code.kind === 'ready' && code.refusal === undefined)
      this.codes.code(code, (number) => this.#tellCode(number, code))
  }

  /** The one that stands for all codes equal to this one. */
  canonicalCode(code: Code): Code {
    return this.codes.canonical(code)
  }

  /** Submits a task. One ref, none, or for any other number of returns an array of that many; of a generator its stream. */
  submit(template: number, numReturns: number, stream: number, args: readonly unknown[]): CallResult {
    this.#mustBeOpen()
    const { dependencies, value } = this.#arguments(args)
    const number = this.#reserve(Math.max(1, numReturns))
    const writer = this.frame.begin(TO_NODE.submit)
    writer.varint(template)
    writer.varint(number)
    writer.varint(this.#parent())
    this.frame.dependencies(dependencies)
    this.frame.value(value, false)
    return this.#result(number, numReturns, stream)
  }

  #result(number: number, numReturns: number, stream: number): CallResult {
    if (stream > 0) return this.#streams.open(number, stream)
    if (numReturns === 0) return undefined
    if (numReturns === 1) return this.#newRef(number)
    return Array.from({ length: numReturns }, (_, index) => this.#newRef(number + index))
  }

  /** @throws TypeError for a ref, as in Ray: wrap it in an array to store the ref itself. */
  put<T>(value: T): ObjectRef<T> {
    this.#mustBeOpen()
    if (ObjectRef.is(value))
      throw new TypeError('put() takes a value, not an ObjectRef; wrap it as [ref] to store the ref')
    const encoded = this.encoder.encodeForFrame(value, 'value')
    const number = this.#reserve(1)
    this.frame.begin(TO_NODE.put).varint(number)
    this.frame.value(encoded, false)
    return this.#newRef(number) as ObjectRef<T>
  }

  get(refs: readonly ObjectRef[], options: GetOptions): Promise<unknown[]> {
    this.#mustBeOpen()
    const ids = refs.map((ref) => this.#idOf(ref))
    const [id] = ids
    if (id !== undefined && ids.length === 1 && options.signal?.aborted !== true) {
      const value = this.#streams.takeValue(id)
      if (value !== undefined) return decoded(value, this.decodeHooks)
    }
    return this.#waits.get(ids, options)
  }

  /** The places of the refs that exist, at most `numReturns`. @throws RangeError when an object is there twice. */
  wait(refs: readonly (ObjectRef | ObjectRefGenerator)[], options: WaitOptions): Promise<number[]> {
    this.#mustBeOpen()
    const stamp = ++this.#lastWait
    let hasStreams = false
    const ids = refs.map((ref) => {
      if (ObjectRefGenerator.is(ref)) {
        hasStreams = true
        return this.#ownStreams(ref).readyId(ref)
      }
      if (!markOnce(ref, stamp)) throw repeated()
      return this.#idOf(ref)
    })
    // Two refs to one object exist only where one came inside a value.
    if (
      (this.#hasAdopted || hasStreams) &&
      new Set(ids.map(({ owner, number }) => `${owner}/${number}`)).size < ids.length
    )
      throw repeated()
    return this.#waits.wait(ids, options)
  }

  /** Cancels the task that makes the object, if it has no outcome yet: see `Api.cancel`. */
  cancel(ref: ObjectRef | ObjectRefGenerator, isForced: boolean, isRecursive: boolean): void {
    this.#mustBeOpen()
    const id = ObjectRefGenerator.is(ref) ? this.#ownStreams(ref).taskId(ref) : this.#idOf(ref)
    if (id === undefined) return
    const writer = this.frame.begin(TO_NODE.cancel)
    this.frame.id(id)
    writer.u8((isForced ? 1 : 0) + (isRecursive ? 2 : 0))
  }

  /** The run was cancelled: what it waits for rejects. From now on `cancelled` says that its calls fail. */
  cancelRun(run: number, reason: Error): void {
    this.#waits.cancel(run, reason)
  }

  createActor(template: number, args: readonly unknown[]): ObjectRef {
    this.#mustBeOpen()
    const { dependencies, value } = this.#arguments(args)
    const number = this.#reserve(1)
    const writer = this.frame.begin(TO_NODE.actorCreate)
    writer.varint(template)
    writer.varint(number)
    writer.varint(this.#parent())
    this.frame.dependencies(dependencies)
    this.frame.value(value, false)
    return this.#newRef(number)
  }

  /** A new submitter of actor calls: calls through one handle keep their order. */
  newActorCaller(): ActorCaller {
    return { caller: this.#reserve(1), calls: 0, pending: 0 }
  }

  callActor(
    actor: ObjectId,
    caller: ActorCaller,
    method: string,
    args: readonly unknown[],
    { numReturns, stream, maxTaskRetries, retryExceptions, group }: ResolvedCallOptions,
    isCounted: boolean,
  ): CallResult {
    this.#mustBeOpen()
    const { dependencies, value } = this.#arguments(args)
    const number = this.#reserve(Math.max(1, numReturns))
    const writer = this.frame.begin(TO_NODE.actorCall)
    this.frame.id(actor)
    writer.string(method)
    writer.varint(number)
    writer.varint(numReturns)
    writer.varint(stream)
    writer.f64(maxTaskRetries)
    writer.varint(retryExceptions.length)
    for (const name of retryExceptions) writer.string(name)
    writer.varint(caller.caller)
    writer.varint(++caller.calls)
    writer.varint(group)
    writer.varint(this.#parent())
    this.frame.dependencies(dependencies)
    this.frame.value(value, false)
    if (isCounted && numReturns > 0) {
      caller.pending++
      this.#whenKnown(number, () => caller.pending--)
    }
    return this.#result(number, numReturns, stream)
  }

  /** Ends an actor: at once, without the calls that wait. */
  killActor(actor: ObjectId, noRestart: boolean): void {
    this.#mustBeOpen()
    this.frame.begin(TO_NODE.actorKill)
    this.frame.id(actor)
    this.frame.writer.u8(noRestart ? 1 : 0)
  }

  /** The actor of that name, and what its handles know. @throws ActorNotFoundError */
  findActor(namespace: string, name: string): Promise<HandleContent> {
    this.#mustBeOpen()
    const question = ++this.#lastQuestion
    const writer = this.frame.begin(TO_NODE.actorFind)
    writer.varint(question)
    writer.varint(this.#parent())
    writer.string(namespace)
    writer.string(name)
    return new Promise((resolve, reject) => this.#questions.set(question, { resolve, reject }))
  }

  /** Asks what the room does, from a worker: its page has a way of its own. */
  askState(asked: CheckedQuestion): Promise<StateResult<object>> {
    this.#mustBeOpen()
    const value = this.encoder.encodeForFrame(asked, 'question')
    const question = ++this.#lastQuestion
    this.frame.begin(TO_NODE.stateAsk).varint(question)
    this.frame.value(value, false)
    return new Promise((resolve, reject) => this.#stateQuestions.set(question, { resolve, reject }))
  }

  /** An object of this tab's that its node is told how to make. */
  newObject(): ObjectRef {
    this.#mustBeOpen()
    return this.#newRef(this.#reserve(1))
  }

  /** A ref that keeps nothing alive: what it stands for may be gone when it is used. */
  weakRef(id: ObjectId): ObjectRef {
    const ref = new ObjectRef(this, id)
    this.#weak.add(ref)
    return ref
  }

  /** Gets and waits that are open, and what is remembered of objects: all 0 when every ref was released. */
  get holdings(): Waits['holdings'] {
    const { open, watched, ready } = this.#waits.holdings
    return { open: open + this.#streams.openCount, watched, ready }
  }

  /** The ref for an id that came inside a value; it counts as one reference. */
  adoptRef(id: ObjectId): ObjectRef {
    this.#hasAdopted = true
    return this.#makeRef(id)
  }

  /** One more reference to an object, which is to outlive this page: see `Session.keep`. Ended by `dropId`. */
  keepId(id: ObjectId): void {
    this.#mustBeOpen()
    this.frame.begin(TO_NODE.keep)
    this.frame.ids([id])
  }

  /** Ends a reference that is no ref's. */
  dropId(id: ObjectId): void {
    this.#releaseId(id)
  }

  /** What a ref of this page stands for. @throws TypeError for another session's, ObjectFreedError after its release. */
  idOf(ref: ObjectRef): ObjectId {
    return this.#idOf(ref)
  }

  /** A value that came here and is never decoded: the references that came with it end. */
  discard(value: EncodedValue): void {
    for (const id of value.refs) this.#releaseId(id)
  }

  release(id: ObjectId, ref: ObjectRef): void {
    if (this.#weak.has(ref)) return
    // The collector must not release it once more: the count may be somebody else's by then.
    this.#finalizer?.unregister(ref)
    this.#releaseId(id)
  }

  /** Rejects every wait with `reason` and refuses further calls. */
  close(reason: Error = new ShutdownError('shutdown', 'this session was shut down')): void {
    if (this.#closed) return
    this.#closed = reason
    this.#waits.close(reason)
    this.#streams.close()
    for (const questions of [this.#questions, this.#stateQuestions]) {
      for (const { reject } of questions.values()) reject(reason)
      questions.clear()
    }
    this.#options.port.close()
  }

  #mustBeOpen(): void {
    const reason = this.#closed ?? this.#options.cancelled?.()
    if (reason) throw reason
  }

  #reserve(count: number): number {
    const number = this.#nextNumber
    this.#nextNumber += count
    return number
  }

  #newRef(number: number): ObjectRef {
    return this.#makeRef({ owner: THIS_NODE, number })
  }

  #makeRef(id: ObjectId): ObjectRef {
    const ref = new ObjectRef(this, id)
    this.#finalizer?.register(ref, id)
    return ref
  }

  #parent(): number {
    const run = this.#options.currentRun?.()
    return run === undefined ? 0 : run + 1
  }

  #idOf(ref: ObjectRef): ObjectId {
    const home = homeOf(ref)
    if (home !== this) throw new TypeError(`${ref.id} belongs to another session`)
    return idOf(ref)
  }

  #ownStreams(generator: ObjectRefGenerator): Streams {
    if (streamHomeOf(generator) !== this.#streams) throw new TypeError('the stream belongs to another session')
    return this.#streams
  }

  #arguments(args: readonly unknown[]): { dependencies: PlacedRef[]; value: OutgoingValue } {
    let dependencies: PlacedRef[] = NO_DEPENDENCIES
    let plain = args
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]
      if (!ObjectRef.is(arg)) continue
      if (plain === args) {
        plain = [...args]
        dependencies = []
      }
      ;(plain as unknown[])[i] = undefined
      dependencies.push({ place: i, id: this.#idOf(arg) })
    }
    mustFit(dependencies.length)
    const value = this.encoder.encodeForFrame(plain, 'arguments')
    if (messageBytes(value) <= LIMITS.inlineValueBytes) return { dependencies, value }
    mustFit(dependencies.length + 1)
    return { dependencies: [...dependencies, this.#store(value)], value: this.encoder.encode([], 'arguments') }
  }

  /** Large arguments become an object, as in Ray: it lives as long as the call that is about to be made needs it. */
  #store(args: OutgoingValue): PlacedRef {
    const id = { owner: THIS_NODE, number: this.#reserve(1) }
    this.frame.begin(TO_NODE.put).varint(id.number)
    this.frame.value(args, false)
    // Behind the call, which by then counts a reference of its own.
    this.#releaseId(id)
    return { place: ALL_ARGUMENTS, id }
  }

  #tellCode(number: number, code: Code): void {
    if (code.kind === 'ready') {
      for (const inner of codesIn(code.held)) this.know(inner)
      this.#sendCode(number, code.callSite, code.definition, code.facts)
      return
    }
    code.load().then(
      (definition) => this.#sendCode(number, code.callSite ?? '', definition, code.facts),
      (error: unknown) =>
        this.#sendCode(number, `could not be loaded: ${String(error)}`, {
          type: 'module',
          name: code.name,
          source: '',
        }),
    )
  }

  #sendCode(number: number, callSite: string, definition: CodeDefinition, facts = NO_FACTS): void {
    if (this.#closed) return
    const writer = this.frame.begin(TO_NODE.code)
    writer.varint(number)
    writer.string(callSite)
    writer.bytes(facts)
    this.frame.definition(definition)
  }

  #ask(kind: 'want' | 'watch' | 'unwant', ids: readonly ObjectId[]): void {
    if (this.#closed) return
    const objects = kind === 'watch' ? ids.filter((id) => !this.#streams.watch(id)) : ids
    if (objects.length > 0) this.#writeIds(TO_NODE[kind], objects)
  }

  /** More ids than one record may name go as several. */
  #writeIds(kind: number, ids: readonly ObjectId[]): void {
    for (let at = 0; at < ids.length; at += LIMITS.valueReferences) {
      this.frame.begin(kind)
      this.frame.ids(ids.length <= LIMITS.valueReferences ? ids : ids.slice(at, at + LIMITS.valueReferences))
    }
  }

  #whenKnown(number: number, callback: () => void): void {
    this.#outcomes.set(number, callback)
    this.#ask('watch', [{ owner: THIS_NODE, number }])
  }

  #onReady(ids: readonly ObjectId[]): void {
    if (this.#outcomes.size > 0)
      for (const { owner, number } of ids) {
        if (owner !== THIS_NODE) continue
        this.#outcomes.get(number)?.()
        this.#outcomes.delete(number)
      }
    this.#waits.onReady(ids)
  }

  #onActorFound(reader: FrameReader): void {
    const number = reader.reader.varint()
    const question = this.#questions.get(number)
    this.#questions.delete(number)
    if (reader.kind() === 0) {
      const id = reader.id()
      question?.resolve(contentOf(this.weakRef(id), actorFacts.read(reader.reader)))
    } else question?.reject(reviveError(wireError.read(reader.reader), this.decodeHooks))
  }

  #onStateRows(reader: FrameReader): void {
    const number = reader.reader.varint()
    const question = this.#stateQuestions.get(number)
    this.#stateQuestions.delete(number)
    if (reader.kind() === 0) question?.resolve(decodeValue(reader.value(), this.decodeHooks) as StateResult<object>)
    else question?.reject(reviveError(wireError.read(reader.reader), this.decodeHooks))
  }

  #poll(callback: () => void): void {
    const number = ++this.#lastPoll
    this.#polls.set(number, callback)
    this.frame.begin(TO_NODE.poll).varint(number)
  }

  #onPolled(number: number): void {
    const callback = this.#polls.get(number)
    this.#polls.delete(number)
    callback?.()
  }

  #releaseId(id: ObjectId): void {
    if (this.#closed) return
    this.#waits.forget(id)
    this.#streams.takeValue(id)
    if (this.#released.length === 0)
      queueMicrotask(() => {
        const ids = this.#released
        this.#released = []
        if (this.#closed) return
        this.#writeIds(TO_NODE.release, ids)
      })
    this.#released.push(id)
  }

  #onFrame(frame: Frame): void {
    if (this.#closed) return
    const reader = new FrameReader(THIS_NODE, frame)
    while (!reader.isDone) this.answer(reader.kind(), reader)
  }

  /** Reads one record that answers what was asked here. */
  answer(kind: number, reader: FrameReader): void {
    if (kind === TO_SUBMITTER.value) this.#onValue(reader)
    else if (kind === TO_SUBMITTER.ready) this.#onReady(reader.ids())
    else if (kind === TO_SUBMITTER.streamItem) this.#streams.onItem(reader)
    else if (kind === TO_SUBMITTER.streamEnd) this.#streams.onEnd(reader)
    else if (kind === TO_SUBMITTER.actorFound) this.#onActorFound(reader)
    else if (kind === TO_SUBMITTER.stateRows) this.#onStateRows(reader)
    else {
      assert(kind === TO_SUBMITTER.polled, `record ${kind} is not for this submitter`)
      this.#onPolled(reader.reader.varint())
    }
  }

  #onValue(reader: FrameReader): void {
    const id = reader.id()
    if (reader.kind() === 0) {
      const encoded = reader.value()
      const isWanted = this.#waits.onValue(id, () => decodeValue(encoded, this.decodeHooks))
      // It came with one reference to each ref inside, and nobody is left to take them.
      if (!isWanted) this.discard(encoded)
    } else {
      const error = wireError.read(reader.reader)
      this.#waits.onError(id, reviveError(error, this.decodeHooks))
    }
  }
}

type CallResult = ObjectRef | ObjectRef[] | ObjectRefGenerator | undefined

function decoded(value: EncodedValue, hooks: DecodeHooks): Promise<unknown[]> {
  try {
    return Promise.resolve([decodeValue(value, hooks)])
  } catch (error) {
    return Promise.reject(error as Error)
  }
}

function repeated(): RangeError {
  return new RangeError('wait() takes each ref once')
}

const NO_DEPENDENCIES: PlacedRef[] = []

function mustFit(refs: number): void {
  if (refs > LIMITS.taskArguments)
    throw new RangeError(`${refs} arguments are refs; at most ${LIMITS.taskArguments} can be. Pass them as one array.`)
}
