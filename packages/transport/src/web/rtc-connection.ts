import type { Connection, ConnectionHandlers } from '../connector.ts'
import type { LinkEnd } from '../link.ts'
import { ChannelLane } from './channel-lane.ts'
import { ForwardedLane } from './forwarded-lane.ts'
import type { Lane, LaneHandlers } from './lane.ts'
import { RtcLink } from './rtc-link.ts'
import type { FromRtcHost, LaneName, ToRtcHost } from './rtc-messages.ts'

/** How long what was sent before a close may take to leave before the connection under it is taken down. */
const FLUSH_MS = 2000
/** How long after one lane or the connection itself ended the rest may take to be delivered. */
const END_MS = 200

type HostMessage = Exclude<FromRtcHost, { type: 'ready' }>
type Connected = Extract<FromRtcHost, { type: 'connected' }>
type LaneReport = Extract<FromRtcHost, { lane: LaneName }>

/** The way to the page. */
interface HostPort {
  post(message: ToRtcHost, transfer?: Transferable[]): void
  /** No more is expected about this connection. */
  forget(): void
}

/**
 * One connection as the node worker sees it.
 *
 *     connecting --lanes open, path known--> open --a lane or the connection ends--> ending --all quiet--> over
 *         |                                   '--closed here--> flushing --all sent--------------------------^
 *         '--failed or given up--> over
 */
export class RtcConnection implements Connection {
  readonly #id: number
  readonly #handlers: ConnectionHandlers
  readonly #port: HostPort
  #state: 'connecting' | 'open' | 'ending' | 'flushing' | 'over' = 'connecting'
  #lanes: { readonly control: Lane; readonly bulk: Lane } | undefined
  #link: RtcLink | undefined
  #connected: Connected | undefined
  readonly #closedLanes = new Set<LaneName>()
  #hasHostEnded = false
  #end: LinkEnd = 'closed-there'
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(id: number, handlers: ConnectionHandlers, port: HostPort) {
    this.#id = id
    this.#handlers = handlers
    this.#port = port
  }

  accept(data: string): void {
    if (this.#state !== 'over') this.#port.post({ type: 'signal', id: this.#id, data })
  }

  close(): void {
    if (this.#state === 'connecting') this.#fail('given up')
    else this.#link?.close()
  }

  receive(message: HostMessage): void {
    if (this.#state === 'over') return
    switch (message.type) {
      case 'signal':
        this.#handlers.signal(message.data)
        break
      case 'channels':
        this.#take({
          control: new ChannelLane(message.control, this.#laneHandlers('control')),
          bulk: new ChannelLane(message.bulk, this.#laneHandlers('bulk')),
        })
        break
      case 'forwarding':
        this.#take({ control: this.#forwardedLane('control'), bulk: this.#forwardedLane('bulk') })
        break
      case 'connected':
        this.#connected = message
        for (const lane of Object.values(this.#lanes ?? {})) if (lane instanceof ChannelLane) lane.check()
        this.#openWhenReady()
        break
      case 'goodbye':
        this.#handlers.goodbye?.()
        break
      case 'ended':
        this.#hasHostEnded = true
        if (this.#state === 'connecting') this.#fail(message.reason)
        else this.#endSoon(message.isFailure)
        break
      default:
        this.#report(message)
    }
  }

  #take(lanes: { readonly control: Lane; readonly bulk: Lane }): void {
    this.#lanes = lanes
    this.#link = new RtcLink(lanes, () => this.#flush())
    this.#openWhenReady()
  }

  #laneHandlers(name: LaneName): LaneHandlers {
    return {
      opened: () => this.#openWhenReady(),
      message: (bytes) => this.#link?.received(name, bytes),
      said: (text) => this.#link?.said(name, text),
      closed: (isFailure) => {
        this.#closedLanes.add(name)
        if (this.#state === 'connecting') this.#fail('a channel closed before it opened')
        else if (this.#state === 'flushing' && this.#closedLanes.size === 2) this.#finish('closed-here')
        else if (this.#state === 'open' || this.#state === 'ending') this.#endSoon(isFailure)
      },
    }
  }

  #forwardedLane(lane: LaneName): ForwardedLane {
    return new ForwardedLane(this.#laneHandlers(lane), {
      post: (bytes) => {
        // Moving a view would take everything around it along.
        const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
        this.#port.post({ type: 'send', id: this.#id, lane, bytes: own }, [own.buffer])
      },
      finish: () => this.#port.post({ type: 'finish', id: this.#id, lane }),
      say: (text) => this.#port.post({ type: 'say', id: this.#id, lane, text }),
    })
  }

  #report(message: LaneReport): void {
    const lane = this.#lanes?.[message.lane]
    if (!(lane instanceof ForwardedLane)) return
    if (message.type === 'lane-open') lane.opened()
    else if (message.type === 'lane-message') lane.received(message.bytes)
    else if (message.type === 'lane-said') lane.said(message.text)
    else lane.closed(message.isFailure)
  }

  #openWhenReady(): void {
    if (this.#state !== 'connecting' || !this.#link || !this.#connected) return
    if (!this.#lanes?.control.isOpen || !this.#lanes.bulk.isOpen) return
    this.#state = 'open'
    const { localFingerprint, remoteFingerprint, isDirect } = this.#connected
    this.#handlers.open({ link: this.#link, localFingerprint, remoteFingerprint, isDirect })
  }

  /** The other side or the path is gone; what has arrived is delivered first, on both lanes. */
  #endSoon(isFailure: boolean): void {
    if (this.#state === 'flushing') return
    if (isFailure) this.#end = 'failed'
    // The page's word is waited for because a goodbye comes before it.
    if (this.#closedLanes.size === 2 && this.#hasHostEnded) {
      this.#finish(this.#end)
    } else if (this.#state === 'open') {
      this.#state = 'ending'
      this.#timer = setTimeout(() => this.#finish(this.#end), END_MS)
    }
  }

  /** This side ends the link: the lanes close behind what was sent. */
  #flush(): void {
    if (this.#state !== 'open') return
    this.#state = 'flushing'
    this.#timer = setTimeout(() => this.#finish('closed-here'), FLUSH_MS)
    this.#lanes?.control.close()
    this.#lanes?.bulk.close()
  }

  #fail(reason: string): void {
    this.#finish('failed')
    queueMicrotask(() => this.#handlers.failed(reason))
  }

  #finish(why: LinkEnd): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    clearTimeout(this.#timer)
    this.#port.post({ type: 'close', id: this.#id })
    this.#port.forget()
    this.#link?.ended(why)
  }
}
