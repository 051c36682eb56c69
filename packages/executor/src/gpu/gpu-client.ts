/**
 * The GPU as tasks of one worker see it: checks what they ask, hands it to the broker and makes arrays of what comes back.
 * Sent to a worker as text when one of its tasks first asks. User code has run in this realm by then and could get at the
 * lane: all it would have is the GPU, under this worker's name, which the next task here may have anyway.
 * States: open -> closed.
 */
import type { GpuArray, GpuArrayType, GpuBuffer } from '@shoal/core-worker'
import { GPU } from '@shoal/protocol'
import type { ErrorCode } from '@shoal/protocol'
import type { Run } from '../runner/runner.ts'
import type { FromBroker, GpuErrorCode, GpuLane, ToBroker } from './gpu-messages.ts'
import { checkContent, checkRequest, checkType } from './gpu-request.ts'

/** Who calls: the run whose code it is, and what its actor was made with, if it is one's. */
export interface GpuCaller {
  readonly run: Run | undefined
  readonly birth: Run | undefined
}

export type GpuMethod = 'run' | 'createBuffer' | 'info'

/** From what knows Shoal's errors: this text is evaluated beside it and has no classes of its own. */
export type MakeGpuError = (code: ErrorCode, message: string) => Error

interface Call {
  readonly run: number | undefined
  settle(result: unknown): void
  fail(error: unknown): void
}

/** A buffer that was made, and who may use it: an actor's calls share theirs. */
interface Kept {
  readonly number: number
  readonly run: number | undefined
}

export class GpuClient {
  readonly #lane: GpuLane
  readonly #makeError: MakeGpuError
  readonly #calls = new Map<number, Call>()
  readonly #kept = new WeakMap<object, Kept>()
  /** Of tasks that run: what they keep ends with them. */
  readonly #keptBy = new Map<number, Set<number>>()
  #lastCall = 0
  #lastKept = 0
  #isClosed = false

  constructor(lane: GpuLane, makeError: MakeGpuError) {
    this.#lane = lane
    this.#makeError = makeError
    lane.listen((message) => this.#onAnswer(message as FromBroker))
  }

  call(method: GpuMethod, caller: GpuCaller, [first]: readonly unknown[]): Promise<unknown> {
    this.#refuseUnlessAsked(caller)
    if (method === 'info') return this.#ask(caller, (call) => ({ type: 'info', call }))
    return method === 'run' ? this.#run(caller, first) : this.#createBuffer(caller, first)
  }

  /** What the run waits for rejects, and is let go. */
  cancel(run: number, error: unknown): void {
    for (const [number, call] of this.#calls) if (call.run === run) this.#drop(number, error)
  }

  /** A task or a call is over, and nothing of it is kept. What an actor made stays its own. */
  ended(run: number): void {
    this.cancel(run, this.#makeError('gpu-unavailable', 'the task that asked the GPU has ended'))
    for (const kept of this.#keptBy.get(run) ?? []) this.#post({ type: 'release', kept })
    this.#keptBy.delete(run)
  }

  close(): void {
    if (this.#isClosed) return
    for (const number of [...this.#calls.keys()])
      this.#drop(number, this.#makeError('gpu-unavailable', 'the worker that asked the GPU has ended'))
    this.#post({ type: 'close' })
    this.#isClosed = true
    this.#lane.close()
  }

  #refuseUnlessAsked({ run, birth }: GpuCaller): void {
    const template = run?.template ?? birth?.template
    if (template?.resources.some(({ name }) => name === GPU)) return
    const who = template === undefined ? 'code outside of a task' : template.name
    throw this.#makeError(
      'gpu-unavailable',
      `${who} did not ask for a GPU: give it options({ numGpus: 1 }), or a part of one as 0.5, so that it runs where there is one`,
    )
  }

  async #run(caller: GpuCaller, request: unknown): Promise<unknown> {
    const { buffers, passes, results, signal, moved } = checkRequest(
      request,
      (value) => this.#keptOf(value, caller)?.number,
    )
    const made = (await this.#ask(caller, (call) => ({ type: 'run', call, buffers, passes }), {
      moved,
      signal,
    })) as ArrayBuffer[]
    return Object.fromEntries(results.map(({ name, type }, index) => [name, new type(made[index] as ArrayBuffer)]))
  }

  async #createBuffer(caller: GpuCaller, content: unknown): Promise<GpuBuffer> {
    const { bytes, data, moved } = checkContent(content)
    const number = ++this.#lastKept
    const run = ownerOf(caller)
    if (run !== undefined) this.#keptBy.set(run, (this.#keptBy.get(run) ?? new Set()).add(number))
    await this.#ask(caller, (call) => ({ type: 'make', call, kept: number, bytes, data }), { moved })
    const read = async (type: unknown): Promise<GpuArray> => {
      const made: GpuArrayType = checkType('read()', type)
      this.#mustKeep(buffer)
      const [result] = (await this.#ask(caller, (call) => ({ type: 'read', call, kept: number }))) as [ArrayBuffer]
      return new made(result)
    }
    const release = (): void => {
      if (!this.#kept.delete(buffer)) return
      if (run !== undefined) this.#keptBy.get(run)?.delete(number)
      this.#post({ type: 'release', kept: number })
    }
    const buffer: GpuBuffer = { bytes, read: read as GpuBuffer['read'], release, [Symbol.dispose]: release }
    this.#kept.set(buffer, { number, run })
    return buffer
  }

  #keptOf(value: object, caller: GpuCaller): Kept | undefined {
    const kept = this.#kept.get(value)
    if (kept === undefined && typeof (value as Partial<GpuBuffer>).release !== 'function') return undefined
    if (kept !== undefined && kept.run === ownerOf(caller)) return kept
    throw this.#makeError('gpu-validation', 'the buffer was released, or is of another task or actor')
  }

  #mustKeep(buffer: object): void {
    const kept = this.#kept.get(buffer)
    if (kept === undefined || (kept.run !== undefined && !this.#keptBy.has(kept.run)))
      throw this.#makeError('gpu-validation', 'the buffer was released')
  }

  #ask(
    { run }: GpuCaller,
    message: (call: number) => ToBroker,
    { moved = [], signal }: { moved?: ArrayBuffer[]; signal?: AbortSignal | undefined } = {},
  ): Promise<unknown> {
    const number = ++this.#lastCall
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw this.#makeError('gpu-unavailable', 'the worker that asked the GPU has ended')
      if (run?.isCancelled === true)
        throw this.#makeError('task-cancelled', `the task ${run.template.name} was cancelled`)
      signal?.throwIfAborted()
      const onAbort = (): void => this.#drop(number, signal?.reason)
      signal?.addEventListener('abort', onAbort)
      const end = (settle: (value: never) => void) => (value: unknown) => {
        signal?.removeEventListener('abort', onAbort)
        settle(value as never)
      }
      this.#calls.set(number, { run: run?.run, settle: end(resolve), fail: end(reject) })
      this.#post(message(number), moved)
    })
  }

  #onAnswer(answer: FromBroker): void {
    const call = this.#calls.get(answer.call)
    if (call === undefined) return
    this.#calls.delete(answer.call)
    if ('code' in answer) call.fail(this.#makeError(answer.code, answer.message))
    else call.settle(answer.result)
  }

  #drop(number: number, reason: unknown): void {
    const call = this.#calls.get(number)
    if (!this.#calls.delete(number)) return
    this.#post({ type: 'cancel', call: number })
    call?.fail(reason)
  }

  #post(message: ToBroker, moved: ArrayBuffer[] = []): void {
    if (!this.#isClosed) this.#lane.post(message, moved)
  }
}

/** The run that what it makes ends with; undefined for an actor, whose calls share it. */
function ownerOf({ run, birth }: GpuCaller): number | undefined {
  return birth === undefined ? run?.run : undefined
}

/** For whoever evaluates this as a text. */
export function createGpuClient(lane: GpuLane, makeError: MakeGpuError): GpuClient {
  return new GpuClient(lane, makeError)
}

export type CreateGpuClient = typeof createGpuClient
export type { GpuErrorCode }
