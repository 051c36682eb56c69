import type { Clock, Log } from '@shoal/base'
import {
  ByteReader,
  ByteWriter,
  fromSignalingServer,
  PROTOCOL_VERSION,
  ProtocolError,
  toSignalingServer,
} from '@shoal/protocol'
import type { FromSignalingServer, Refusal, ToSignalingServer } from '@shoal/protocol'
import type { WebSocket } from 'ws'
import { GuardedSocket } from './guarded-socket.ts'
import type { ServerLimits } from './limits.ts'
import type { Place, Rooms } from './rooms.ts'

type Hello = Extract<ToSignalingServer, { type: 'hello' }>

/** Serves one socket of `/signal`: a hello, then presence and blobs. Gives back how to refuse it. */
export function serveSignal(
  socket: WebSocket,
  options: { readonly clock: Clock; readonly limits: ServerLimits; readonly log: Log; readonly rooms: Rooms },
): (reason: Refusal, message: string) => void {
  const { clock, limits, rooms } = options
  const writer = new ByteWriter()
  let place: Place | undefined

  const encode = (message: FromSignalingServer): Uint8Array => {
    fromSignalingServer.write(writer, message)
    return writer.finish()
  }
  const send = (message: FromSignalingServer): void => {
    if (!guarded.send(encode(message))) options.log.debug?.('dropped for a slow receiver', { type: message.type })
  }
  const enter = (hello: Hello): void => {
    if (hello.version !== PROTOCOL_VERSION) {
      guarded.refuse('version', `this server speaks version ${PROTOCOL_VERSION}; reload this tab`)
      return
    }
    const member = { node: hello.node, session: hello.session }
    const port = { send, refuse: (reason: Refusal, message: string) => guarded.refuse(reason, message) }
    const answer = rooms.join(hello.room, member, port)
    if ('refusal' in answer) {
      guarded.refuse(answer.refusal, answer.message)
      return
    }
    place = answer
    helloTimer.cancel()
    options.log.info?.('joined', { room: hello.room.slice(0, 8), node: hello.node.slice(0, 8), session: hello.session })
    send({ type: 'welcome', version: PROTOCOL_VERSION, members: [...answer.others] })
  }

  const guarded = new GuardedSocket(
    socket,
    { ...options, maxBytes: limits.signalMessageBytes },
    {
      message(bytes) {
        const message = readMessage(bytes)
        if (message.type === 'hello') {
          if (place) throw new ProtocolError('malformed', 'a second hello')
          enter(message)
        } else {
          if (!place) throw new ProtocolError('malformed', 'the first message is not a hello')
          place.relay(message.to, message.blob)
        }
      },
      closed() {
        helloTimer.cancel()
        if (place) options.log.info?.('left')
        place?.leave()
      },
      farewell: (reason, message) => encode({ type: 'refused', reason, message: message.slice(0, 200) }),
    },
  )
  const helloTimer = clock.after(limits.helloMs, () => guarded.refuse('idle', 'no hello came'))
  return (reason, message) => guarded.refuse(reason, message)
}

function readMessage(bytes: Uint8Array<ArrayBuffer>): ToSignalingServer {
  const reader = new ByteReader(bytes)
  // A version change may alter the rest of a hello: the version stands first, so that it can always be told.
  if (bytes[0] === 0 && peekVersion(bytes) !== PROTOCOL_VERSION) {
    throw new ProtocolError('version', `this server speaks version ${PROTOCOL_VERSION}; reload this tab`)
  }
  const message = toSignalingServer.read(reader)
  if (!reader.isDone) throw new ProtocolError('malformed', 'bytes after the message')
  return message
}

function peekVersion(bytes: Uint8Array<ArrayBuffer>): number {
  const reader = new ByteReader(bytes)
  reader.u8()
  return reader.varint()
}
