import { SpillError } from '../spill-store.ts'
import type { SpilledBytes, SpillStore } from '../spill-store.ts'

export interface MemorySpillStoreOptions {
  /** What there is room for. Default: everything. */
  quotaBytes?: number
  isAvailable?: boolean
  /** How long every access takes. Default: until the microtasks that are queued have run. */
  wait?(): Promise<void>
}

/** A disk that forgets when it is told to, for tests and simulated rooms. */
export class MemorySpillStore implements SpillStore {
  readonly #options: MemorySpillStoreOptions
  readonly #objects = new Map<number, SpilledBytes>()
  bytes = 0
  /** Objects and bytes that were ever written. */
  written = { objects: 0, bytes: 0 }
  /** Sizes of the transactions so far. */
  readonly batches: number[] = []
  isClosed = false

  constructor(options: MemorySpillStoreOptions = {}) {
    this.#options = options
  }

  get count(): number {
    return this.#objects.size
  }

  set quotaBytes(bytes: number) {
    this.#options.quotaBytes = bytes
  }

  async write(objects: readonly (readonly [key: number, bytes: SpilledBytes])[]): Promise<void> {
    const copies = objects.map(([key, bytes]) => [key, copyOf(bytes)] as const)
    await this.#wait()
    if (this.#options.isAvailable === false) throw new SpillError('unavailable', 'there is no disk')
    const added = copies.reduce((sum, [, bytes]) => sum + sizeOf(bytes), 0)
    if (this.bytes + added > (this.#options.quotaBytes ?? Infinity)) throw new SpillError('full', 'the disk is full')
    for (const [key, bytes] of copies) this.#objects.set(key, bytes)
    this.bytes += added
    this.batches.push(copies.length)
    this.written = { objects: this.written.objects + copies.length, bytes: this.written.bytes + added }
  }

  async read(keys: readonly number[]): Promise<readonly (SpilledBytes | undefined)[]> {
    await this.#wait()
    return keys.map((key) => {
      const bytes = this.#objects.get(key)
      return bytes && copyOf(bytes)
    })
  }

  async remove(keys: readonly number[]): Promise<void> {
    await this.#wait()
    for (const key of keys) {
      const bytes = this.#objects.get(key)
      if (bytes !== undefined) this.bytes -= sizeOf(bytes)
      this.#objects.delete(key)
    }
  }

  async close(): Promise<void> {
    await this.#wait()
    this.wipe()
    this.isClosed = true
  }

  /** As a browser does when the machine's disk is full. */
  wipe(): void {
    this.#objects.clear()
    this.bytes = 0
  }

  async #wait(): Promise<void> {
    await (this.#options.wait?.() ?? Promise.resolve())
  }
}

function sizeOf({ body, buffers }: SpilledBytes): number {
  return buffers.reduce((sum, { length }) => sum + length, body.length)
}

function copyOf({ body, buffers }: SpilledBytes): SpilledBytes {
  return { body: body.slice(), buffers: buffers.map((buffer) => buffer.slice()) }
}
