// Long because a run has one table of states, and every record that moves it is read or written beside them.
import { must, Queue } from '@shoal/base'
import type { Clock } from '@shoal/base'
import { captureThrown, CoreWorker, createApi } from '@shoal/core-worker'
import type { Api, ModuleScope, RefFinalizer } from '@shoal/core-worker'
import {
  ALL_ARGUMENTS,
  decodeValue,
  formatJobId,
  formatObjectId,
  functionHash,
  LIMITS,
  LOG_LEVELS,
  runTemplate,
  SerializerRegistry,
  TO_NODE,
  TO_SUBMITTER,
  wireError,
} from '@shoal/protocol'
import type {
  EncodedValue,
  FramePort,
  FrameReader,
  NodeId,
  ObjectId,
  OutgoingValue,
  RunTemplate,
  WireError,
} from '@shoal/protocol'
import { formatConsole } from './format-console.ts'
import { loadCode } from './loaded-code.ts'
import type { Evaluate, LoadedCode } from './loaded-code.ts'
import { createStackCleaner } from './user-stack.ts'
import type { StackCleaner } from './user-stack.ts'

export interface RunnerOptions {
  readonly port: FramePort
  readonly clock: Clock
  /** The node's number for this worker as a submitter. */
  readonly submitter: number
  readonly nodeId: NodeId
  readonly workerId: number
  readonly evaluate: Evaluate
  /** What remote modules import as '@shoal/sdk', beside the API itself: errors, classes. */
  readonly sdkExports: Readonly<Record<string, unknown>>
  createFinalizer?(collected: (id: ObjectId) => void): RefFinalizer
  /** Calls back in a later turn of the event loop, after messages that are waiting. */
  soon(callback: () => void): void
  /** A run starts: where randomness is seeded from the task's id. */
  onRunStart?(task: ObjectId): void
}

type RunKind = 'task' | 'actor-new' | 'actor-call'

interface Run {
  readonly run: number
  readonly kind: RunKind
  readonly template: RunTemplate
  readonly method: string
  readonly task: ObjectId
  readonly attempt: number
  readonly dependencies: readonly { readonly place: number; readonly value: EncodedValue }[]
  readonly args: EncodedValue
}

/** The longest that finished results wait for their frame while more tasks run. */
const TURN_MS = 4

/**
 * Runs tasks, or the one actor that a worker hosts, one at a time in the order in which they came. A task that waits in
 * `get` keeps the worker and gives back what is queued behind it; actor calls stay queued, since their order is theirs.
 * It knows nothing of threads or browsers: the port, the clock and eval are given to it.
 * States: idle -> running -> (waiting -> running)* -> idle.
 */
export class Runner {
  readonly api: Api
  readonly core: CoreWorker
  readonly #options: RunnerOptions
  readonly #codes = new Map<number, LoadedCode | Error>()
  readonly #templates = new Map<number, RunTemplate>()
  readonly #queue = new Queue<Run>()
  #current: Run | undefined
  #isWaiting = false
  #actor: object | undefined
  #moduleScope: ModuleScope | undefined
  /** Those of the code that runs. */
  #serializers = new SerializerRegistry()
  readonly #stacks: StackCleaner
  #turnStartedAt = 0
  #isFlushScheduled = false
  #isPumpScheduled = false

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#stacks = createStackCleaner(options.evaluate)
    this.core = new CoreWorker({
      port: options.port,
      clock: options.clock,
      submitter: options.submitter,
      ...(options.createFinalizer && { createFinalizer: options.createFinalizer }),
      serializers: () => this.#serializers,
      onRunRecord: (kind, reader) => this.#onRecord(kind, reader),
      currentRun: () => this.#current?.run,
      onBlocked: (run, isBlocked) => this.#onBlocked(run, isBlocked),
    })
    this.api = createApi({
      core: () => this.core,
      moduleScope: () => this.#moduleScope,
      context: () => ({
        nodeId: options.nodeId,
        workerId: options.workerId,
        jobId: this.#current === undefined ? '' : formatJobId(this.#current.template.job),
        taskId: this.#current === undefined ? undefined : formatObjectId(this.#current.task),
        taskName: this.#current?.template.name,
        attempt: this.#current?.attempt ?? 0,
      }),
    })
  }

  /** A console call of user code, told to the node with the task that made it; false outside of any. */
  log(level: (typeof LOG_LEVELS)[number], args: readonly unknown[]): boolean {
    const run = this.#current
    if (run === undefined) return false
    const writer = this.core.frame.begin(TO_NODE.log)
    writer.varint(run.run)
    writer.u8(LOG_LEVELS.indexOf(level))
    writer.string(formatConsole(args, this.#stacks.text).slice(0, LIMITS.logLineBytes / 4))
    return true
  }

  #onRecord(kind: number, reader: FrameReader): void {
    switch (kind) {
      case TO_SUBMITTER.code:
        this.#onCode(reader)
        return
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
      case TO_SUBMITTER.drop:
        this.#drop(reader.reader.varint())
        return
      default:
        throw new RangeError(`unknown record ${kind}`)
    }
  }

  #onCode(reader: FrameReader): void {
    const number = reader.reader.varint()
    const hash = functionHash.read(reader.reader)
    const definition = reader.definition()
    const decode = this.core.decodeHooks
    try {
      this.#codes.set(
        number,
        loadCode(hash, definition, {
          evaluate: this.#options.evaluate,
          api: this.api,
          sdkModule: (serializers) => this.#sdkModule(serializers),
          decodeUses: (inline) => decodeValue(must(inline.uses), decode) as Record<string, unknown>,
          withModule: (scope, serializers, evaluate) => this.#withModule(scope, serializers, evaluate),
        }),
      )
    } catch (error) {
      this.#codes.set(number, error instanceof Error ? error : new Error(String(error)))
    }
  }

  #sdkModule(serializers: SerializerRegistry): Readonly<Record<string, unknown>> {
    return {
      __esModule: true,
      ...this.#options.sdkExports,
      ...this.api,
      registerSerializer: serializers.registerSerializer.bind(serializers),
      deregisterSerializer: serializers.deregisterSerializer.bind(serializers),
      registerError: serializers.registerError.bind(serializers),
    }
  }

  #withModule<T>(scope: ModuleScope, serializers: SerializerRegistry, evaluate: () => T): T {
    const before = this.#serializers
    this.#moduleScope = scope
    this.#serializers = serializers
    try {
      return evaluate()
    } finally {
      this.#moduleScope = undefined
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
    this.#queue.push({ run, kind, template, method, task, attempt, dependencies, args })
    if (this.#isWaiting && kind === 'task') this.#giveBackQueued()
    else if (this.#current === undefined && !this.#isPumpScheduled) {
      this.#isPumpScheduled = true
      queueMicrotask(() => this.#pump())
    }
  }

  /** Runs what is queued until something has to be waited for or the turn's time is used up. */
  #pump(): void {
    const { clock } = this.#options
    this.#isPumpScheduled = false
    this.#turnStartedAt = clock.now()
    while (this.#current === undefined) {
      const run = this.#queue.shift()
      if (run === undefined) break
      this.#start(run)
      if (clock.now() - this.#turnStartedAt >= TURN_MS && this.#queue.length > 0) {
        this.core.frame.flush()
        this.#options.soon(() => this.#pump())
        return
      }
    }
    if (this.#current === undefined) this.core.frame.flush()
    else this.#flushSoon()
  }

  #start(run: Run): void {
    this.#current = run
    const code = this.#codes.get(run.template.code)
    if (code !== undefined && !(code instanceof Error)) this.#serializers = code.serializers
    this.#options.onRunStart?.(run.task)
    const startedAt = this.#options.clock.now()
    let result: unknown
    try {
      result = this.#call(run)
    } catch (thrown) {
      this.#finish(run, startedAt, this.#failure(run, thrown))
      return
    }
    if (!isThenable(result)) {
      this.#finish(run, startedAt, this.#values(run, result))
      return
    }
    Promise.resolve(result).then(
      (value) => this.#finishLater(run, startedAt, this.#values(run, value)),
      (thrown: unknown) => this.#finishLater(run, startedAt, this.#failure(run, thrown)),
    )
  }

  #call(run: Run): unknown {
    const hooks = this.core.decodeHooks
    const all = run.dependencies.find(({ place }) => place === ALL_ARGUMENTS)
    const args = decodeValue(all?.value ?? run.args, hooks) as unknown[]
    for (const { place, value } of run.dependencies)
      if (place !== ALL_ARGUMENTS) args[place] = decodeValue(value, hooks)
    if (run.kind === 'actor-call') {
      const actor = must(this.#actor, 'an actor call without an actor') as Record<string, unknown>
      const method = actor[run.method]
      if (typeof method !== 'function') throw new TypeError(`${run.template.name} has no method ${run.method}`)
      return Reflect.apply(method, actor, args) as unknown
    }
    const code = must(this.#codes.get(run.template.code), 'a run of code that was never sent')
    if (code instanceof Error) throw code
    if (run.kind === 'task') return code.task(run.template.exportName)(...args)
    this.#actor = new (code.actorClass(run.template.exportName))(...args)
    return undefined
  }

  #finish(run: Run, startedAt: number, outcome: readonly OutgoingValue[] | WireError): void {
    const { frame } = this.core
    const elapsedMs = this.#options.clock.now() - startedAt
    const writer = frame.begin(TO_NODE.done, true)
    writer.varint(run.run)
    writer.varint(Math.max(0, Math.round(elapsedMs * 1000)))
    if ('code' in outcome) {
      writer.u8(1)
      wireError.write(writer, outcome)
    } else {
      writer.u8(0)
      writer.varint(outcome.length)
      for (const value of outcome) frame.value(value, false)
    }
    this.#current = undefined
    this.#isWaiting = false
  }

  #finishLater(run: Run, startedAt: number, outcome: readonly OutgoingValue[] | WireError): void {
    this.#finish(run, startedAt, outcome)
    if (this.#options.clock.now() - this.#turnStartedAt >= TURN_MS) {
      this.core.frame.flush()
      this.#options.soon(() => this.#pump())
    } else this.#continue()
  }

  #continue(): void {
    while (this.#current === undefined) {
      const run = this.#queue.shift()
      if (run === undefined) {
        this.core.frame.flush()
        return
      }
      this.#start(run)
    }
    this.#flushSoon()
  }

  #values(run: Run, result: unknown): OutgoingValue[] | WireError {
    const { numReturns, name } = run.template
    const { encoder } = this.core
    try {
      if (run.kind === 'actor-new' || numReturns === 0) return []
      if (numReturns === 1) return [encoder.encodeForFrame(result, 'result')]
      if (!Array.isArray(result) || result.length !== numReturns)
        throw new RangeError(`${name} has numReturns ${numReturns} and must return an array of that many`)
      return result.map((item, index) => encoder.encodeForFrame(item, `result[${index}]`))
    } catch (thrown) {
      return this.#failure(run, thrown)
    }
  }

  #failure(run: Run, thrown: unknown): WireError {
    this.#stacks.error(thrown)
    const { name } = run.template
    const taskName = run.method === '' ? name : `${name}.${run.method}`
    const where = { taskName, taskId: formatObjectId(run.task), serializers: this.#serializers }
    return captureThrown(thrown, where, this.core.encoder)
  }

  #onBlocked(run: number, isBlocked: boolean): void {
    if (this.#current?.run !== run) return
    this.#isWaiting = isBlocked
    const writer = this.core.frame.begin(TO_NODE.blocked)
    writer.varint(run)
    writer.u8(isBlocked ? 1 : 0)
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
    this.core.frame.begin(TO_NODE.dropped).varint(run.run)
    for (const { value } of run.dependencies) this.core.discard(value)
    this.core.discard(run.args)
  }

  /** Results wait for the frame of those that follow, but not for a task that takes its time. */
  #flushSoon(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    this.#options.soon(() => {
      this.#isFlushScheduled = false
      this.core.frame.flush()
    })
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
