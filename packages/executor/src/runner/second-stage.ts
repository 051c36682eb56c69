/**
 * What tasks need that do more than compute on plain values: refs and handles, the SDK's functions, remote modules, and
 * errors as they travel. A sandbox worker runs without it until one of its tasks does (`Runner` asks for it then), so that
 * the sandbox stays small; elsewhere it is there from the start. It shares the runner's port and frames, and decides
 * nothing about when a task runs.
 */
import { captureThrown, CoreWorker, createApi } from '@shoal/core-worker'
import type { ModuleScope, RefFinalizer } from '@shoal/core-worker'
import { roomIdOf } from './room-id.ts'
import { createRunContext } from './run-context.ts'
import { actorState } from './actor-state.ts'
import { RunStreams } from './run-streams.ts'
import type { Run } from './runner.ts'
import type { Clock } from '@shoal/base'
import { decodeValue, TaskCancelledError, TO_SUBMITTER, wireError } from '@shoal/protocol'
import type {
  ByteWriter,
  CodeDefinition,
  EncodedValue,
  FramePort,
  FrameReader,
  FrameWriter,
  FunctionHash,
  NodeId,
  ObjectId,
  SerializerRegistry,
  ValueEncoder,
} from '@shoal/protocol'
import { createLazyGpu } from './lazy-gpu.ts'
import type { LoadGpu } from './lazy-gpu.ts'
import { loadInline } from './loaded-code.ts'
import type { Evaluate, LoadedCode } from './loaded-code.ts'
import { loadModule } from './loaded-module.ts'
import { SDK_EXPORTS } from './sdk-exports.ts'
import { cleanStacks } from './user-stack.ts'
import { createWorkerState } from './worker-state.ts'

/** The runner as its second stage sees it. */
export interface SecondStageHost {
  readonly port: FramePort
  readonly frame: FrameWriter
  readonly clock: Clock
  readonly submitter: number
  readonly evaluate: Evaluate
  /** Lines that the engine counts before the first one of an evaluated text. */
  readonly linesBefore: number
  createFinalizer?(collected: (id: ObjectId) => void): RefFinalizer
  readonly nodeId: NodeId
  readonly workerId: number
  /** Whose code runs now, or was the last to begin. */
  current(): Run | undefined
  /** What the actor was made with; undefined for tasks. */
  birth(): Run | undefined
  /** The actor's class, once it was made. */
  actorClass(): (new (...args: never[]) => object) | undefined
  /** Whether it was told so; asked again each time, since code that never awaits is told in shared memory. */
  isCancelled(run: Run): boolean
  /** The actor ends once the call that says so is over. */
  exit(): void
  /** Those of the code that runs. */
  serializers(): SerializerRegistry | undefined
  /** Makes them those of the code that runs until `body` is over. */
  withSerializers<T>(serializers: SerializerRegistry, body: () => T): T
  currentRun(): number | undefined
  /** `isAhead`: not in get or wait, but too far ahead of who takes its items. */
  onBlocked(run: number, isBlocked: boolean, isAhead?: boolean): void
  /** Calls back in a later turn of the event loop, after messages that are waiting. */
  soon(callback: () => void): void
  readonly loadGpu: LoadGpu
}

export interface SecondStage {
  readonly encoder: ValueEncoder
  decode(value: EncodedValue): unknown
  /** Reads one record that answers what a task asked. */
  answer(kind: number, reader: FrameReader): void
  /** Evaluates code once. Throws what its top level throws. */
  load(hash: FunctionHash, definition: CodeDefinition): LoadedCode
  /** Saves an actor's state, or restores it: see `STATE_CALLS`. */
  state(actor: object, what: string, saved: unknown): Promise<unknown>
  /** Runs a generator to its end, and tells of what it yields. */
  stream(run: Run, call: () => unknown): Promise<undefined>
  /** Takes in what a task threw, and gives what writes it. */
  failure(thrown: unknown, taskName: string, task: ObjectId): (writer: ByteWriter) => void
  /** What the run waits for rejects, its signal aborts, and what it calls from now on fails. */
  cancel(run: number, taskName: string, task: ObjectId): void
  /** Nothing is kept of the run. */
  ended(run: number): void
  /** Ends every wait. */
  close(): void
}

export type CreateSecondStage = (host: SecondStageHost) => SecondStage

export const createSecondStage: CreateSecondStage = (host) => {
  let moduleScope: ModuleScope | undefined
  /** By run: its signal, once it was asked for, and why it was cancelled. */
  const signals = new Map<number, AbortController>()
  const cancelled = new Map<number, TaskCancelledError>()
  const { port, frame, clock, submitter, createFinalizer } = host
  const core = new CoreWorker({
    port,
    frame,
    clock,
    submitter,
    ...(createFinalizer && { createFinalizer: (collected) => createFinalizer(collected) }),
    serializers: () => host.serializers(),
    currentRun: () => host.currentRun(),
    cancelled() {
      const run = host.current()
      return run !== undefined && host.isCancelled(run) ? cancelled.get(run.run) : undefined
    },
    onBlocked: (run, isBlocked) => host.onBlocked(run, isBlocked),
  })
  const api = createApi({
    core: () => core,
    moduleScope: () => moduleScope,
    context: () => createRunContext(host, core, pollableSignal(host.current())),
    exitActor() {
      if (host.birth() === undefined) throw new TypeError('exitActor() works inside of an actor only')
      host.exit()
      throw new Error('exitActor() ends this actor')
    },
  })

  const gpu = createLazyGpu(host)
  const taskApi = { ...api, ...createWorkerState(host.nodeId, core), gpu: gpu.api }

  const streams = new RunStreams({
    frame,
    clock,
    encoder: core.encoder,
    nodeId: host.nodeId,
    soon: (callback) => host.soon(callback),
    onAhead: (run, isAhead) => host.onBlocked(run, isAhead, true),
  })

  function signalOf(run: number): AbortSignal {
    const controller = signals.get(run) ?? new AbortController()
    signals.set(run, controller)
    return controller.signal
  }

  /** What looks for itself when it is asked: a loop that never awaits hears of it so. */
  function pollableSignal(run: Run | undefined): AbortSignal {
    if (run === undefined) return new AbortController().signal
    const signal = signalOf(run.run)
    if (!Object.hasOwn(signal, 'aborted')) {
      Object.defineProperties(signal, {
        aborted: { get: () => host.isCancelled(run) },
        throwIfAborted: {
          value() {
            if (host.isCancelled(run)) throw signal.reason
          },
        },
      })
    }
    return signal
  }

  function withModule<T>(scope: ModuleScope, serializers: SerializerRegistry, evaluate: () => T): T {
    moduleScope = scope
    try {
      return host.withSerializers(serializers, evaluate)
    } finally {
      moduleScope = undefined
    }
  }

  return {
    encoder: core.encoder,
    decode: (value) => decodeValue(value, core.decodeHooks),
    answer(kind, reader) {
      if (kind === TO_SUBMITTER.consumed) streams.onConsumed(reader.reader)
      else core.answer(kind, reader)
    },
    state: actorState,
    stream: (run, call) => streams.run(run, call),
    load(hash, definition) {
      if (definition.type === 'known') throw new TypeError(`the code ${definition.name} did not arrive`)
      if (definition.type === 'module')
        return loadModule(hash, definition, {
          evaluate: host.evaluate,
          sdkModule: (serializers) => ({
            __esModule: true,
            ...SDK_EXPORTS,
            ...taskApi,
            registerSerializer: serializers.registerSerializer.bind(serializers),
            deregisterSerializer: serializers.deregisterSerializer.bind(serializers),
            registerError: serializers.registerError.bind(serializers),
          }),
          withModule,
        })
      const { uses } = definition
      const handed = uses && { ...taskApi, ...(decodeValue(uses, core.decodeHooks) as object) }
      return loadInline(definition, host.evaluate, handed)
    },
    failure(thrown, taskName, task) {
      cleanStacks(thrown, host.linesBefore)
      const where = { taskName, taskId: roomIdOf(task, host.nodeId), serializers: host.serializers() }
      const error = captureThrown(thrown, where, core.encoder)
      return (writer) => wireError.write(writer, error)
    },
    cancel(run, taskName, task) {
      const details = { taskId: roomIdOf(task, host.nodeId), taskName }
      const error = new TaskCancelledError('task-cancelled', `the task ${taskName} was cancelled`, { details })
      cancelled.set(run, error)
      signalOf(run)
      signals.get(run)?.abort(error)
      core.cancelRun(run, error)
      streams.cancel(run)
      gpu.tell((client) => client.cancel(run, error))
    },
    ended(run) {
      signals.delete(run)
      cancelled.delete(run)
      gpu.tell((client) => client.ended(run))
    },
    close() {
      core.close()
      gpu.tell((client) => client.close())
    },
  }
}
