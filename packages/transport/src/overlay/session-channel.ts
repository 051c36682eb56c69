import { assert, Queue } from '@shoal/base'
import type { Clock, Timer } from '@shoal/base'
import { ByteWriter, LIMITS, linkFrame, ProtocolError, readNodeMessages, writeNodeMessage } from '@shoal/protocol'
import type { LinkPacket, NodeId, NodeMessage, Session } from '@shoal/protocol'
import type { OverlayGuards } from './guards.ts'
import { ACKNOWLEDGE_MS, ACKNOWLEDGE_PACKETS, DETOUR_WINDOW_BYTES, RESEND_FIRST_MS, RESEND_LIMIT_MS } from './timing.ts'

/** The two sessions that a channel connects, from our side. */
export interface SessionPair {
  readonly from: NodeId
  readonly fromSession: Session
  readonly to: NodeId
  readonly toSession: Session
}

/**
 * What became of a packet. A gap cannot come from an honest link, which is reliable and ordered: it lost something. On a
 * detour, where a relay may drop or die, it is only sent again.
 */
export type PacketVerdict = 'taken' | 'repeated' | 'gap'

export type SendFrame = (frame: Uint8Array<ArrayBuffer>) => void

interface SentPacket {
  readonly number: number
  readonly body: Uint8Array<ArrayBuffer>
}

/**
 * All messages between two sessions, in order and once, over one link after the other. Messages are written straight
 * into one buffer; a microtask later the buffer becomes a packet: numbered, kept until it is acknowledged, sent again
 * when the next link is attached, or over a second way when acknowledgements stay away. On a detour no more than a window
 * is under way. It knows nothing of how links and ways come to be, and gives up only when it is closed.
 *
 * Unacknowledged packets have no bound here: who sends knows what its work is worth and asks `unacknowledgedBytes`.
 */
export class SessionChannel {
  readonly #pair: SessionPair
  readonly #clock: Clock
  readonly #guards: OverlayGuards
  readonly #deliver: (message: NodeMessage) => void
  readonly #body = new ByteWriter(4096)
  readonly #frame = new ByteWriter(4096)
  readonly #unacknowledged = new Queue<SentPacket>()
  #unacknowledgedBytes = 0
  #sendFrame: SendFrame | undefined
  #window = Number.POSITIVE_INFINITY
  #sentNumber = 0
  /** Packets up to this number went over what is attached now, of which so many bytes are not acknowledged. */
  #underWayNumber = 0
  #underWayBytes = 0
  /** When we last heard that something arrived, or began to wait for it. */
  #progressAt = 0
  #resendAfterMs = RESEND_FIRST_MS
  #receivedNumber = 0
  /** Packets received since we last said what we have. */
  #owedPackets = 0
  #acknowledgeTimer: Timer | undefined
  #isFlushDue = false
  #isClosed = false

  constructor(options: {
    readonly pair: SessionPair
    readonly clock: Clock
    readonly guards: OverlayGuards
    /** Called once for each message; must not throw. */
    readonly deliver: (message: NodeMessage) => void
  }) {
    this.#pair = options.pair
    this.#clock = options.clock
    this.#guards = options.guards
    this.#deliver = options.deliver
  }

  /** Bytes of messages that the other side has not acknowledged, those still in the buffer included. */
  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes + this.#body.length
  }

  /** A link or a detour is there: everything not acknowledged goes over it, and all that follows. */
  attach(sendFrame: SendFrame, kind: 'link' | 'detour' = 'link'): void {
    if (this.#isClosed) return
    this.#sendFrame = sendFrame
    this.#window = kind === 'link' ? Number.POSITIVE_INFINITY : DETOUR_WINDOW_BYTES
    this.#progressAt = this.#clock.now()
    this.#resendAfterMs = RESEND_FIRST_MS
    this.#underWayBytes = 0
    const oldest = this.#guards.resends ? this.#unacknowledged.peek() : undefined
    this.#underWayNumber = oldest === undefined ? this.#sentNumber : oldest.number - 1
    this.#pump()
    if (this.#receivedNumber > 0) this.#acknowledgeNow(sendFrame)
  }

  /** Now and then; `second` is another way to the peer, where there is one. */
  tick(now: number, second: () => SendFrame | undefined): void {
    if (this.#unacknowledged.length === 0 || this.#sendFrame === undefined || !this.#guards.resends) return
    if (now - this.#progressAt < this.#resendAfterMs) return
    const isDetour = Number.isFinite(this.#window)
    const way = second() ?? (isDetour ? this.#sendFrame : undefined)
    if (way === undefined) return
    this.#progressAt = now
    this.#resendAfterMs = Math.min(RESEND_LIMIT_MS, 2 * this.#resendAfterMs)
    let bytes = 0
    for (const packet of this.#unacknowledged) {
      if (bytes > 0 && bytes + packet.body.length > DETOUR_WINDOW_BYTES) break
      bytes += packet.body.length
      this.#transmit(packet, way)
    }
  }

  detach(): void {
    this.#sendFrame = undefined
    this.#acknowledgeTimer?.cancel()
    this.#acknowledgeTimer = undefined
  }

  /** Throws, and sends nothing of it, when the message does not fit its schema or is too large for a packet. */
  send(message: NodeMessage): void {
    if (this.#isClosed) return
    const start = this.#body.length
    try {
      writeNodeMessage(this.#body, message)
      assert(this.#body.length - start <= LIMITS.controlMessageBytes, `a ${message.type} message is too large`)
    } catch (error) {
      this.#body.truncate(start)
      throw error
    }
    if (this.#body.length > LIMITS.controlMessageBytes) this.#cutAt(start)
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    queueMicrotask(() => {
      this.flush()
    })
  }

  /** Makes a packet of what waits in the buffer. */
  flush(): void {
    this.#isFlushDue = false
    if (!this.#isClosed && this.#body.length > 0) this.#pack(this.#body.finish())
  }

  /**
   * Takes a packet of the pair's other side, and delivers its messages unless they were before. What came over a detour
   * is acknowledged over it: our own link may be one that works the other way only.
   */
  receive(packet: LinkPacket, back?: SendFrame): PacketVerdict {
    if (this.#isClosed) return 'repeated'
    this.acknowledge(packet.acknowledged)
    if (packet.number > this.#receivedNumber + 1) {
      if (back !== undefined) this.#acknowledgeNow(back)
      return 'gap'
    }
    const isRepeated = packet.number <= this.#receivedNumber
    // Counted before it is read: a packet that cannot be read now never can, and must not be asked for again.
    if (!isRepeated) this.#receivedNumber = packet.number
    if (back === undefined || this.#sendFrame === back) this.#owe()
    else this.#acknowledgeNow(back)
    if (isRepeated && this.#guards.dropsRepeats) return 'repeated'
    for (const message of readNodeMessages(packet.body)) {
      if (this.#isClosed) break
      this.#deliver(message)
    }
    return 'taken'
  }

  /** The other side has everything up to `number`. */
  acknowledge(number: number): void {
    if (number > this.#sentNumber) throw new ProtocolError('malformed', 'an acknowledgement of what was never sent')
    for (let packet = this.#unacknowledged.peek(); packet; packet = this.#unacknowledged.peek()) {
      if (packet.number > number) break
      this.#unacknowledged.shift()
      this.#unacknowledgedBytes -= packet.body.length
      if (packet.number <= this.#underWayNumber) this.#underWayBytes -= packet.body.length
      this.#progressAt = this.#clock.now()
      this.#resendAfterMs = RESEND_FIRST_MS
    }
    this.#underWayNumber = Math.max(this.#underWayNumber, number)
    this.#pump()
  }

  /** The pair is over: nothing is sent or delivered any more. */
  close(): void {
    this.detach()
    this.#isClosed = true
    this.#unacknowledged.clear()
    this.#unacknowledgedBytes = 0
    this.#body.truncate(0)
  }

  /** The last message made the buffer too long: what came before it is a packet of its own. */
  #cutAt(start: number): void {
    const all = this.#body.finish()
    this.#pack(all.slice(0, start))
    this.#body.raw(all.subarray(start))
  }

  #pack(body: Uint8Array<ArrayBuffer>): void {
    const packet = { number: ++this.#sentNumber, body }
    if (this.#unacknowledged.length === 0) this.#progressAt = this.#clock.now()
    this.#unacknowledged.push(packet)
    this.#unacknowledgedBytes += body.length
    if (this.#underWayNumber === packet.number - 1) this.#start(packet)
  }

  /** Sends what has not gone over what is attached now, as far as the window reaches. */
  #pump(): void {
    if (this.#sendFrame === undefined || this.#underWayNumber >= this.#sentNumber) return
    for (const packet of this.#unacknowledged) {
      if (packet.number > this.#underWayNumber && !this.#start(packet)) return
    }
  }

  #start(packet: SentPacket): boolean {
    if (this.#sendFrame === undefined || this.#underWayBytes >= this.#window) return false
    this.#underWayNumber = packet.number
    this.#underWayBytes += packet.body.length
    this.#transmit(packet, this.#sendFrame)
    return true
  }

  #transmit(packet: SentPacket, sendFrame: SendFrame): void {
    const acknowledged = this.#receivedNumber
    linkFrame.write(this.#frame, { type: 'packet', ...this.#pair, ...packet, acknowledged })
    if (sendFrame === this.#sendFrame) this.#owedPackets = 0
    sendFrame(this.#frame.finish())
  }

  /** One timer at a time, left to run when a packet carries the number meanwhile: cheaper than one a packet. */
  #owe(): void {
    this.#owedPackets++
    if (this.#owedPackets >= ACKNOWLEDGE_PACKETS) this.#acknowledgeNow(this.#sendFrame)
    else
      this.#acknowledgeTimer ??= this.#clock.after(ACKNOWLEDGE_MS, () => {
        this.#acknowledgeTimer = undefined
        if (this.#owedPackets > 0) this.#acknowledgeNow(this.#sendFrame)
      })
  }

  #acknowledgeNow(sendFrame: SendFrame | undefined): void {
    if (sendFrame === undefined) return
    if (sendFrame === this.#sendFrame) this.#owedPackets = 0
    linkFrame.write(this.#frame, { type: 'acknowledge', ...this.#pair, acknowledged: this.#receivedNumber })
    sendFrame(this.#frame.finish())
  }
}
