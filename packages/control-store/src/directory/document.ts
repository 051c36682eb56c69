import type { Random } from '@shoal/base'
import { LIMITS, ProtocolError, toHex } from '@shoal/protocol'
import * as Y from 'yjs'

/** A document is rolled past either (and past twice what its live records need). */
const MAX_PAST_CLIENTS = 200
const MAX_BYTES = 200_000

/**
 * One generation of the directory's Yjs document: a map from key to sealed record. It knows nothing of what records say.
 * Client ids come from the Random port; when somebody else writes under ours, we take another one.
 */
export class DirectoryDocument {
  readonly generation: number
  readonly doc: Y.Doc
  readonly #records: Y.Map<unknown>
  readonly #random: Random
  #client: number
  /** It is asked for far more often than it changes. */
  #state: Uint8Array<ArrayBuffer> | undefined
  #bytesSinceMeasured = 0
  #measuredBytes = 0

  constructor(
    generation: number,
    random: Random,
    handlers: {
      /** The key's value changed; undefined: it is gone, or is no bytes. */
      changed(key: string, sealed: Uint8Array<ArrayBuffer> | undefined): void
      updated(update: Uint8Array<ArrayBuffer>, origin: unknown): void
    },
  ) {
    this.generation = generation
    this.#random = random
    this.doc = new Y.Doc({ guid: `${generation}` })
    this.#client = this.#newClient()
    this.#records = this.doc.getMap('records')
    this.#records.observe((event) => {
      for (const key of event.keysChanged as Set<string>) handlers.changed(key, this.get(key))
    })
    this.doc.on('afterTransaction', () => (this.#state = undefined))
    this.doc.on('afterTransactionCleanup', () => this.#keepBounds())
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      this.#bytesSinceMeasured += update.length
      handlers.updated(update as Uint8Array<ArrayBuffer>, origin)
    })
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    const value = this.#records.get(key)
    return value instanceof Uint8Array ? (value as Uint8Array<ArrayBuffer>) : undefined
  }

  has(key: string): boolean {
    return this.#records.has(key)
  }

  put(entries: Iterable<{ readonly key: string; readonly sealed: Uint8Array<ArrayBuffer> }>): void {
    this.doc.transact(() => {
      for (const { key, sealed } of entries) this.#records.set(key, sealed)
    })
  }

  remove(keys: readonly string[]): void {
    this.doc.transact(() => {
      for (const key of keys) this.#records.delete(key)
    })
  }

  /** Throws ProtocolError when the bytes are no update. What of it could be read may have been taken in: it is harmless. */
  apply(update: Uint8Array, origin: unknown): void {
    try {
      Y.applyUpdate(this.doc, update, origin)
    } catch {
      throw new ProtocolError('malformed', 'not an update of the directory document')
    }
  }

  state(): Uint8Array<ArrayBuffer> {
    return (this.#state ??= Y.encodeStateVector(this.doc) as Uint8Array<ArrayBuffer>)
  }

  /** Throws ProtocolError when `state` is no state vector. */
  updateSince(state: Uint8Array): Uint8Array<ArrayBuffer> {
    try {
      return Y.encodeStateAsUpdate(this.doc, state.length === 0 ? undefined : state) as Uint8Array<ArrayBuffer>
    } catch {
      throw new ProtocolError('malformed', 'not a state vector of the directory document')
    }
  }

  /** The document carries more of the past than of the present. */
  isGrown(liveRecords: number, liveBytes: number): boolean {
    if (this.doc.store.clients.size > Math.max(MAX_PAST_CLIENTS, 2 * liveRecords)) return true
    const limit = Math.max(MAX_BYTES, 2 * liveBytes)
    // Measuring encodes the whole document, so it is done only when what came in since could have passed the limit.
    if (this.#measuredBytes + this.#bytesSinceMeasured <= limit) return false
    this.#measuredBytes = Y.encodeStateAsUpdate(this.doc).length
    this.#bytesSinceMeasured = 0
    return this.#measuredBytes > limit
  }

  destroy(): void {
    this.doc.destroy()
  }

  #keepBounds(): void {
    // Yjs itself takes another id when ours is written under by somebody; it must come from our port.
    if (this.doc.clientID !== this.#client) this.#client = this.#newClient()
    // Parts whose predecessors never come would be kept, and sent on, for ever.
    const { store } = this.doc
    if ((store.pendingStructs?.update.length ?? 0) > LIMITS.directoryUpdateBytes) store.pendingStructs = null
    if ((store.pendingDs?.length ?? 0) > LIMITS.directoryUpdateBytes) store.pendingDs = null
  }

  #newClient(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#random.bytes(4)
    this.doc.clientID = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
    return this.doc.clientID
  }
}

/** A short text that is equal for equal documents, as far as their state vectors tell. */
export function stateName(state: Uint8Array): string {
  try {
    const clocks = [...Y.decodeStateVector(state)].sort(([a], [b]) => a - b)
    return clocks.map(([client, clock]) => `${client}:${clock}`).join()
  } catch {
    return `?${toHex(state)}`
  }
}
