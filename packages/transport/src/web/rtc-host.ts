import { toError } from '@shoal/base'
import type { Log } from '@shoal/base'
import { RtcHostConnection } from './rtc-host-connection.ts'
import type { FromRtcHost, ToRtcHost } from './rtc-messages.ts'
import { loadSimplePeer } from './load-simple-peer.ts'

export interface RtcHostOptions {
  /** STUN and TURN servers of the room; none: only the addresses of the devices themselves. */
  readonly iceServers: readonly RTCIceServer[]
  readonly log: Log
  /** Keeps the channels on the page and forwards their messages, as where they cannot be transferred. For tests. */
  readonly forcesForwarding?: boolean
}

export interface RtcHost {
  /** For the connections that are made from now on. */
  setIceServers(iceServers: readonly RTCIceServer[]): void
  /** Ends every connection and stops listening. Idempotent. */
  close(): void
}

/**
 * The page's half of the WebRTC links: `RTCPeerConnection` exists only here. It makes connections when the node worker
 * asks over `port`, hands their channels over, passes signals on and says goodbye on all of them when the page goes.
 */
export function createRtcHost(port: MessagePort, options: RtcHostOptions): RtcHost {
  const { log } = options
  const connections = new Map<number, RtcHostConnection>()
  const post = (message: FromRtcHost, transfer: Transferable[] = []): void => port.postMessage(message, transfer)
  const isAvailable = typeof RTCPeerConnection === 'function'
  let { iceServers } = options
  let isClosed = false

  const connect = async (id: number, isInitiator: boolean): Promise<void> => {
    const connection = new RtcHostConnection(id, { ...options, iceServers, post, forget: () => connections.delete(id) })
    connections.set(id, connection)
    if (!isAvailable) {
      connection.fail('this browser has no WebRTC, or it is switched off')
      return
    }
    try {
      connection.begin(await loadSimplePeer(), isInitiator)
    } catch (error) {
      log.warn('a connection could not be begun', { error: toError(error).message })
      connection.fail(`WebRTC does not work in this browser: ${toError(error).message}`)
    }
  }

  port.onmessage = (event: MessageEvent<ToRtcHost>) => {
    const message = event.data
    if (isClosed) return
    if (message.type === 'connect') void connect(message.id, message.isInitiator)
    else connections.get(message.id)?.receive(message)
  }
  // A worker is sometimes gone before it can send anything; the page's own channel still gets its word out.
  const onPageHide = (): void => {
    for (const connection of connections.values()) connection.sayGoodbye()
  }
  addEventListener('pagehide', onPageHide)
  post({ type: 'ready', isAvailable })

  return {
    setIceServers(servers) {
      iceServers = servers
    },
    close() {
      if (isClosed) return
      isClosed = true
      removeEventListener('pagehide', onPageHide)
      for (const connection of [...connections.values()]) connection.close()
      port.close()
    },
  }
}
