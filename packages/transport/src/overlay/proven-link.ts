// Long because one state machine reads all frames of a link, and half of what it says is to whom it hands them.
import { unreachable } from '@shoal/base'
import type { Clock, Log } from '@shoal/base'
import {
  ByteReader,
  ByteWriter,
  LIMITS,
  linkFrame,
  PROTOCOL_VERSION,
  ProtocolError,
  routedChunk,
} from '@shoal/protocol'
import type { Crypto, LinkFrame, LinkHello, LinkPacket, NodeId, RoutedChunk, Session } from '@shoal/protocol'
import type { OpenLink } from '../connector.ts'
import { BeatMeter } from './beat-meter.ts'
import { FaultCounter } from './fault-counter.ts'
import type { OverlayGuards } from './guards.ts'
import { signHello, verifyHello } from './hello.ts'
import type { LinkIdentity } from './hello.ts'
import { LINK_SILENCE_MS, PROOF_MS } from './timing.ts'
import type { Traffic } from './traffic.ts'

export type LinkGoodbye = Extract<LinkFrame, { type: 'goodbye' }>['reason']
/** `link` is the link's own end, `closed` ours; the others are verdicts on the peer. */
export type ProvenLinkEnd = 'link' | 'closed' | 'silent' | 'faults' | 'gap' | 'version' | 'denied'

export interface ProvenLinkHandlers {
  /** Both keys are proven and both sides know it: packets may be sent. Said at most once. */
  proven(publicKey: Uint8Array<ArrayBuffer>): void
  /** Frames of the proven peer. What they throw as ProtocolError counts as the peer's fault. */
  packet(packet: LinkPacket): void
  acknowledged(number: number): void
  bulk(pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void
  /** What the peer says about the room, or carries for others. */
  room(frame: RoomFrame): void
  routedChunk(chunk: RoutedChunk): void
  goodbye(): void
  heard(): void
  /** Said once, last. */
  ended(why: ProvenLinkEnd): void
}

/** Frames that are not between the two ends alone. */
export type RoomFrame = Extract<LinkFrame, { type: 'routed' | 'known' | 'reports' }>

type State =
  | {
      readonly kind: 'proving'
      theirKey: Uint8Array<ArrayBuffer> | undefined
      isChecking: boolean
      isConfirmed: boolean
    }
  | { readonly kind: 'open'; readonly publicKey: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'ended' }

/** The place of `hello` in the frame union; with the version behind it, it is read before anything else is trusted. */
const HELLO_PLACE = 0
const HEADER_BYTES = 64
/** Where all links write their frames, one after another: each is copied out at once. */
const frames = new ByteWriter(1024)
/** Pulls are numbered from 1: a 0 in its place says that the chunk is carried for others. */
const ROUTED = 0

/**
 * One link to one session of one node, from the moment the connection opened. Each side says hello until the other
 * answers with something else than a hello, for what is sent while a channel is handed between threads can be lost.
 * A beat is the answer: "I have verified your key". Afterwards beats show that the link lives and measure it.
 *
 *   proving --their key verified, ours confirmed--> open --end of the link, silence, faults--> ended
 *
 * It knows nothing of message numbers, of other links or of trying again. It has no timer: `tick` is called.
 */
export class ProvenLink {
  readonly #options: ProvenLinkOptions
  readonly #faults: FaultCounter
  readonly #beats: BeatMeter
  readonly #startedAt: number
  #state: State = { kind: 'proving', theirKey: undefined, isChecking: false, isConfirmed: false }
  #hello: Uint8Array<ArrayBuffer> | undefined
  #heardAt: number

  constructor(options: ProvenLinkOptions) {
    this.#options = options
    this.#faults = new FaultCounter(options.clock)
    this.#beats = new BeatMeter(options.clock, options.traffic)
    this.#startedAt = this.#heardAt = options.clock.now()
  }

  get isDirect(): boolean {
    return this.#options.opened.isDirect
  }

  get startedAt(): number {
    return this.#startedAt
  }

  /** Begins the handshake; handlers may be called from inside. */
  start(): void {
    const options = this.#options
    options.opened.link.start({
      control: (bytes) => {
        this.#guarded(() => this.#control(bytes), bytes.length)
      },
      bulk: (bytes) => {
        this.#guarded(() => this.#bulk(bytes), bytes.length)
      },
      ended: () => {
        this.end('link')
      },
    })
    const { self, peer, peerSession, opened } = options
    const own = { node: self.node, session: self.session, fingerprint: opened.localFingerprint }
    const other = { node: peer, session: peerSession, fingerprint: opened.remoteFingerprint }
    signHello(self, { room: self.room, own, other }).then(
      (hello) => {
        this.#hello = hello
        this.#sayHello()
      },
      (error: unknown) => {
        options.log.error('a hello could not be signed', { error })
        this.end('closed')
      },
    )
  }

  sendControl(frame: Uint8Array<ArrayBuffer>): void {
    this.#options.traffic.bytesSent += frame.length
    this.#options.opened.link.sendControl(frame)
  }

  /** Copies the chunk once, behind its header. */
  sendBulk(pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    const header = new ByteWriter(HEADER_BYTES)
    header.varint(pull)
    header.varint(offset)
    header.varint(bytes.length)
    const frame = new Uint8Array(header.length + bytes.length)
    frame.set(header.view())
    frame.set(bytes, header.length)
    this.#options.traffic.bytesSent += frame.length
    this.#options.opened.link.sendBulk(frame)
  }

  /** As `sendBulk`, for a chunk that another node gets. */
  sendRoutedChunk(chunk: RoutedChunk): void {
    const writer = new ByteWriter(chunk.bytes.length + 2 * HEADER_BYTES)
    writer.varint(ROUTED)
    routedChunk.write(writer, chunk)
    const frame = writer.finish()
    this.#options.traffic.bytesSent += frame.length
    this.#options.opened.link.sendBulk(frame)
  }

  write(frame: LinkFrame): void {
    // Of one that did not fit its schema.
    frames.truncate(0)
    linkFrame.write(frames, frame)
    this.sendControl(frames.finish())
  }

  bulkRoom(): number {
    return this.#state.kind === 'open' ? this.#options.opened.link.bulkRoom() : 0
  }

  onBulkRoom(callback: () => void): void {
    this.#options.opened.link.onBulkRoom(callback)
  }

  /** Every BEAT_MS. `hasOverslept`: we were frozen ourselves, so what we did not hear says nothing about the peer. */
  tick(now: number, hasOverslept: boolean): void {
    if (hasOverslept) this.#heardAt = now
    if (now - this.#heardAt > LINK_SILENCE_MS) this.end('silent')
    if (this.#state.kind === 'proving') {
      if (now - this.#startedAt > PROOF_MS && !hasOverslept) this.end('silent')
      else this.#sayHello()
    }
    this.#beat()
  }

  /** A fault found by whoever read the messages. */
  fault(error: ProtocolError): void {
    this.#options.traffic.faults++
    this.#options.log.warn('a peer sent what it must not', { code: error.code, reason: error.message })
    if (this.#faults.add()) this.end('faults')
  }

  /** Ends the link; with a reason, after saying it. */
  close(goodbye?: LinkGoodbye): void {
    if (goodbye !== undefined) this.#sayGoodbye(goodbye)
    this.end('closed')
  }

  /** Ends the link without a word. */
  end(why: ProvenLinkEnd): void {
    if (this.#state.kind === 'ended') return
    this.#state = { kind: 'ended' }
    this.#options.opened.link.close()
    this.#options.handlers.ended(why)
  }

  /** Nothing that a peer sends throws into the loop that dispatches it. */
  #guarded(handle: () => void, length: number): void {
    if (this.#state.kind === 'ended') return
    this.#options.traffic.bytesReceived += length
    this.#heardAt = this.#options.clock.now()
    try {
      handle()
    } catch (error) {
      if (error instanceof ProtocolError) this.fault(error)
      else this.#options.log.error('a frame could not be handled', { error })
    }
  }

  #control(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isOfAnotherVersion(bytes)) {
      this.#sayGoodbye('version')
      this.end('version')
      return
    }
    const reader = new ByteReader(bytes)
    const frame = linkFrame.read(reader)
    if (!reader.isDone) throw new ProtocolError('malformed', 'bytes after the end of a frame')
    switch (frame.type) {
      case 'hello':
        this.#onHello(frame)
        return
      case 'goodbye':
        this.#onGoodbye(frame)
        return
      case 'beat':
        this.#mustBePeer(frame.session)
        this.#beats.heard(frame.sentAtMs, frame.echoMs)
        this.#confirm()
        break
      case 'packet':
      case 'acknowledge':
        this.#mustConnectUs(frame)
        this.#confirm()
        if (this.#state.kind !== 'open') throw new ProtocolError('denied', `a ${frame.type} before its hello`)
        if (frame.type === 'packet') this.#options.handlers.packet(frame)
        else this.#options.handlers.acknowledged(frame.acknowledged)
        break
      case 'routed':
      case 'known':
      case 'reports':
        this.#confirm()
        if (this.#state.kind !== 'open') throw new ProtocolError('denied', `a ${frame.type} before its hello`)
        this.#options.handlers.room(frame)
        break
      case 'signal':
      case 'taken':
        throw new ProtocolError('denied', `a ${frame.type} that is not routed`)
      default:
        unreachable(frame)
    }
    this.#tellHeard()
  }

  #bulk(bytes: Uint8Array<ArrayBuffer>): void {
    // The lanes keep no order between them: a chunk may overtake the beat that confirms.
    this.#confirm()
    if (this.#state.kind !== 'open') throw new ProtocolError('denied', 'bulk before its hello')
    const reader = new ByteReader(bytes)
    const pull = reader.varint()
    if (pull === ROUTED) {
      const routed = routedChunk.read(reader)
      if (!reader.isDone) throw new ProtocolError('malformed', 'bytes after the end of a chunk')
      this.#options.handlers.routedChunk(routed)
      this.#tellHeard()
      return
    }
    const offset = reader.varint()
    const chunk = reader.bytes(LIMITS.bulkChunkBytes)
    if (!reader.isDone) throw new ProtocolError('malformed', 'bytes after the end of a chunk')
    this.#options.handlers.bulk(pull, offset, chunk)
    this.#tellHeard()
  }

  #isOfAnotherVersion(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (bytes[0] !== HELLO_PLACE) return false
    const reader = new ByteReader(bytes)
    reader.u8()
    return reader.varint() !== PROTOCOL_VERSION
  }

  #onHello(hello: LinkHello): void {
    const state = this.#state
    // A repeated hello means that our answer was lost.
    if (state.kind === 'open' || (state.kind === 'proving' && state.theirKey !== undefined)) {
      this.#beat()
      return
    }
    if (state.kind === 'ended' || state.isChecking) return
    state.isChecking = true
    const { self, peer, peerSession, opened, crypto, guards } = this.#options
    const own = { node: peer, session: peerSession, fingerprint: opened.remoteFingerprint }
    const other = { node: self.node, session: self.session, fingerprint: opened.localFingerprint }
    verifyHello(crypto, hello, { room: self.room, own, other }).then(
      (isProven) => {
        this.#onChecked(hello.publicKey, isProven || !guards.provesKeys)
      },
      (error: unknown) => {
        this.#options.log.warn('a hello could not be checked', { error })
        this.#onChecked(hello.publicKey, false)
      },
    )
  }

  #onChecked(publicKey: Uint8Array<ArrayBuffer>, isProven: boolean): void {
    if (this.#state.kind !== 'proving') return
    if (!isProven) {
      this.#options.traffic.faults++
      this.#options.log.warn('a hello does not prove its node', { peer: this.#options.peer })
      this.#sayGoodbye('denied')
      this.end('denied')
      return
    }
    this.#state.theirKey = publicKey
    this.#beat()
    this.#openIfProven()
  }

  /** The peer sent what it only sends after it verified our hello. */
  #confirm(): void {
    if (this.#state.kind !== 'proving') return
    this.#state.isConfirmed = true
    this.#openIfProven()
  }

  #openIfProven(): void {
    const state = this.#state
    if (state.kind !== 'proving' || state.theirKey === undefined || !state.isConfirmed) return
    this.#state = { kind: 'open', publicKey: state.theirKey }
    this.#options.handlers.proven(state.theirKey)
  }

  #onGoodbye(frame: Extract<LinkFrame, { type: 'goodbye' }>): void {
    if (frame.reason === 'version') this.end('version')
    else if (frame.reason === 'denied') this.end('denied')
    else if (this.#state.kind === 'proving' && this.#state.theirKey === undefined) this.end('link')
    else {
      this.#mustBePeer(frame.session)
      this.#options.handlers.goodbye()
    }
  }

  #mustBePeer(session: Session): void {
    if (session !== this.#options.peerSession) throw new ProtocolError('stale', 'a frame of another session')
  }

  /** A packet that is not inside a `routed` frame is between the two ends. */
  #mustConnectUs(frame: {
    readonly from: NodeId
    readonly fromSession: Session
    readonly to: NodeId
    readonly toSession: Session
  }): void {
    const { self, peer } = this.#options
    if (frame.from !== peer || frame.to !== self.node) throw new ProtocolError('denied', 'a packet of other nodes')
    this.#mustBePeer(frame.fromSession)
    if (frame.toSession !== self.session) throw new ProtocolError('stale', 'a packet for another session')
  }

  #tellHeard(): void {
    if (this.#state.kind === 'open') this.#options.handlers.heard()
  }

  #sayHello(): void {
    if (this.#state.kind === 'proving' && !this.#state.isConfirmed && this.#hello !== undefined) {
      this.sendControl(this.#hello.slice())
    }
  }

  /** Sent only to a peer whose key is verified: it is what tells it so. */
  #beat(): void {
    const state = this.#state
    if (state.kind === 'ended' || (state.kind === 'proving' && state.theirKey === undefined)) return
    this.write({ type: 'beat', session: this.#options.self.session, ...this.#beats.next() })
  }

  #sayGoodbye(reason: LinkGoodbye): void {
    if (this.#state.kind === 'ended') return
    this.write({ type: 'goodbye', session: this.#options.self.session, reason })
  }
}

export interface ProvenLinkOptions {
  readonly self: LinkIdentity
  readonly peer: NodeId
  readonly peerSession: Session
  readonly opened: OpenLink
  readonly clock: Clock
  readonly crypto: Crypto
  readonly guards: OverlayGuards
  readonly log: Log
  readonly traffic: Traffic
  readonly handlers: ProvenLinkHandlers
}
