import type { Clock, Timer } from '@shoal/base'
import { ByteReader, linkFrame, readNodeMessages } from '@shoal/protocol'
import type { Link, LinkHandlers } from '../link.ts'
import type { FaultRule } from './fault-rules.ts'

/** A link that lost something is no link any more: it ends so long after, unless the other end finds the gap before. */
const LOST_MS = 250
const DEFAULT_DELAY_MS = 100

type Bytes = Uint8Array<ArrayBuffer>
type Lane = 'control' | 'bulk'

/** What waits in one lane behind a delayed frame; the lane keeps its order, as a real one does. */
interface Held {
  readonly bytes: Bytes
  readonly atMs: number
}

/**
 * A link whose sent frames are dropped, delayed or sent twice. Dropping breaks what a link promises, so a link that lost
 * a packet or a chunk ends a moment later, as one does whose path went down; what the link itself repeats (hello, beat,
 * acknowledgement) may be lost without that. Delaying holds back all that follows in its lane.
 */
export class FaultyLink implements Link {
  readonly #link: Link
  readonly #clock: Clock
  readonly #fault: (types: readonly string[]) => FaultRule | undefined
  readonly #held: Record<Lane, Held[]> = { control: [], bulk: [] }
  readonly #timers: Partial<Record<Lane, Timer>> = {}
  #onBulkRoom: (() => void) | undefined
  #lossTimer: Timer | undefined
  #isOver = false

  constructor(link: Link, clock: Clock, fault: (types: readonly string[]) => FaultRule | undefined) {
    this.#link = link
    this.#clock = clock
    this.#fault = fault
  }

  start(handlers: LinkHandlers): void {
    this.#link.start({
      control: (bytes) => handlers.control(bytes),
      bulk: (bytes) => handlers.bulk(bytes),
      ended: (why) => {
        this.#end()
        handlers.ended(why)
      },
    })
  }

  sendControl(bytes: Bytes): void {
    this.#send('control', bytes, typesOf(bytes))
  }

  sendBulk(bytes: Bytes): void {
    this.#send('bulk', bytes, ['bulk'])
  }

  bulkRoom(): number {
    // Held chunks are not yet in the link's window: callers would pile them up here.
    return this.#held.bulk.length > 0 ? 0 : this.#link.bulkRoom()
  }

  onBulkRoom(callback: () => void): void {
    if (this.#held.bulk.length > 0 && !this.#isOver) this.#onBulkRoom = callback
    else this.#link.onBulkRoom(callback)
  }

  close(): void {
    // What was sent before goes out before, a goodbye above all.
    for (const lane of ['control', 'bulk'] as const)
      for (const { bytes } of this.#held[lane].splice(0)) this.#hand(lane, bytes)
    this.#end()
    this.#link.close()
  }

  #send(lane: Lane, bytes: Bytes, types: readonly string[]): void {
    if (this.#isOver) return
    const rule = this.#fault(types)
    if (rule?.action === 'drop') {
      this.#lose(types)
      return
    }
    const delayMs = rule?.action === 'delay' ? (rule.delayMs ?? DEFAULT_DELAY_MS) : 0
    if (rule?.action === 'duplicate') this.#pass(lane, bytes.slice(), 0)
    this.#pass(lane, bytes, delayMs)
  }

  #lose(types: readonly string[]): void {
    if (types.every((type) => type.startsWith('link.'))) return
    this.#lossTimer ??= this.#clock.after(LOST_MS, () => this.close())
  }

  #pass(lane: Lane, bytes: Bytes, delayMs: number): void {
    const held = this.#held[lane]
    if (held.length === 0 && delayMs === 0) {
      this.#hand(lane, bytes)
      return
    }
    const last = held.at(-1)?.atMs ?? 0
    held.push({ bytes, atMs: Math.max(last, this.#clock.now() + delayMs) })
    this.#arm(lane)
  }

  #arm(lane: Lane): void {
    const [first] = this.#held[lane]
    if (first === undefined || this.#timers[lane] !== undefined) return
    this.#timers[lane] = this.#clock.after(Math.max(0, first.atMs - this.#clock.now()), () => {
      delete this.#timers[lane]
      this.#release(lane)
    })
  }

  #release(lane: Lane): void {
    const held = this.#held[lane]
    for (let first = held[0]; first !== undefined && first.atMs <= this.#clock.now(); first = held[0]) {
      held.shift()
      this.#hand(lane, first.bytes)
      // Handing on may have ended the link.
      if (this.#isOver) return
    }
    if (held.length > 0) this.#arm(lane)
    else if (lane === 'bulk') this.#releaseWaiter()
  }

  #hand(lane: Lane, bytes: Bytes): void {
    if (lane === 'control') this.#link.sendControl(bytes)
    else this.#link.sendBulk(bytes)
  }

  #releaseWaiter(): void {
    const waiter = this.#onBulkRoom
    this.#onBulkRoom = undefined
    if (waiter) this.#link.onBulkRoom(waiter)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#lossTimer?.cancel()
    for (const lane of ['control', 'bulk'] as const) {
      this.#timers[lane]?.cancel()
      this.#held[lane].length = 0
    }
    this.#releaseWaiter()
  }
}

/** What a frame carries: its packet's messages, or itself. */
function typesOf(frame: Bytes): string[] {
  const read = linkFrame.read(new ByteReader(frame))
  if (read.type !== 'packet') return [`link.${read.type}`]
  return [...new Set(readNodeMessages(read.body).map(({ type }) => type as string))]
}
