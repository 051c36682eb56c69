import type { Connector } from '../connector.ts'
import { RtcConnection } from './rtc-connection.ts'
import type { FromRtcHost, ToRtcHost } from './rtc-messages.ts'

/**
 * Makes links in the node worker out of connections that `createRtcHost` makes on the page; `port` leads there.
 * Until the page has said otherwise WebRTC is taken to be available: a connection then fails with the reason.
 */
export function createRtcConnector(port: MessagePort): Connector {
  const connections = new Map<number, RtcConnection>()
  const post = (message: ToRtcHost, transfer: Transferable[] = []): void => port.postMessage(message, transfer)
  let isAvailable = true
  let lastId = 0
  port.onmessage = (event: MessageEvent<FromRtcHost>) => {
    const message = event.data
    if (message.type === 'ready') isAvailable = message.isAvailable
    else connections.get(message.id)?.receive(message)
  }
  return {
    get isAvailable() {
      return isAvailable
    },
    connect(_peer, _peerSession, isInitiator, handlers) {
      const id = ++lastId
      const connection = new RtcConnection(id, handlers, { post, forget: () => connections.delete(id) })
      connections.set(id, connection)
      post({ type: 'connect', id, isInitiator })
      return connection
    },
  }
}
