import type { Log } from '@shoal/base'
import { ByteReader, ByteWriter, formatObjectId, fromRun, LIMITS, ProtocolError, toRun } from '@shoal/protocol'
import type { EncodedValue, NodeId, NodeMessage, PullSubject } from '@shoal/protocol'

/** What transfers need from the overlay. */
export interface TransferNetwork {
  send(to: NodeId, message: NodeMessage): void
  sendBulk(to: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void
  bulkRoom(to: NodeId): number
  onBulkRoom(to: NodeId, callback: () => void): void
  /** False for a node that is gone: nothing asked of it will ever be answered, and nobody will say so again. */
  canReach(node: NodeId): boolean
}

export interface TransfersOptions {
  readonly network: TransferNetwork
  readonly log: Log
  /** What this node can serve now. */
  lookup(subject: PullSubject): EncodedValue | undefined
  /** Keeps what is served here until its receiver confirms the number; 0 when nothing has to be kept. */
  hold(to: NodeId, subject: PullSubject, value: EncodedValue): number
  /** Nothing of it is needed. */
  unhold(holds: PullHolds): void
}

/** What nodes keep for us until we confirm it by its number: see `hold`. */
export type PullHolds = readonly (readonly [holder: NodeId, number: number])[]

/** `lost`: every holder was asked and none has it. `holds` are to be confirmed either way, once what is inside is counted. */
export type PullOutcome =
  | { readonly kind: 'value'; readonly value: EncodedValue; readonly holds: PullHolds }
  | { readonly kind: 'lost'; readonly holds: PullHolds }

interface Pull {
  readonly number: number
  readonly key: string
  readonly subject: PullSubject
  holders: NodeId[]
  from: NodeId | undefined
  run: Uint8Array<ArrayBuffer> | undefined
  received: number
  /** Chunks that overtook the head on the other lane. */
  early: { readonly offset: number; readonly bytes: Uint8Array<ArrayBuffer> }[]
  holds: (readonly [holder: NodeId, number: number])[]
  readonly callbacks: ((outcome: PullOutcome) => void)[]
}

interface Serve {
  readonly to: NodeId
  readonly pull: number
  readonly pieces: readonly Uint8Array<ArrayBuffer>[]
  readonly bytes: number
  offset: number
  piece: number
  inPiece: number
}

/** A window of 50 ms at 100 MB/s is 80 chunks. */
const MOST_EARLY = 256
/** Less room for the chunk's own header on the bulk lane. */
const CHUNK_BYTES = LIMITS.bulkChunkBytes - 64

/**
 * Moves large objects and code between nodes: pulls in chunks, resumes from another holder when one goes, one pull for
 * however many wait; serves from what is here under the link's window. It knows neither owners nor references.
 * A pull's states: asking (no head yet) -> receiving -> done or lost.
 */
export class Transfers {
  readonly #options: TransfersOptions
  readonly #pulls = new Map<number, Pull>()
  readonly #byKey = new Map<string, Pull>()
  readonly #serves = new Map<NodeId, Serve[]>()
  readonly #pumping = new Set<NodeId>()
  #nextPull = 1

  constructor(options: TransfersOptions) {
    this.#options = options
  }

  get openPulls(): number {
    return this.#pulls.size
  }

  /** Fetches from the first of `holders` that has it. The callback is called exactly once unless `close` comes first. */
  pull(subject: PullSubject, holders: readonly NodeId[], callback: (outcome: PullOutcome) => void): void {
    const key = subjectKey(subject)
    const open = this.#byKey.get(key)
    if (open !== undefined) {
      open.callbacks.push(callback)
      for (const holder of holders)
        if (!open.holders.includes(holder) && holder !== open.from) open.holders.push(holder)
      return
    }
    const pull: Pull = {
      number: this.#nextPull++,
      key,
      subject,
      holders: [...holders],
      from: undefined,
      run: undefined,
      received: 0,
      early: [],
      holds: [],
      callbacks: [callback],
    }
    this.#pulls.set(pull.number, pull)
    this.#byKey.set(key, pull)
    this.#askNext(pull)
  }

  /** Takes the messages that belong to transfers; false for any other. */
  onMessage(from: NodeId, message: NodeMessage): boolean {
    switch (message.type) {
      case 'object.pull':
        this.#startServe(from, message.pull, message.subject, message.offset)
        return true
      case 'object.head':
        this.#onHead(from, message.pull, message.bytes, message.handOver)
        return true
      case 'object.missing': {
        const pull = this.#pullFrom(from, message.pull)
        if (pull) this.#askNext(pull)
        return true
      }
      case 'object.stop': {
        const left = (this.#serves.get(from) ?? []).filter((serve) => serve.pull !== message.pull)
        if (left.length > 0) this.#serves.set(from, left)
        else this.#serves.delete(from)
        return true
      }
      default:
        return false
    }
  }

  onBulk(from: NodeId, number: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    const pull = this.#pullFrom(from, number)
    // Chunks of a pull that was given up, or that an earlier link repeats, are no fault.
    if (pull === undefined) return
    if (pull.run === undefined) {
      if (pull.early.length < MOST_EARLY) pull.early.push({ offset, bytes })
      else throw new ProtocolError('malformed', 'chunks of an object without its head')
      return
    }
    if (offset !== pull.received) return
    if (offset + bytes.length > pull.run.length) throw new ProtocolError('malformed', 'a chunk runs past its object')
    pull.run.set(bytes, offset)
    pull.received += bytes.length
    if (pull.received < pull.run.length) return
    const value = fromRun(pull.run, (header) => new ByteReader(header))
    this.#finish(pull, { kind: 'value', value, holds: pull.holds })
  }

  /** A new link to the node: chunks under way on the old one are lost, so what is missing is asked for again. */
  peerLinked(node: NodeId): void {
    this.#serves.delete(node)
    this.#pumping.delete(node)
    for (const pull of this.#pulls.values()) if (pull.from === node) this.#ask(pull, node)
  }

  peerGone(node: NodeId): void {
    this.#serves.delete(node)
    this.#pumping.delete(node)
    for (const pull of [...this.#pulls.values()]) {
      pull.holders = pull.holders.filter((holder) => holder !== node)
      if (pull.from === node) this.#askNext(pull)
    }
  }

  close(): void {
    this.#pulls.clear()
    this.#byKey.clear()
    this.#serves.clear()
  }

  #askNext(pull: Pull): void {
    let holder = pull.holders.shift()
    while (holder !== undefined && !this.#options.network.canReach(holder)) holder = pull.holders.shift()
    pull.from = holder
    pull.early = []
    if (holder === undefined) this.#finish(pull, { kind: 'lost', holds: pull.holds })
    else this.#ask(pull, holder)
  }

  #ask(pull: Pull, holder: NodeId): void {
    this.#options.network.send(holder, {
      type: 'object.pull',
      pull: pull.number,
      subject: pull.subject,
      offset: pull.received,
    })
  }

  #onHead(from: NodeId, number: number, bytes: number, hold: number): void {
    const pull = this.#pullFrom(from, number)
    if (pull === undefined) {
      // The same value came from elsewhere in the meantime.
      if (hold !== 0) this.#options.unhold([[from, hold]])
      return
    }
    if (hold !== 0) pull.holds.push([from, hold])
    if (bytes > LIMITS.objectBytes) throw new ProtocolError('too-large', `an object of ${bytes} bytes`)
    if (pull.run !== undefined && pull.run.length === bytes) return
    // Another holder may have encoded the same attempt differently: begin again rather than mix two runs.
    pull.run = new Uint8Array(bytes)
    const early = pull.early
    pull.early = []
    if (pull.received > 0) {
      pull.received = 0
      this.#ask(pull, from)
    } else for (const chunk of early) this.onBulk(from, number, chunk.offset, chunk.bytes)
  }

  #pullFrom(from: NodeId, number: number): Pull | undefined {
    const pull = this.#pulls.get(number)
    return pull?.from === from ? pull : undefined
  }

  #finish(pull: Pull, outcome: PullOutcome): void {
    this.#pulls.delete(pull.number)
    this.#byKey.delete(pull.key)
    // Each hold is confirmed once, by whoever comes first.
    pull.callbacks.forEach((callback, index) => callback(index === 0 ? outcome : { ...outcome, holds: [] }))
  }

  #startServe(to: NodeId, pull: number, subject: PullSubject, offset: number): void {
    const value = this.#options.lookup(subject)
    if (value === undefined) {
      this.#options.log.debug?.('asked for what is not here', { subject: subjectKey(subject), to })
      this.#options.network.send(to, { type: 'object.missing', pull })
      return
    }
    const pieces = toRun(value, new ByteWriter(64))
    const bytes = pieces.reduce((total, piece) => total + piece.length, 0)
    if (offset > bytes) throw new ProtocolError('malformed', 'a pull starts behind the end of its object')
    const serve: Serve = { to, pull, pieces, bytes, offset: 0, piece: 0, inPiece: 0 }
    skip(serve, offset)
    const others = (this.#serves.get(to) ?? []).filter((other) => other.pull !== pull)
    this.#serves.set(to, [...others, serve])
    this.#options.network.send(to, {
      type: 'object.head',
      pull,
      bytes,
      handOver: this.#options.hold(to, subject, value),
    })
    this.#pump(to)
  }

  /** Sends chunks of all serves to one peer in turn while its window has room. */
  #pump(to: NodeId): void {
    if (this.#pumping.has(to)) return
    const { network } = this.#options
    for (;;) {
      const serves = this.#serves.get(to)
      const serve = serves?.shift()
      if (serves === undefined || serve === undefined) {
        this.#serves.delete(to)
        return
      }
      if (network.bulkRoom(to) <= 0) {
        serves.unshift(serve)
        this.#awaitRoom(to)
        return
      }
      const offset = serve.offset
      const chunk = nextChunk(serve)
      if (chunk.length > 0) network.sendBulk(to, serve.pull, offset, chunk)
      if (serve.offset < serve.bytes) serves.push(serve)
    }
  }

  #awaitRoom(to: NodeId): void {
    this.#pumping.add(to)
    let isAtOnce = true
    this.#options.network.onBulkRoom(to, () => {
      this.#pumping.delete(to)
      // Called at once: there is no link. Who pulls asks again over the next one.
      if (isAtOnce) this.#serves.delete(to)
      else this.#pump(to)
    })
    isAtOnce = false
  }
}

/** Copies up to CHUNK_BYTES from the pieces on. */
function nextChunk(serve: Serve): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, serve.bytes - serve.offset))
  let filled = 0
  while (filled < chunk.length) {
    const piece = serve.pieces[serve.piece]
    if (piece === undefined) break
    const part = piece.subarray(serve.inPiece, serve.inPiece + chunk.length - filled)
    chunk.set(part, filled)
    filled += part.length
    skip(serve, part.length)
  }
  return chunk
}

function skip(serve: Serve, count: number): void {
  serve.offset += count
  serve.inPiece += count
  for (
    let piece = serve.pieces[serve.piece];
    piece && serve.inPiece >= piece.length;
    piece = serve.pieces[serve.piece]
  ) {
    serve.inPiece -= piece.length
    serve.piece++
  }
}

function subjectKey(subject: PullSubject): string {
  if (subject.type === 'function') return `function ${subject.hash}`
  return `${formatObjectId(subject.id)} ${subject.attempt.epoch}.${subject.attempt.number}`
}
