import { assert, Queue } from '@shoal/base'
import type { Clock, Timer } from '@shoal/base'
import { ByteWriter, LIMITS, linkFrame, ProtocolError, readNodeMessages, writeNodeMessage } from '@shoal/protocol'
import type { LinkPacket, NodeId, NodeMessage, Session } from '@shoal/protocol'
import type { OverlayGuards } from './guards.ts'
import { ACKNOWLEDGE_MS, ACKNOWLEDGE_PACKETS } from './timing.ts'

/** The two sessions that a channel connects, from our side. */
export interface SessionPair {
  readonly from: NodeId
  readonly fromSession: Session
  readonly to: NodeId
  readonly toSession: Session
}

/** What became of a packet. A gap cannot come from an honest link, which is reliable and ordered: it lost something. */
export type PacketVerdict = 'taken' | 'repeated' | 'gap'

interface SentPacket {
  readonly number: number
  readonly body: Uint8Array<ArrayBuffer>
}

/**
 * All messages between two sessions, in order and once, over one link after the other. Messages are written straight
 * into one buffer; a microtask later the buffer becomes a packet: numbered, kept until it is acknowledged, sent again
 * when the next link is attached. It knows nothing of how links come to be, and gives up only when it is closed.
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
  #sendFrame: ((frame: Uint8Array<ArrayBuffer>) => void) | undefined
  #sentNumber = 0
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

  /** A link is there: everything not acknowledged goes over it, and all that follows. */
  attach(sendFrame: (frame: Uint8Array<ArrayBuffer>) => void): void {
    if (this.#isClosed) return
    this.#sendFrame = sendFrame
    if (this.#guards.resends) for (const packet of this.#unacknowledged) this.#transmit(packet)
    if (this.#receivedNumber > 0) this.#acknowledgeNow()
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

  /** Takes a packet of the pair's other side, and delivers its messages unless they were before. */
  receive(packet: LinkPacket): PacketVerdict {
    if (this.#isClosed) return 'repeated'
    this.acknowledge(packet.acknowledged)
    if (packet.number > this.#receivedNumber + 1) return 'gap'
    const isRepeated = packet.number <= this.#receivedNumber
    // Counted before it is read: a packet that cannot be read now never can, and must not be asked for again.
    if (!isRepeated) this.#receivedNumber = packet.number
    this.#owe()
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
      if (packet.number > number) return
      this.#unacknowledged.shift()
      this.#unacknowledgedBytes -= packet.body.length
    }
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
    this.#unacknowledged.push(packet)
    this.#unacknowledgedBytes += body.length
    this.#transmit(packet)
  }

  #transmit(packet: SentPacket): void {
    if (this.#sendFrame === undefined) return
    const acknowledged = this.#receivedNumber
    linkFrame.write(this.#frame, { type: 'packet', ...this.#pair, ...packet, acknowledged })
    this.#owedPackets = 0
    this.#sendFrame(this.#frame.finish())
  }

  /** One timer at a time, left to run when a packet carries the number meanwhile: cheaper than one a packet. */
  #owe(): void {
    this.#owedPackets++
    if (this.#owedPackets >= ACKNOWLEDGE_PACKETS) this.#acknowledgeNow()
    else
      this.#acknowledgeTimer ??= this.#clock.after(ACKNOWLEDGE_MS, () => {
        this.#acknowledgeTimer = undefined
        if (this.#owedPackets > 0) this.#acknowledgeNow()
      })
  }

  #acknowledgeNow(): void {
    if (this.#sendFrame === undefined) return
    this.#owedPackets = 0
    linkFrame.write(this.#frame, { type: 'acknowledge', ...this.#pair, acknowledged: this.#receivedNumber })
    this.#sendFrame(this.#frame.finish())
  }
}
