/**
 * The one place of a tab that speaks with its GPU, for all its workers: it runs what they ask, keeps their buffers apart,
 * and frees what is theirs when they say so or end. In a page it lives in the sandbox frame's document, where alone the
 * frame has WebGPU; no user code is there. It knows workers by the numbers of their threads, and no tasks.
 *
 * The GPU's states: none -> asked for (by the first call) -> up -> lost (calls that wait fail) -> asked for again (by the
 * next call). A call's: begun -> answered | cancelled. What was cancelled and does not come to an end, because a shader
 * hangs, takes the GPU with it: the others' calls fail as lost and are run again, rather than wait for ever.
 */
import type { Clock, Timer } from '@shoal/base'
import type { GpuInfo } from '@shoal/core-worker'
import type { BackendBuffer, GpuBackend } from './gpu-backend.ts'
import { GpuFault } from './gpu-messages.ts'
import type { FromBroker, GpuLane, ToBroker, WiredBuffer } from './gpu-messages.ts'

export interface GpuBrokerOptions {
  readonly clock: Clock
  /** Undefined where there is none; asked again with the next call. */
  open(): Promise<GpuBackend | undefined>
}

/** How long what was cancelled may go on before the GPU is given up. */
const HANGS_AFTER_MS = 5_000
/** How often, and after how long, one that was lost is asked for again before a call is told. */
const TRIES = 5
const TRY_AGAIN_MS = 500
/** Kept buffers of one worker. */
const MOST_KEPT = 4096

/** What is answered. */
type Asked = Exclude<ToBroker, { type: 'cancel' | 'release' | 'close' }>

interface Session {
  readonly thread: number
  readonly lane: GpuLane
  readonly kept: Map<number, Kept>
  /** Calls that are not answered; true: cancelled. */
  readonly calls: Map<number, { isCancelled: boolean }>
}

interface Kept {
  readonly backend: GpuBackend
  readonly buffer: BackendBuffer
}

export class GpuBroker {
  readonly #options: GpuBrokerOptions
  readonly #sessions = new Set<Session>()
  readonly #live = new Set<BackendBuffer>()
  #backend: Promise<GpuBackend> | undefined
  /** Calls and waits that are over when the GPU is lost. */
  readonly #onLost = new Set<(reason: string) => void>()
  #isWatched = false
  /** There has been one. */
  #wasUp = false
  /** The last one hung. */
  #isSuspect = false

  constructor(options: GpuBrokerOptions) {
    this.#options = options
  }

  /** What workers hold on the GPU at this moment. */
  get held(): GpuInfo['held'] {
    return { buffers: this.#live.size, bytes: [...this.#live].reduce((sum, { bytes }) => sum + bytes, 0) }
  }

  /** A worker in that thread wants to use it. */
  open(thread: number, lane: GpuLane): void {
    const session: Session = { thread, lane, kept: new Map(), calls: new Map() }
    this.#sessions.add(session)
    lane.listen((message) => this.#obey(session, message as ToBroker))
  }

  /** The thread is gone, with all its workers. */
  close(thread: number): void {
    for (const session of [...this.#sessions]) if (session.thread === thread) this.#end(session)
  }

  #obey(session: Session, message: ToBroker): void {
    switch (message.type) {
      case 'cancel':
        this.#cancel(session, message.call)
        return
      case 'release':
        this.#release(session, message.kept)
        return
      case 'close':
        this.#end(session)
        return
      default:
        void this.#answer(session, message)
    }
  }

  #cancel({ calls }: Session, number: number): void {
    const call = calls.get(number)
    if (call === undefined) return
    call.isCancelled = true
    this.#watch()
  }

  #release({ kept }: Session, number: number): void {
    const entry = kept.get(number)
    kept.delete(number)
    if (entry !== undefined) this.#destroy(entry.buffer)
  }

  #end(session: Session): void {
    if (!this.#sessions.delete(session)) return
    for (const number of [...session.kept.keys()]) this.#release(session, number)
    for (const number of [...session.calls.keys()]) this.#cancel(session, number)
    session.lane.close()
  }

  async #answer(session: Session, message: Asked): Promise<void> {
    const call = { isCancelled: false }
    session.calls.set(message.call, call)
    const isOver = (): boolean => call.isCancelled || !this.#sessions.has(session)
    const tell = (answer: FromBroker, moved: ArrayBuffer[] = []): void => {
      session.calls.delete(message.call)
      if (!isOver()) session.lane.post(answer, moved)
    }
    try {
      const backend = await this.#up()
      if (isOver()) return
      const result = await this.#unlessLost(this.#do(session, backend, message, isOver))
      tell({ call: message.call, result }, Array.isArray(result) ? (result as ArrayBuffer[]) : [])
    } catch (error) {
      const { code, message: text } = error instanceof GpuFault ? error : new GpuFault('gpu-validation', String(error))
      tell({ call: message.call, code, message: text })
    } finally {
      session.calls.delete(message.call)
    }
  }

  /** Rejects when the GPU is lost meanwhile; no call leaves anything at the promise of that, which outlives them all. */
  #unlessLost<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onLost = (reason: string): void => reject(new GpuFault('gpu-device-lost', `the GPU was lost: ${reason}`))
      this.#onLost.add(onLost)
      const over = (): void => void this.#onLost.delete(onLost)
      work.then(resolve, reject).then(over, over)
    })
  }

  async #do(
    session: Session,
    backend: GpuBackend,
    message: Asked,
    isOver: () => boolean,
  ): Promise<readonly ArrayBuffer[] | GpuInfo> {
    switch (message.type) {
      case 'info':
        return { ...backend.info, held: this.held }
      case 'read':
        return backend.run([], [this.#mustFind(session, backend, message.kept)])
      case 'make': {
        if (session.kept.size >= MOST_KEPT)
          throw new GpuFault('gpu-validation', `more than ${MOST_KEPT} buffers are kept`)
        const buffer = this.#make(backend, 'createBuffer()', message.bytes, message.data, false)
        session.kept.set(message.kept, { backend, buffer })
        try {
          await backend.made(buffer)
        } catch (error) {
          this.#release(session, message.kept)
          throw error
        }
        if (isOver()) this.#release(session, message.kept)
        return []
      }
      case 'run': {
        const own: BackendBuffer[] = []
        try {
          const buffers = message.buffers.map((each) => {
            if ('kept' in each) return this.#mustFind(session, backend, each.kept)
            const made = this.#make(backend, `buffers.${each.name}`, each.bytes, each.data, each.isUniform)
            own.push(made)
            return made
          })
          const passes = message.passes.map((pass) => ({
            ...pass,
            bindings: pass.bindings.map((place) => ({
              name: (message.buffers[place] as WiredBuffer).name,
              buffer: buffers[place] as BackendBuffer,
            })),
          }))
          const reads = buffers.filter((_, place) => isReadBack(message.buffers[place] as WiredBuffer))
          return await backend.run(passes, reads)
        } finally {
          for (const buffer of own) this.#destroy(buffer)
        }
      }
    }
  }

  #make(
    backend: GpuBackend,
    where: string,
    bytes: number,
    data: Uint8Array | undefined,
    isUniform: boolean,
  ): BackendBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize, maxUniformBufferBindingSize } = backend.info.limits
    const most = isUniform ? maxUniformBufferBindingSize : Math.min(maxBufferSize, maxStorageBufferBindingSize)
    if (bytes > most)
      throw new GpuFault('gpu-validation', `${where} has ${bytes} bytes; this GPU takes ${most} at most`)
    const buffer = backend.createBuffer(bytes, data, isUniform)
    this.#live.add(buffer)
    return buffer
  }

  #destroy(buffer: BackendBuffer): void {
    if (this.#live.delete(buffer)) buffer.destroy()
  }

  #mustFind({ kept }: Session, backend: GpuBackend, number: number): BackendBuffer {
    const entry = kept.get(number)
    if (entry === undefined) throw new GpuFault('gpu-validation', 'the buffer was released')
    if (entry.backend !== backend)
      throw new GpuFault('gpu-device-lost', 'the buffer was lost with the GPU that it was on')
    return entry.buffer
  }

  #up(): Promise<GpuBackend> {
    this.#backend ??= this.#ask()
    return this.#backend
  }

  async #ask(): Promise<GpuBackend> {
    try {
      const backend = await (this.#isSuspect ? this.#openSuspect() : this.#open())
      if (backend === undefined)
        throw this.#wasUp
          ? new GpuFault('gpu-device-lost', 'the browser has given the GPU up')
          : new GpuFault('gpu-unavailable', 'this tab has no WebGPU: its browser gives it no GPU')
      this.#wasUp = true
      void backend.lost.then((reason) => {
        this.#backend = undefined
        for (const tell of [...this.#onLost]) tell(reason)
      })
      return backend
    } catch (error) {
      this.#backend = undefined
      throw error
    }
  }

  /** A browser whose GPU process has just died has no GPU for a moment. */
  async #open(): Promise<GpuBackend | undefined> {
    const { clock, open } = this.#options
    for (let tries = this.#wasUp ? TRIES : 1; ; tries--) {
      const backend = await open()
      if (backend !== undefined || tries === 1) return backend
      await new Promise<void>((resolve) => clock.after(TRY_AGAIN_MS, resolve))
    }
  }

  /** After one was given up: what hung there may still keep the GPU itself busy, and then no call shall wait for it. */
  async #openSuspect(): Promise<GpuBackend | undefined> {
    const opening = this.#open()
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = this.#options.clock.after(HANGS_AFTER_MS, () =>
        reject(new GpuFault('gpu-device-lost', 'the GPU does not answer: a shader that was cancelled keeps it busy')),
      )
    })
    try {
      const backend = await Promise.race([opening.then(async (made) => made?.idle().then(() => made)), late])
      this.#isSuspect = false
      return backend
    } catch (error) {
      opening.then((made) => made?.destroy('it does not answer'), ignore)
      throw error
    } finally {
      timer?.cancel()
    }
  }

  /** What was cancelled ends soon, or the GPU does. */
  #watch(): void {
    const asked = this.#backend
    if (asked === undefined || this.#isWatched) return
    this.#isWatched = true
    const done = (): void => {
      this.#isWatched = false
      this.#onLost.delete(done)
      timer.cancel()
    }
    this.#onLost.add(done)
    const timer = this.#options.clock.after(HANGS_AFTER_MS, () => {
      done()
      this.#isSuspect = true
      asked.then((backend) => backend.destroy('a shader that was cancelled did not come to an end'), ignore)
    })
    asked.then((backend) => backend.idle()).then(done, done)
  }
}

function isReadBack(buffer: WiredBuffer): boolean {
  return 'isReadBack' in buffer && buffer.isReadBack
}

function ignore(): void {
  // There is none to give up.
}
