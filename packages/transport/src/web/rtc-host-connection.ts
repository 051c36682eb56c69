import { toError } from '@shoal/base'
import type { Log } from '@shoal/base'
import type SimplePeer from 'simple-peer'
import { ChannelLane } from './channel-lane.ts'
import { findPath } from './connection-path.ts'
import type { Lane } from './lane.ts'
import type { SimplePeerClass } from './load-simple-peer.ts'
import { LANE_IDS } from './rtc-messages.ts'
import type { FromRtcHost, LaneName, ToRtcHost } from './rtc-messages.ts'

/** The only word on simple-peer's own channel. */
const GOODBYE = 'goodbye'

/** The parts of simple-peer that its types leave out. */
interface PeerInside {
  readonly _pc: RTCPeerConnection
  readonly _channel: RTCDataChannel | null
}

interface Parts {
  readonly iceServers: readonly RTCIceServer[]
  readonly log: Log
  readonly forcesForwarding?: boolean
  post(message: FromRtcHost, transfer?: Transferable[]): void
  forget(): void
}

/**
 * One connection on the page: a simple-peer whose own channel carries goodbyes, and the two channels of the link.
 * States: new (signals wait) -> begun -> connected -> ended.
 */
export class RtcHostConnection {
  readonly #id: number
  readonly #parts: Parts
  #peer: SimplePeer.Instance | undefined
  #early: string[] = []
  #forwarding: Readonly<Record<LaneName, Lane>> | undefined
  #isEnded = false
  #saidGoodbye = false
  #error: Error | undefined

  constructor(id: number, parts: Parts) {
    this.#id = id
    this.#parts = parts
  }

  begin(Peer: SimplePeerClass, isInitiator: boolean): void {
    if (this.#isEnded) return
    const peer = new Peer({ initiator: isInitiator, config: { iceServers: [...this.#parts.iceServers] } })
    const connection = (peer as unknown as PeerInside)._pc
    this.#peer = peer
    peer.on('signal', (signal) => this.#post({ type: 'signal', id: this.#id, data: JSON.stringify(signal) }))
    peer.on('connect', () => {
      // The stream drops what it has not passed on when the connection ends, which is just when goodbyes come.
      const own = (peer as unknown as PeerInside)._channel
      own?.addEventListener('message', (event: MessageEvent<unknown>) => this.#heard(event.data))
      void this.#connected(connection)
    })
    peer.resume() // What comes over its own channel is read beside the stream, below.
    peer.on('error', (error) => {
      this.#error = error
    })
    peer.on('close', () => this.#end())
    if (!connection) return // The constructor was refused; the error comes by event.
    // Channels can be transferred only in the task that made them.
    const make = (name: LaneName): RTCDataChannel =>
      connection.createDataChannel(name, { negotiated: true, id: LANE_IDS[name] })
    this.#handOver(make('control'), make('bulk'))
    for (const signal of this.#early.splice(0)) this.#accept(signal)
  }

  receive(message: Exclude<ToRtcHost, { type: 'connect' }>): void {
    if (message.type === 'signal') {
      if (this.#peer) this.#accept(message.data)
      else this.#early.push(message.data)
    } else if (message.type === 'close') {
      this.close()
    } else {
      const lane = this.#forwarding?.[message.lane]
      if (message.type === 'finish') lane?.close()
      else if (message.type === 'say') lane?.say(message.text)
      else lane?.send(message.bytes)
    }
  }

  sayGoodbye(): void {
    try {
      if (this.#peer?.connected) this.#peer.send(GOODBYE)
    } catch (error) {
      this.#parts.log.debug?.('a goodbye could not be sent', { error: toError(error).message })
    }
  }

  fail(reason: string): void {
    this.#error = new Error(reason)
    this.close()
    this.#end()
  }

  close(): void {
    if (this.#peer) this.#peer.destroy()
    else this.#end()
  }

  #heard(word: unknown): void {
    if (word !== GOODBYE || this.#saidGoodbye) return
    this.#saidGoodbye = true
    this.#post({ type: 'goodbye', id: this.#id })
  }

  #handOver(control: RTCDataChannel, bulk: RTCDataChannel): void {
    if (!this.#parts.forcesForwarding) {
      try {
        // The types of the platform do not list channels among what can be transferred yet.
        const channels = [control, bulk] as unknown as Transferable[]
        this.#post({ type: 'channels', id: this.#id, control, bulk }, channels)
        return
      } catch (error) {
        this.#parts.log.info?.('channels stay on the page', { error: toError(error).message })
      }
    }
    this.#post({ type: 'forwarding', id: this.#id })
    this.#forwarding = { control: this.#forwardingOf('control', control), bulk: this.#forwardingOf('bulk', bulk) }
  }

  #forwardingOf(name: LaneName, channel: RTCDataChannel): Lane {
    const id = this.#id
    return new ChannelLane(channel, {
      opened: () => this.#post({ type: 'lane-open', id, lane: name }),
      message: (bytes) => this.#post({ type: 'lane-message', id, lane: name, bytes }, [bytes.buffer]),
      said: (text) => this.#post({ type: 'lane-said', id, lane: name, text }),
      closed: (isFailure) => this.#post({ type: 'lane-closed', id, lane: name, isFailure }),
    })
  }

  /** Signals come from another tab: only what connecting needs is passed to simple-peer, which would add media too. */
  #accept(data: string): void {
    const signal = parseSignal(data)
    if (signal === undefined) this.#parts.log.warn('a signal was dropped', { length: data.length })
    else if (this.#peer && !this.#peer.destroyed) this.#peer.signal(signal)
  }

  async #connected(connection: RTCPeerConnection): Promise<void> {
    try {
      const path = await findPath(connection)
      if (!this.#isEnded) this.#post({ type: 'connected', id: this.#id, ...path })
    } catch (error) {
      this.fail(`the path could not be read: ${toError(error).message}`)
    }
  }

  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    const reason = this.#error?.message ?? 'closed by the other side'
    // "User-Initiated Abort" is how the other side's ordinary close reads here.
    const isFailure = this.#error !== undefined && !/user-initiated abort/i.test(reason)
    this.#post({ type: 'ended', id: this.#id, isFailure, reason })
    this.#parts.forget()
  }

  #post(message: FromRtcHost, transfer?: Transferable[]): void {
    this.#parts.post(message, transfer)
  }
}

function parseSignal(data: string): SimplePeer.SignalData | undefined {
  let signal: unknown
  try {
    signal = JSON.parse(data)
  } catch {
    return undefined
  }
  if (typeof signal !== 'object' || signal === null) return undefined
  const { type, sdp, candidate } = signal as Record<string, unknown>
  if ((type === 'offer' || type === 'answer') && typeof sdp === 'string') return { type, sdp }
  if (type === 'candidate' && typeof candidate === 'object' && candidate !== null) {
    return { type, candidate: candidate as RTCIceCandidate }
  }
  return undefined
}
