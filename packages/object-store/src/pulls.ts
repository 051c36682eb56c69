// Long because choosing, receiving and giving up are one state.
import { ByteReader, fromRun, ProtocolError } from '@shoal/protocol'
import type { EncodedValue, NodeId, PullSubject } from '@shoal/protocol'
import {
  checkedLayout,
  hashOf,
  isSameLayout,
  Run,
  sameBytes,
  segmentBytes,
  segmentCount,
  segmentRange,
} from './layout.ts'
import type { Layout } from './layout.ts'
import { subjectKey } from './serves.ts'
import type { PartialRun } from './serves.ts'
import type { PullOutcome, TransfersOptions } from './transfers.ts'

/** A node that has the bytes, or some of them. */
interface Source {
  readonly node: NodeId
  /** Its head has come, and says what the others' say. */
  isReady: boolean
  /** What it has so far; undefined: everything. */
  has: Set<number> | undefined
  /** Asked of it and not yet here, with how much of each has come. */
  readonly open: Map<number, number>
  /** When its last segment was whole; undefined when nothing was under way since. */
  wholeAtMs: number | undefined
  /** Chunks that overtook the head on the other lane. */
  early: { readonly offset: number; readonly bytes: Uint8Array<ArrayBuffer> }[]
}

/** `checking`: it is all here, and its hash is being computed. */
type SegmentState = 'missing' | 'asked' | 'checking' | 'here'

interface Pull {
  readonly number: number
  readonly key: string
  readonly subject: PullSubject
  readonly isLarge: boolean
  /** Not asked yet, in the order in which they will be. */
  readonly waiting: NodeId[]
  readonly sources: Map<NodeId, Source>
  /** Whose head did not say what the first one's says: another run of a task may have given other bytes. */
  readonly others: NodeId[]
  layout: Layout | undefined
  run: Uint8Array<ArrayBuffer>
  readonly segments: SegmentState[]
  missing: number
  /** Taken from one source to another: once each. */
  readonly moved: Set<number>
  readonly holds: (readonly [holder: NodeId, number: number])[]
  readonly callbacks: ((outcome: PullOutcome) => void)[]
}

/** A window of 50 ms at 100 MB/s is 80 chunks. */
const MOST_EARLY = 256
/** Nodes that one object is fetched from at a time. */
const MOST_SOURCES = 6
/**
 * Segments under way from one source: of one alone from the first number to the second, for a long way, one more with each that
 * has come; of several few, so that the fastest gets more.
 */
const WINDOW_ALONE = [4, 16] as const
const WINDOW_SHARED = 3
/** Objects of so many bytes may be on their way to others too: of those nothing is asked before that is known. */
const MANY_BYTES = 2_000_000

/**
 * The fetching half of transfers: the next missing segment from each source with room, the rarest first, checked by its hash;
 * what a lost source owed is asked of another. A segment is asked of one source at a time.
 * A pull's states: asking (no head yet) -> receiving -> done or lost.
 */
export class Pulls {
  readonly #options: TransfersOptions
  readonly #arrived: (key: string, segment: number) => void
  readonly #givenUp: (key: string) => void
  readonly #pulls = new Map<number, Pull>()
  readonly #byKey = new Map<string, Pull>()
  #nextPull = 1

  /** `arrived`: a segment is here; `givenUp`: the pull is lost, and so is what others were to have of it. */
  constructor(
    options: TransfersOptions,
    arrived: (key: string, segment: number) => void,
    givenUp: (key: string) => void,
  ) {
    this.#options = options
    this.#arrived = arrived
    this.#givenUp = givenUp
  }

  get open(): number {
    return this.#pulls.size
  }

  pull(
    subject: PullSubject,
    holders: readonly NodeId[],
    callback: (outcome: PullOutcome) => void,
    bytes: number,
  ): void {
    const key = subjectKey(subject)
    const open = this.#byKey.get(key)
    if (open !== undefined) {
      open.callbacks.push(callback)
      for (const holder of holders) this.#add(open, holder)
      return
    }
    const pull: Pull = {
      number: this.#nextPull++,
      key,
      subject,
      isLarge: bytes >= MANY_BYTES,
      waiting: [...new Set(holders)],
      sources: new Map(),
      others: [],
      layout: undefined,
      run: new Uint8Array(0),
      segments: [],
      missing: 0,
      moved: new Set(),
      holds: [],
      callbacks: [callback],
    }
    this.#pulls.set(pull.number, pull)
    this.#byKey.set(key, pull)
    this.#step(pull)
  }

  /** What has come of it so far; undefined also for what has refs inside, whose holders alone may hand those over. */
  partial(key: string): PartialRun | undefined {
    const pull = this.#byKey.get(key)
    if (pull?.layout === undefined || pull.holds.length > 0) return undefined
    return { layout: pull.layout, run: new Run([pull.run]), has: (segment) => pull.segments[segment] === 'here' }
  }

  onHead(
    from: NodeId,
    number: number,
    head: {
      readonly bytes: number
      readonly hashes: Uint8Array<ArrayBuffer>
      readonly handOver: number
      readonly isPartial: boolean
      readonly has: readonly number[]
    },
  ): void {
    const pull = this.#pulls.get(number)
    const source = pull?.sources.get(from)
    if (pull === undefined || source === undefined) {
      // The same value came from elsewhere in the meantime.
      if (head.handOver !== 0) this.#options.unhold([[from, head.handOver]])
      return
    }
    if (head.handOver !== 0) pull.holds.push([from, head.handOver])
    const layout = checkedLayout(head.bytes, head.hashes)
    if (pull.layout === undefined) this.#begin(pull, layout)
    else if (!isSameLayout(pull.layout, layout)) {
      this.#drop(pull, source, true)
      pull.others.push(from)
      this.#step(pull)
      return
    }
    source.isReady = true
    source.has = head.isPartial ? new Set(head.has) : undefined
    // What was asked before this was known it will not send: it says when it has it.
    if (source.has !== undefined)
      for (const segment of [...source.open.keys()]) if (!source.has.has(segment)) this.#disown(pull, source, segment)
    for (const { offset, bytes } of source.early.splice(0)) this.#take(pull, source, layout, offset, bytes)
    this.#step(pull)
  }

  onHave(from: NodeId, number: number, segment: number): void {
    const pull = this.#pulls.get(number)
    const source = pull?.sources.get(from)
    if (pull === undefined || source?.has === undefined || segment >= pull.segments.length) return
    source.has.add(segment)
    this.#step(pull)
  }

  /** Others that fetch the same. */
  onAlso(from: NodeId, number: number, nodes: readonly NodeId[]): void {
    const pull = this.#pulls.get(number)
    if (pull?.sources.has(from) !== true) return
    for (const node of nodes) this.#add(pull, node)
    this.#step(pull)
  }

  onMissing(from: NodeId, number: number): void {
    const pull = this.#pulls.get(number)
    const source = pull?.sources.get(from)
    if (pull === undefined || source === undefined) return
    this.#drop(pull, source, false)
    this.#step(pull)
  }

  onBulk(from: NodeId, number: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    const pull = this.#pulls.get(number)
    const source = pull?.sources.get(from)
    // Chunks of a pull that was given up, or that an earlier link repeats, are no fault.
    if (pull === undefined || source === undefined) return
    if (pull.layout === undefined || !source.isReady) {
      if (source.early.length >= MOST_EARLY)
        throw new ProtocolError('malformed', 'chunks of an object without its head')
      source.early.push({ offset, bytes })
      return
    }
    this.#take(pull, source, pull.layout, offset, bytes)
    this.#step(pull)
  }

  /** A new link to the node: what was under way on the old one is lost, so it is asked for again. */
  peerLinked(node: NodeId): void {
    for (const pull of this.#pulls.values()) {
      const source = pull.sources.get(node)
      if (source === undefined) continue
      source.early = []
      source.wholeAtMs = undefined
      for (const segment of source.open.keys()) source.open.set(segment, 0)
      this.#ask(pull, source, [...source.open.keys()])
    }
  }

  peerGone(node: NodeId): void {
    for (const pull of [...this.#pulls.values()]) {
      for (const list of [pull.waiting, pull.others]) if (list.includes(node)) list.splice(list.indexOf(node), 1)
      const source = pull.sources.get(node)
      if (source === undefined) continue
      this.#drop(pull, source, false)
      this.#step(pull)
    }
  }

  close(): void {
    this.#pulls.clear()
    this.#byKey.clear()
  }

  #add(pull: Pull, node: NodeId): void {
    if (!pull.sources.has(node) && !pull.waiting.includes(node) && !pull.others.includes(node)) pull.waiting.push(node)
  }

  #begin(pull: Pull, layout: Layout): void {
    const count = segmentCount(layout.bytes)
    pull.layout = layout
    pull.run = new Uint8Array(layout.bytes)
    pull.missing = count
    pull.segments.length = 0
    pull.moved.clear()
    for (let segment = 0; segment < count; segment++) pull.segments.push('missing')
    for (const { open } of pull.sources.values()) for (const segment of open.keys()) pull.segments[segment] = 'asked'
  }

  /** Asks whom there is for what is missing, and ends the pull that nobody can go on with. */
  #step(pull: Pull): void {
    if (this.#pulls.get(pull.number) !== pull) return
    const { layout } = pull
    // Until its length is known, of one holder alone: most objects have one segment.
    const most = layout === undefined ? 1 : Math.min(MOST_SOURCES, pull.missing)
    while (pull.sources.size < most && pull.waiting.length > 0) this.#askFor(pull, pull.waiting.shift() as NodeId)
    for (const source of pull.sources.values()) this.#fill(pull, source)
    const isUnderWay = [...pull.sources.values()].some(
      ({ isReady, has, open }) => !isReady || has === undefined || open.size > 0,
    )
    if (isUnderWay || pull.segments.includes('checking')) return
    // Sources that have a part only, and wait for each other perhaps, are none; who said something else may have it all.
    for (const source of [...pull.sources.values()]) this.#drop(pull, source, true)
    if (pull.waiting.length > 0) {
      this.#step(pull)
      return
    }
    const other = pull.others.shift()
    if (other !== undefined) {
      pull.layout = undefined
      pull.waiting.push(other)
      this.#step(pull)
    } else this.#finish(pull, { kind: 'lost', holds: pull.holds })
  }

  #askFor(pull: Pull, node: NodeId): void {
    if (!this.#options.network.canReach(node)) return
    const source: Source = { node, isReady: false, has: undefined, open: new Map(), wholeAtMs: undefined, early: [] }
    pull.sources.set(node, source)
    // With the question for the head goes that for the first segment, unless others are asked for segments already.
    if (pull.layout === undefined && !pull.isLarge) source.open.set(0, 0)
    this.#ask(pull, source, [...source.open.keys()])
  }

  #fill(pull: Pull, source: Source): void {
    if (!source.isReady || pull.layout === undefined) return
    const [least, most] = WINDOW_ALONE
    const alone = Math.min(most, least + pull.segments.length - pull.missing)
    const window = pull.sources.size > 1 ? WINDOW_SHARED : alone
    const asked: number[] = []
    while (source.open.size < window) {
      const segment = this.#rarest(pull, source) ?? (source.open.size === 0 ? this.#move(pull, source) : undefined)
      if (segment === undefined) break
      pull.segments[segment] = 'asked'
      source.open.set(segment, 0)
      asked.push(segment)
    }
    if (asked.length > 0) this.#ask(pull, source, asked)
  }

  /**
   * Of the missing segments that the source has one that the fewest others have, chosen by chance, so that receivers differ. Of a
   * source that has all, each receiver asks first for its own share: what one of them has, the others have from it.
   */
  #rarest(pull: Pull, source: Source): number | undefined {
    const count = pull.segments.length
    const receivers = [...pull.sources.values()].filter(({ has }) => has !== undefined)
    const others = receivers.filter((other) => other !== source)
    if (receivers.length === 0) {
      const next = pull.segments.indexOf('missing')
      return next < 0 ? undefined : next
    }
    const { self, random } = this.#options
    const share = [self, ...receivers.map(({ node }) => node)].sort().indexOf(self)
    const first = Math.floor(random.float() * count)
    let best: number | undefined
    let bestRank = Number.POSITIVE_INFINITY
    for (let i = 0; i < count; i++) {
      const segment = (first + i) % count
      if (pull.segments[segment] !== 'missing' || source.has?.has(segment) === false) continue
      const isOfOthers = source.has === undefined && segment % (receivers.length + 1) !== share
      const rank = others.filter(({ has }) => has?.has(segment) === true).length + (isOfOthers ? MOST_SOURCES : 0)
      if (rank < bestRank) [best, bestRank] = [segment, rank]
      if (bestRank === 0) break
    }
    return best
  }

  /** Nothing is missing that is not asked for: a source with nothing to do takes one that another has not begun. */
  #move(pull: Pull, source: Source): number | undefined {
    for (const other of pull.sources.values()) {
      if (other === source || other.open.size < 2) continue
      // What was asked last is the least likely to be under way.
      for (const [segment, received] of [...other.open].reverse()) {
        if (received > 0 || pull.moved.has(segment) || source.has?.has(segment) === false) continue
        pull.moved.add(segment)
        other.open.delete(segment)
        const { number } = pull
        this.#options.network.send(other.node, { type: 'object.stop', pull: number, segments: [segment] })
        return segment
      }
    }
    return undefined
  }

  #ask(pull: Pull, { node }: Source, segments: number[]): void {
    const { number, subject } = pull
    this.#options.network.send(node, { type: 'object.pull', pull: number, subject, segments })
  }

  #take(pull: Pull, source: Source, layout: Layout, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    const segment = Math.floor(offset / segmentBytes(layout.bytes))
    const received = source.open.get(segment)
    const [start, end] = segmentRange(layout.bytes, segment)
    if (offset + bytes.length > end) throw new ProtocolError('malformed', 'a chunk runs past its segment')
    if (received === undefined || offset !== start + received) return
    pull.run.set(bytes, offset)
    source.open.set(segment, received + bytes.length)
    if (offset + bytes.length < end) return
    source.open.delete(segment)
    this.#measure(source, end - start)
    pull.segments[segment] = 'checking'
    const { run } = pull
    this.#options
      .sha256(run.subarray(start, end))
      .then((hash) => {
        // Begun anew with another layout meanwhile, or over.
        if (pull.run === run && this.#pulls.get(pull.number) === pull)
          this.#checked(pull, source, segment, sameBytes(hash, hashOf(layout, segment)))
      })
      .catch((error: unknown) => this.#options.log.error('a segment could not be taken', { error }))
  }

  #measure(source: Source, bytes: number): void {
    const now = this.#options.now()
    const ms = now - (source.wholeAtMs ?? now)
    if (ms > 0) this.#options.measured(source.node, bytes / ms)
    source.wholeAtMs = source.open.size > 0 ? now : undefined
  }

  #checked(pull: Pull, source: Source, segment: number, isRight: boolean): void {
    if (!isRight) {
      pull.segments[segment] = 'missing'
      this.#options.log.warn('a part of an object is not what its hash says', { subject: pull.key, from: source.node })
      if (pull.sources.get(source.node) === source) this.#drop(pull, source, true)
      this.#step(pull)
      return
    }
    pull.segments[segment] = 'here'
    pull.missing--
    this.#arrived(pull.key, segment)
    if (pull.missing > 0) {
      this.#step(pull)
      return
    }
    const value = this.#valueOf(pull)
    if (value !== undefined) {
      this.#finish(pull, { kind: 'value', value, holds: pull.holds })
      return
    }
    // Of whoever says the same: others may have what it should be.
    for (const each of [...pull.sources.values()]) this.#drop(pull, each, true)
    pull.layout = undefined
    this.#step(pull)
  }

  #valueOf({ run, key }: Pull): EncodedValue | undefined {
    try {
      return fromRun(run, (header) => new ByteReader(header))
    } catch (error) {
      this.#options.log.warn('an object is no value', { subject: key, error })
      return undefined
    }
  }

  /** It does not owe the segment any more. */
  #disown(pull: Pull, { open }: Source, segment: number): void {
    open.delete(segment)
    if (pull.segments[segment] === 'asked') pull.segments[segment] = 'missing'
  }

  /** What it owed is asked of another. `isTold`: it may have more to send. */
  #drop(pull: Pull, source: Source, isTold: boolean): void {
    pull.sources.delete(source.node)
    for (const segment of [...source.open.keys()]) this.#disown(pull, source, segment)
    if (isTold) this.#options.network.send(source.node, { type: 'object.stop', pull: pull.number, segments: [] })
  }

  #finish(pull: Pull, outcome: PullOutcome): void {
    this.#pulls.delete(pull.number)
    this.#byKey.delete(pull.key)
    for (const source of [...pull.sources.values()]) this.#drop(pull, source, true)
    if (outcome.kind === 'lost') this.#givenUp(pull.key)
    // Each hold is confirmed once, by whoever comes first.
    pull.callbacks.forEach((callback, index) => callback(index === 0 ? outcome : { ...outcome, holds: [] }))
  }
}
