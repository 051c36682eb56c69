import { keyOf } from './frame-control.ts'
import type { FromFrame, FromWorker, Given, ToFrame } from './frame-control.ts'

type Told<Type extends ToFrame['type']> = ToFrame & { readonly type: Type }

/**
 * Large buffers in memory that the workers of this frame may share, each in an area of its own: the node worker is of
 * another process and cannot have it, but says which worker is given which. In an isolated page only.
 */
export class FrameMemory {
  readonly #areas = new Map<string, SharedArrayBuffer>()
  readonly #ports = new Map<number, MessagePort>()
  readonly #tell: (message: FromFrame) => void

  constructor(tell: (message: FromFrame) => void) {
    this.#tell = tell
  }

  /** A new worker's end. What the worker makes is kept for others under its number and the worker's own. */
  open(worker: number): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#ports.set(worker, port1)
    port1.onmessage = ({ data: [number, area] }: MessageEvent<FromWorker>) => {
      this.#areas.set(keyOf(worker, number), area)
      this.#tell({ type: 'kept', worker, number, bytes: area.byteLength })
    }
    return port2
  }

  end(worker: number): void {
    this.#ports.get(worker)?.close()
    this.#ports.delete(worker)
  }

  share({ key, bytes }: Told<'share'>): void {
    const area = new SharedArrayBuffer(bytes.length)
    new Uint8Array(area).set(bytes)
    this.#areas.set(key, area)
  }

  give({ key, worker, ticket }: Told<'give'>): void {
    const area = this.#areas.get(key)
    if (area === undefined) throw new Error(`there is no shared buffer ${key}`)
    this.#ports.get(worker)?.postMessage([ticket, area] satisfies Given)
  }

  drop({ key }: Told<'drop'>): void {
    this.#areas.delete(key)
  }
}
