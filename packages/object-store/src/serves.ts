import { formatObjectId, LIMITS, ProtocolError } from '@shoal/protocol'
import type { EncodedValue, NodeId, PullSubject } from '@shoal/protocol'
import { CHUNK_BYTES, Run, segmentCount, segmentRange } from './layout.ts'
import type { Layout } from './layout.ts'
import type { TransfersOptions } from './transfers.ts'

/** What is being fetched here: others may have what has come so far. */
export interface PartialRun {
  readonly layout: Layout
  readonly run: Run
  has(segment: number): boolean
}

interface Serve {
  readonly to: NodeId
  readonly pull: number
  readonly key: string
  /** Asked for before the hashes are known. */
  readonly early: number[]
  run: Run | undefined
  /** Undefined for one that has all. */
  partial: PartialRun | undefined
  readonly open: { offset: number; readonly end: number; readonly segment: number }[]
}

/** Who fetches the same at the same time is told of each other from this many segments on. */
const BROADCAST_SEGMENTS = 4

/**
 * The serving half of transfers: segments go to each peer under its link's window, in turn for its pulls. What is on its way
 * here is served as far as it has come.
 */
export class Serves {
  readonly #options: TransfersOptions
  readonly #partial: (key: string) => PartialRun | undefined
  /** By peer and the peer's number for the pull. */
  readonly #serves = new Map<NodeId, Map<number, Serve>>()
  readonly #byKey = new Map<string, Set<Serve>>()
  /** Peers without room, each with who waits for some. */
  readonly #waiting = new Map<NodeId, object>()
  readonly #layouts = new WeakMap<EncodedValue, Promise<readonly [Run, Layout]>>()

  constructor(options: TransfersOptions, partial: (key: string) => PartialRun | undefined) {
    this.#options = options
    this.#partial = partial
  }

  /** Pulls of others that are not over. */
  get open(): number {
    let open = 0
    for (const serves of this.#serves.values()) open += serves.size
    return open
  }

  ask(to: NodeId, pull: number, subject: PullSubject, segments: readonly number[]): void {
    const known = this.#serves.get(to)?.get(pull)
    if (known !== undefined) {
      if (known.run === undefined) known.early.push(...segments)
      else this.#enqueue(known, known.run, segments)
      return
    }
    const key = subjectKey(subject)
    const found = this.#options.lookup(subject)
    const partial = found === undefined ? this.#partial(key) : undefined
    if (found === undefined && partial === undefined) {
      this.#options.log.debug?.('asked for what is not here', { subject: key, to })
      this.#options.network.send(to, { type: 'object.missing', pull })
      return
    }
    const serve: Serve = { to, pull, key, early: [...segments], run: undefined, partial, open: [] }
    this.#serves.set(to, (this.#serves.get(to) ?? new Map<number, Serve>()).set(pull, serve))
    this.#byKey.set(key, (this.#byKey.get(key) ?? new Set<Serve>()).add(serve))
    if (partial !== undefined) this.#begin(serve, partial.run, partial.layout, 0)
    else
      this.#serve(serve, subject, found).catch((error: unknown) =>
        this.#options.log.error('an object could not be served', { subject: key, error }),
      )
  }

  async #serve(
    serve: Serve,
    subject: PullSubject,
    found: EncodedValue | Promise<EncodedValue | undefined> | undefined,
  ): Promise<void> {
    const value = await found
    if (value === undefined) {
      // Its disk has lost it.
      if (!this.#isOpen(serve)) return
      this.#end(serve)
      this.#options.network.send(serve.to, { type: 'object.missing', pull: serve.pull })
      return
    }
    const [run, layout] = await this.#layoutOf(value)
    if (this.#isOpen(serve)) this.#begin(serve, run, layout, this.#options.hold(serve.to, subject, value))
  }

  /** The peer needs these segments no more; none: nothing of the pull. */
  stop(to: NodeId, pull: number, segments: readonly number[]): void {
    const serve = this.#serves.get(to)?.get(pull)
    if (serve === undefined) return
    if (segments.length === 0) this.#end(serve)
    else for (const segment of segments) remove(serve.open, (each) => each.segment === segment)
  }

  /** A segment of a run has come here: whoever was told of what there is hears of it. */
  has(key: string, segment: number): void {
    for (const { to, pull, partial, run } of this.#byKey.get(key) ?? [])
      if (partial !== undefined && run !== undefined)
        this.#options.network.send(to, { type: 'object.have', pull, segment })
  }

  /** The link is another, or the peer is gone: what was under way to it is asked for again, or not needed. */
  forget(to: NodeId): void {
    for (const serve of [...(this.#serves.get(to)?.values() ?? [])]) this.#end(serve)
    this.#waiting.delete(to)
  }

  /** What was being fetched here will not come: see `PartialRun`. */
  lost(key: string): void {
    for (const serve of [...(this.#byKey.get(key) ?? [])]) {
      if (serve.partial === undefined) continue
      this.#end(serve)
      this.#options.network.send(serve.to, { type: 'object.missing', pull: serve.pull })
    }
  }

  close(): void {
    this.#serves.clear()
    this.#byKey.clear()
  }

  #isOpen(serve: Serve): boolean {
    return this.#serves.get(serve.to)?.get(serve.pull) === serve
  }

  #end(serve: Serve): void {
    const ofPeer = this.#serves.get(serve.to)
    ofPeer?.delete(serve.pull)
    if (ofPeer?.size === 0) this.#serves.delete(serve.to)
    const ofKey = this.#byKey.get(serve.key)
    ofKey?.delete(serve)
    if (ofKey?.size === 0) this.#byKey.delete(serve.key)
  }

  #layoutOf(value: EncodedValue): Promise<readonly [Run, Layout]> {
    let known = this.#layouts.get(value)
    if (known === undefined) {
      const run = Run.of(value)
      known = run.layout(this.#options.sha256).then((layout) => [run, layout] as const)
      this.#layouts.set(value, known)
    }
    return known
  }

  #begin(serve: Serve, run: Run, layout: Layout, handOver: number): void {
    const { network } = this.#options
    const { to, pull, partial } = serve
    const { bytes, hashes } = layout
    const count = segmentCount(bytes)
    serve.run = run
    const has: number[] = []
    if (partial !== undefined)
      for (let segment = 0; segment < count; segment++) if (partial.has(segment)) has.push(segment)
    if (count >= BROADCAST_SEGMENTS) this.#introduce(serve)
    network.send(to, { type: 'object.head', pull, bytes, hashes, handOver, isPartial: partial !== undefined, has })
    // Whoever asked blindly for what there is not has the head now, and nobody is here to be told off.
    const asked = serve.early.splice(0).filter((segment) => segment < count)
    this.#enqueue(serve, run, asked)
  }

  /** Receivers of one object can have parts of it from each other. */
  #introduce(serve: Serve): void {
    const { network } = this.#options
    const others = [...(this.#byKey.get(serve.key) ?? [])].filter(({ to, run }) => to !== serve.to && run !== undefined)
    if (others.length === 0) return
    network.send(serve.to, {
      type: 'object.also',
      pull: serve.pull,
      nodes: others.slice(0, LIMITS.roomMembers).map(({ to }) => to),
    })
    for (const { to, pull } of others) network.send(to, { type: 'object.also', pull, nodes: [serve.to] })
  }

  #enqueue(serve: Serve, run: Run, segments: readonly number[]): void {
    for (const segment of segments) {
      if (segment >= segmentCount(run.bytes))
        throw new ProtocolError('malformed', 'a pull of a segment behind the end of its object')
      if (serve.partial !== undefined && !serve.partial.has(segment)) continue
      if (serve.open.some((each) => each.segment === segment)) continue
      const [offset, end] = segmentRange(run.bytes, segment)
      serve.open.push({ offset, end, segment })
    }
    this.#pump(serve.to)
  }

  /** Sends chunks of all serves to one peer in turn while its window has room. */
  #pump(to: NodeId): void {
    if (this.#waiting.has(to)) return
    const { network } = this.#options
    for (;;) {
      const ready = [...(this.#serves.get(to)?.values() ?? [])].filter(({ open }) => open.length > 0)
      if (ready.length === 0) return
      for (const serve of ready) {
        const [part] = serve.open
        if (part === undefined || serve.run === undefined) continue
        if (network.bulkRoom(to) <= 0) {
          this.#awaitRoom(to)
          return
        }
        const end = Math.min(part.end, part.offset + CHUNK_BYTES)
        network.sendBulk(to, serve.pull, part.offset, serve.run.copy(part.offset, end))
        part.offset = end
        if (end === part.end) serve.open.shift()
      }
    }
  }

  #awaitRoom(to: NodeId): void {
    const waiter = {}
    this.#waiting.set(to, waiter)
    let isAtOnce = true
    this.#options.network.onBulkRoom(to, () => {
      // The path is another by now, and somebody else waits there.
      if (this.#waiting.get(to) !== waiter) return
      this.#waiting.delete(to)
      // Called at once: there is no link. Who pulls asks again over the next one.
      if (isAtOnce) this.forget(to)
      else this.#pump(to)
    })
    isAtOnce = false
  }
}

export function subjectKey(subject: PullSubject): string {
  if (subject.type === 'function') return `function ${subject.hash}`
  return `${formatObjectId(subject.id)} ${subject.attempt.epoch}.${subject.attempt.number}`
}

function remove<T>(list: T[], matches: (each: T) => boolean): void {
  const index = list.findIndex(matches)
  if (index >= 0) list.splice(index, 1)
}
