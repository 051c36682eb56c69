// Long because a run has one table of states, and every record that moves it is read or written beside them.
import { must, Queue } from '@shoal/base'
import type { Clock } from '@shoal/base'
import type { RefFinalizer } from '@shoal/core-worker'
import {
  ALL_ARGUMENTS,
  FrameReader,
  FrameWriter,
  functionHash,
  LIMITS,
  LOG_LEVELS,
  PlainDecoder,
  PlainEncoder,
  runTemplate,
  THIS_NODE,
  TO_NODE,
  TO_SUBMITTER,
} from '@shoal/protocol'
import type {
  ByteWriter,
  CodeDefinition,
  EncodedValue,
  Frame,
  FramePort,
  FunctionHash,
  NodeId,
  ObjectId,
  OutgoingValue,
  RunTemplate,
  SerializerRegistry,
} from '@shoal/protocol'
import { formatConsole } from './format-console.ts'
import { loadInline } from './loaded-code.ts'
import type { Evaluate, LoadedCode } from './loaded-code.ts'
import type { LoadGpu } from './lazy-gpu.ts'
import type { CreateSecondStage, SecondStage } from './second-stage.ts'
import { cleanStack, linesBeforeText } from './user-stack.ts'

export interface RunnerOptions {
  readonly port: FramePort
  readonly clock: Clock
  /** The node's number for this worker as a submitter. */
  readonly submitter: number
  readonly nodeId: NodeId
  readonly workerId: number
  readonly evaluate: Evaluate
  /**
   * Asked once, when the first task does more than compute on plain values. No promise: user code has run by then, and
   * what it may have put in the place of `then` would be handed the port.
   */
  loadSecondStage(loaded: (create: CreateSecondStage) => void): void
  /** Asked by the first call of `gpu`, and again after it was not to be had. */
  readonly loadGpu: LoadGpu
  createFinalizer?(collected: (id: ObjectId) => void): RefFinalizer
  /** Calls back in a later turn of the event loop, after messages that are waiting. */
  soon(callback: () => void): void
  /** Whether it is said in shared memory that the run was cancelled; the record of it follows. */
  isToldInMemory?(run: number): boolean
  /** A run starts: where randomness is seeded from the task's id. */
  onRunStart?(task: ObjectId): void
}

type RunKind = 'task' | 'actor-new' | 'actor-call'

/** One run, as its code may ask for it. */
export interface Run {
  readonly run: number
  readonly kind: RunKind
  readonly template: RunTemplate
  readonly method: string
  readonly task: ObjectId
  readonly attempt: number
  readonly dependencies: readonly { readonly place: number; readonly value: EncodedValue }[]
  readonly args: EncodedValue
  isCancelled: boolean
}

/** Code as it arrived; evaluated when it is first run. */
interface Code {
  readonly hash: FunctionHash
  readonly definition: CodeDefinition
  loaded?: LoadedCode | Error
}

/** The longest that finished results wait for their frame while more tasks run. */
const TURN_MS = 4

/** Thrown where the second stage is needed and not there, always before user code has run; never leaves the runner. */
const NEEDS_SECOND_STAGE = Symbol('second stage')

/** How long an actor has to end itself in good order. */
const END_WITHIN_MS = 30_000

/**
 * Runs tasks, or the one actor that it hosts, one at a time in the order in which they came; an actor's calls so many at a
 * time as it allows. A task that waits in `get` keeps the worker and gives back what is queued behind it; actor calls stay
 * queued, since their order is theirs. It knows nothing of threads or browsers: the port, the clock and eval are given to
 * it. A run that needs the second stage holds the worker until that is there; from then on it stays.
 * States: idle -> running -> (waiting -> running)* -> idle. An actor's: -> ending (told to, once its calls have run; or by
 * itself, at once) -> ended.
 */
export class Runner {
  readonly #options: RunnerOptions
  readonly #frame: FrameWriter
  readonly #codes = new Map<number, Code>()
  readonly #templates = new Map<number, RunTemplate>()
  readonly #queue = new Queue<Run>()
  #second: SecondStage | undefined
  #encoder = new PlainEncoder()
  /** Those that have begun, the newest last. */
  readonly #running = new Set<Run>()
  /** Whose code runs now, or was the last to begin. */
  #current: Run | undefined
  #isWaiting = false
  #actor: object | undefined
  /** Runs at a time. */
  #limit = 1
  /** What the actor was made with. */
  #birth: Run | undefined
  /** asked: once its calls have run; now: by itself; hook: it ends itself in good order. */
  #ending: 'asked' | 'now' | 'hook' | 'ended' | undefined
  /** Those of the code that runs. */
  #serializers: SerializerRegistry | undefined
  readonly #linesBefore: number
  #turnStartedAt = 0
  #isFlushScheduled = false
  #isPumpScheduled = false
  #isClosed = false

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#linesBefore = linesBeforeText(options.evaluate)
    this.#frame = new FrameWriter(THIS_NODE, (frame) => options.port.post(frame))
    options.port.onFrame((frame) => this.#onFrame(frame))
  }

  /** A console call of user code, told to the node with the task that made it; false outside of any. */
  log(level: (typeof LOG_LEVELS)[number], args: readonly unknown[]): boolean {
    const run = this.#current
    if (run === undefined) return false
    const text = formatConsole(args, (stack) => cleanStack(stack, this.#linesBefore))
    const writer = this.#frame.begin(TO_NODE.log)
    writer.varint(run.run)
    writer.u8(LOG_LEVELS.indexOf(level))
    writer.string(text.slice(0, LIMITS.logLineBytes / 4))
    return true
  }

  /** Nothing is read or said any more. */
  close(): void {
    this.#isClosed = true
    this.#second?.close()
    this.#options.port.close()
  }

  #onFrame(frame: Frame): void {
    if (this.#isClosed) return
    const reader = new FrameReader(THIS_NODE, frame)
    while (!reader.isDone) this.#onRecord(reader.kind(), reader)
  }

  #onRecord(kind: number, reader: FrameReader): void {
    switch (kind) {
      case TO_SUBMITTER.code: {
        const number = reader.reader.varint()
        const hash = functionHash.read(reader.reader)
        this.#codes.set(number, { hash, definition: reader.definition() })
        return
      }
      case TO_SUBMITTER.template: {
        const template = runTemplate.read(reader.reader)
        this.#templates.set(template.template, template)
        return
      }
      case TO_SUBMITTER.run:
        this.#onRun('task', reader)
        return
      case TO_SUBMITTER.actorNew:
        this.#onRun('actor-new', reader)
        return
      case TO_SUBMITTER.actorRun:
        this.#onRun('actor-call', reader)
        return
      case TO_SUBMITTER.cancel:
        this.#cancel(reader.reader.varint())
        return
      case TO_SUBMITTER.actorEnd:
        this.#ending ??= 'asked'
        this.#endIfIdle()
        return
      default:
        must(this.#second, `unknown record ${kind}`).answer(kind, reader)
    }
  }

  /** Calls back once the second stage is there. A run waits for it and keeps its place; frames are read as ever. */
  #needSecondStage(then: () => void): void {
    this.#options.loadSecondStage((create) => {
      if (this.#isClosed) return
      this.#second ??= this.#makeSecondStage(create)
      this.#turnStartedAt = this.#options.clock.now()
      then()
    })
  }

  #makeSecondStage(create: CreateSecondStage): SecondStage {
    const { port, clock, submitter, nodeId, workerId, evaluate, createFinalizer, loadGpu } = this.#options
    const second = create({
      port,
      frame: this.#frame,
      clock,
      submitter,
      evaluate,
      linesBefore: this.#linesBefore,
      ...(createFinalizer && { createFinalizer }),
      nodeId,
      workerId,
      current: () => this.#current,
      birth: () => this.#birth,
      actorClass: () => this.#actor?.constructor as (new (...args: never[]) => object) | undefined,
      exit: () => this.#exit(),
      isCancelled: (run) => this.#isCancelled(run),
      serializers: () => this.#serializers,
      withSerializers: (serializers, body) => this.#withSerializers(serializers, body),
      currentRun: () => this.#current?.run,
      onBlocked: (run, isBlocked, isAhead) => this.#onBlocked(run, isBlocked, isAhead),
      soon: (callback) => this.#options.soon(callback),
      loadGpu,
    })
    this.#encoder = second.encoder
    return second
  }

  #withSerializers<T>(serializers: SerializerRegistry, body: () => T): T {
    const before = this.#serializers
    this.#serializers = serializers
    try {
      return body()
    } finally {
      this.#serializers = before
    }
  }

  #onRun(kind: RunKind, reader: FrameReader): void {
    const bytes = reader.reader
    const run = bytes.varint()
    const template = must(this.#templates.get(bytes.varint()), 'a run of a template that was never sent')
    const method = kind === 'actor-call' ? bytes.string() : ''
    const task = reader.id()
    const epoch = bytes.varint()
    const attempt = epoch + bytes.varint()
    const dependencies: { place: number; value: EncodedValue }[] = []
    for (let left = bytes.varint(); left > 0; left--)
      dependencies.push({ place: bytes.varint(), value: reader.value() })
    const args = reader.value()
    this.#queue.push({ run, kind, template, method, task, attempt, dependencies, args, isCancelled: false })
    if (this.#isWaiting && kind === 'task') this.#giveBackQueued()
    else if (this.#hasRoom && !this.#isPumpScheduled) {
      this.#isPumpScheduled = true
      queueMicrotask(() => this.#pump())
    }
  }

  /** Runs what is queued until something has to be waited for or the turn's time is used up. */
  #pump(): void {
    const { clock } = this.#options
    this.#isPumpScheduled = false
    this.#turnStartedAt = clock.now()
    while (this.#hasRoom) {
      const run = this.#queue.shift()
      if (run === undefined) break
      this.#start(run)
      if (clock.now() - this.#turnStartedAt >= TURN_MS && this.#queue.length > 0) {
        this.#frame.flush()
        this.#options.soon(() => this.#pump())
        return
      }
    }
    if (this.#running.size === 0) this.#frame.flush()
    else this.#flushSoon()
    this.#endIfIdle()
  }

  get #hasRoom(): boolean {
    return this.#running.size < this.#limit && (this.#ending === undefined || this.#ending === 'asked')
  }

  /** The actor ends by itself: nothing of it is told any more but that. */
  #exit(): void {
    if (this.#ending === undefined || this.#ending === 'asked') this.#ending = 'now'
  }

  #endIfIdle(): void {
    if (this.#ending !== 'asked' || this.#running.size > 0 || this.#queue.length > 0) return
    this.#endActor()
  }

  /** Lets the actor end itself in good order, and tells the node that it has. */
  #endActor(): void {
    this.#ending = 'hook'
    const ended = (): void => {
      if (this.#ending === 'ended') return
      this.#ending = 'ended'
      timer.cancel()
      this.#frame.begin(TO_NODE.actorEnded)
      this.#frame.flush()
    }
    const timer = this.#options.clock.after(END_WITHIN_MS, ended)
    try {
      const actor = this.#actor as Partial<AsyncDisposable & Disposable> | undefined
      const hook = actor?.[Symbol.asyncDispose] ?? actor?.[Symbol.dispose]
      Promise.resolve(hook?.call(actor)).then(ended, ended)
    } catch {
      ended()
    }
  }

  #start(run: Run): void {
    // While it waited for the second stage.
    if (run.isCancelled) {
      this.#over(run)
      this.#dropped(run)
      return
    }
    this.#current = run
    this.#running.add(run)
    const startedAt = this.#options.clock.now()
    let result: unknown
    try {
      const call = this.#prepare(run)
      result = call()
    } catch (thrown) {
      if (thrown !== NEEDS_SECOND_STAGE) this.#finish(run, startedAt, true, thrown)
      else
        this.#needSecondStage(() => {
          this.#start(run)
          this.#continue()
        })
      return
    }
    if (!isThenable(result)) {
      this.#finish(run, startedAt, false, result)
      return
    }
    Promise.resolve(result).then(
      (value) => this.#finishLater(run, startedAt, false, value),
      (thrown: unknown) => this.#finishLater(run, startedAt, true, thrown),
    )
  }

  /** The call that the run is, with its arguments as values. */
  #prepare(run: Run): () => unknown {
    if (run.template.stream === 0 || run.kind === 'actor-new') return this.#prepareCall(run)
    if (this.#second === undefined) return needSecondStage()
    const { stream } = this.#second
    const call = this.#prepareCall(run)
    return () => stream(run, call)
  }

  #prepareCall(run: Run): () => unknown {
    const code = run.kind === 'actor-call' ? undefined : this.#load(run.template.code)
    if (code !== undefined) this.#serializers = code.serializers
    this.#options.onRunStart?.(run.task)
    const all = run.dependencies.find(({ place }) => place === ALL_ARGUMENTS)
    const args = this.#decode(all?.value ?? run.args) as unknown[]
    for (const { place, value } of run.dependencies) if (place !== ALL_ARGUMENTS) args[place] = this.#decode(value)
    const { exportName, name } = run.template
    if (code === undefined) {
      const actor = must(this.#actor, 'an actor call without an actor') as Record<string, unknown>
      if (run.method.startsWith('#')) {
        const { state } = this.#second ?? needSecondStage()
        return () => state(actor, run.method, args[0])
      }
      const method = actor[run.method]
      if (typeof method !== 'function') throw new TypeError(`${name} has no method ${run.method}`)
      return () => Reflect.apply(method, actor, args) as unknown
    }
    if (run.kind === 'task') {
      const task = code.task(exportName)
      return () => task(...args)
    }
    const ActorClass = code.actorClass(exportName)
    this.#birth = run
    return () => {
      this.#actor = new ActorClass(...args)
      this.#limit = run.template.actor?.maxConcurrency ?? 1
    }
  }

  #decode(value: EncodedValue): unknown {
    if (this.#second !== undefined) return this.#second.decode(value)
    if (value.refs.length > 0) return needSecondStage()
    try {
      return new PlainDecoder(value).value()
    } catch {
      // Of another kind, or damaged: the second stage will tell.
      return needSecondStage()
    }
  }

  #load(number: number): LoadedCode {
    const code = must(this.#codes.get(number), 'a run of code that was never sent')
    code.loaded ??= this.#evaluate(code)
    if (code.loaded instanceof Error) throw code.loaded
    return code.loaded
  }

  #evaluate({ hash, definition }: Code): LoadedCode | Error {
    const isPlain = definition.type === 'inline' && definition.uses === undefined
    if (!isPlain && this.#second === undefined) return needSecondStage()
    try {
      if (isPlain) return loadInline(definition, this.#options.evaluate)
      return must(this.#second).load(hash, definition)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** False when it has to wait for the second stage, without which no error can be told. */
  #finish(run: Run, startedAt: number, isThrown: boolean, result: unknown): boolean {
    const { clock } = this.#options
    if (this.#ending !== undefined && this.#ending !== 'asked') {
      if (this.#ending === 'now') this.#endActor()
      return false
    }
    const outcome = this.#outcome(run, isThrown, result)
    if (outcome === undefined) {
      const askedAt = clock.now()
      this.#needSecondStage(() => this.#finishLater(run, startedAt + clock.now() - askedAt, isThrown, result))
      return false
    }
    const elapsedMs = clock.now() - startedAt
    const writer = this.#frame.begin(TO_NODE.done, true)
    writer.varint(run.run)
    writer.varint(Math.max(0, Math.round(elapsedMs * 1000)))
    if (typeof outcome === 'function') {
      writer.u8(1)
      outcome(writer)
    } else {
      writer.u8(0)
      writer.varint(outcome.length)
      for (const value of outcome) this.#frame.value(value, false)
    }
    this.#over(run)
    this.#second?.ended(run.run)
    this.#isWaiting = false
    return true
  }

  #over(run: Run): void {
    this.#running.delete(run)
    if (this.#current === run) this.#current = [...this.#running].pop()
  }

  #finishLater(run: Run, startedAt: number, isThrown: boolean, result: unknown): void {
    if (!this.#finish(run, startedAt, isThrown, result)) return
    if (this.#options.clock.now() - this.#turnStartedAt >= TURN_MS) {
      this.#frame.flush()
      this.#options.soon(() => this.#pump())
    } else this.#continue()
  }

  #continue(): void {
    while (this.#hasRoom) {
      const run = this.#queue.shift()
      if (run === undefined) {
        this.#frame.flush()
        this.#endIfIdle()
        return
      }
      this.#start(run)
    }
    this.#flushSoon()
  }

  /** Values, or what writes an error; undefined when that takes the second stage. */
  #outcome(run: Run, isThrown: boolean, result: unknown): OutgoingValue[] | ((writer: ByteWriter) => void) | undefined {
    const { name } = run.template
    const taskName = run.method === '' ? name : `${name}.${run.method}`
    try {
      if (!isThrown) return this.#values(run, result)
    } catch (thrown) {
      return this.#second?.failure(thrown, taskName, run.task)
    }
    return this.#second?.failure(result, taskName, run.task)
  }

  #values(run: Run, result: unknown): OutgoingValue[] {
    const { numReturns, name } = run.template
    if (run.kind === 'actor-new' || numReturns === 0) return []
    if (numReturns === 1) return [this.#encoder.encodeForFrame(result, 'result')]
    if (!Array.isArray(result) || result.length !== numReturns)
      throw new RangeError(`${name} has numReturns ${numReturns} and must return an array of that many`)
    return result.map((item, index) => this.#encoder.encodeForFrame(item, `result[${index}]`))
  }

  #onBlocked(run: number, isBlocked: boolean, isAhead = false): void {
    if (this.#current?.run !== run) return
    this.#isWaiting = isBlocked
    const writer = this.#frame.begin(TO_NODE.blocked)
    writer.varint(run)
    writer.u8(isBlocked ? (isAhead ? 2 : 1) : 0)
    if (isBlocked) this.#giveBackQueued()
  }

  /** Tasks behind one that waits would wait with it, perhaps for each other: others shall run them. */
  #giveBackQueued(): void {
    const kept: Run[] = []
    for (let run = this.#queue.shift(); run !== undefined; run = this.#queue.shift()) {
      if (run.kind === 'task') this.#dropped(run)
      else kept.push(run)
    }
    for (const run of kept) this.#queue.push(run)
  }

  /** What has not started is given back; what has ended is over. */
  #cancel(number: number): void {
    const run = [...this.#running].find((entry) => entry.run === number)
    if (run === undefined) {
      this.#drop(number)
      return
    }
    run.isCancelled = true
    this.#second?.cancel(run.run, run.template.name, run.task)
  }

  /** Asked while its code runs, which may not have come to an await since. */
  #isCancelled(run: Run): boolean {
    if (!run.isCancelled && this.#options.isToldInMemory?.(run.run) === true) this.#cancel(run.run)
    return run.isCancelled
  }

  #drop(run: number): void {
    const queued = [...this.#queue]
    const dropped = queued.find((entry) => entry.run === run)
    if (dropped === undefined) return
    this.#queue.clear()
    for (const entry of queued) if (entry !== dropped) this.#queue.push(entry)
    this.#dropped(dropped)
  }

  /** Whoever runs it is given its refs anew. */
  #dropped(run: Run): void {
    this.#frame.begin(TO_NODE.dropped).varint(run.run)
    for (const { refs } of [run.args, ...run.dependencies.map(({ value }) => value)])
      if (refs.length > 0) {
        this.#frame.begin(TO_NODE.release)
        this.#frame.ids(refs)
      }
  }

  /** Results wait for the frame of those that follow, but not for a task that takes its time. */
  #flushSoon(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    this.#options.soon(() => {
      this.#isFlushScheduled = false
      this.#frame.flush()
    })
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function needSecondStage(): never {
  throw NEEDS_SECOND_STAGE
}
