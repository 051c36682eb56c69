import {
  ByteReader,
  ByteWriter,
  fromHex,
  LIMITS,
  nodeIdOfKeyHash,
  PROTOCOL_VERSION,
  ProtocolError,
  signal as signalSchema,
} from '@shoal/protocol'
import type { Crypto, KeyPair, NodeId, RoomId, Session, Signal } from '@shoal/protocol'

const SIGNATURE_BYTES = 64
const NO_SIGNATURE = new Uint8Array(SIGNATURE_BYTES)
const PURPOSE = 'shoal signal'

/**
 * Seals and opens what travels through the signaling server: encrypted with a key derived from the room's, so that the
 * server reads nothing, and signed by the sender's own key, so that neither it nor another member can put its own DTLS
 * fingerprint in between. It keeps no order and no state: the caller chains its calls.
 */
export interface SignalBox {
  /** The blob for `to`. RangeError when `data` is too long to travel. */
  seal(to: NodeId, toSession: Session, connection: number, data: string): Promise<Uint8Array<ArrayBuffer>>
  /** The proven signal inside a blob that the server says comes from `from`. Rejects with ProtocolError. */
  open(from: NodeId, blob: Uint8Array<ArrayBuffer>): Promise<Signal>
}

export function createSignalBox(options: {
  readonly self: { readonly node: NodeId; readonly session: Session; readonly keyPair: KeyPair }
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly room: RoomId
  readonly roomKey: Uint8Array<ArrayBuffer>
  readonly crypto: Crypto
}): SignalBox {
  const { self, publicKey, room, roomKey, crypto } = options
  const context = encodeContext(room)
  let derived: Promise<Uint8Array<ArrayBuffer>> | undefined
  const sealingKey = (): Promise<Uint8Array<ArrayBuffer>> => (derived ??= crypto.hkdf(roomKey, 'signaling'))

  return {
    async seal(to, toSession, connection, data) {
      const { node: from, session: fromSession, keyPair } = self
      const version = PROTOCOL_VERSION
      const unsigned = { version, from, to, fromSession, toSession, connection, publicKey, data }
      const signature = await keyPair.sign(signedText(room, unsigned))
      const writer = new ByteWriter(1024)
      signalSchema.write(writer, { ...unsigned, signature })
      const blob = await crypto.seal(await sealingKey(), writer.finish(), context)
      if (blob.length > LIMITS.signalingBlobBytes)
        throw new RangeError(`a signal of ${blob.length} bytes cannot travel`)
      return blob
    },
    async open(from, blob) {
      const plain = await crypto.open(await sealingKey(), blob, context)
      if (plain === undefined) throw new ProtocolError('denied', 'a signal was not sealed with the room key')
      const reader = new ByteReader(plain)
      const version = new ByteReader(plain).varint()
      if (version !== PROTOCOL_VERSION) throw new ProtocolError('version', `a signal of protocol ${version}`)
      const signal = signalSchema.read(reader)
      if (!reader.isDone) throw new ProtocolError('malformed', 'bytes after the end of a signal')
      if (signal.from !== from || signal.to !== self.node) throw new ProtocolError('denied', 'a misdirected signal')
      if (nodeIdOfKeyHash(await crypto.sha256(signal.publicKey)) !== from) {
        throw new ProtocolError('denied', 'a signal with the key of another node')
      }
      if (!(await crypto.verify(signal.publicKey, signedText(room, signal), signal.signature))) {
        throw new ProtocolError('denied', 'a signal that its key did not sign')
      }
      return signal
    },
  }
}

function encodeContext(room: RoomId): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64)
  writer.string(PURPOSE)
  writer.raw(fromHex(room))
  return writer.finish()
}

function signedText(room: RoomId, signal: Omit<Signal, 'signature'>): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(1024)
  writer.string(PURPOSE)
  writer.raw(fromHex(room))
  signalSchema.write(writer, { ...signal, signature: NO_SIGNATURE })
  writer.truncate(writer.length - SIGNATURE_BYTES)
  return writer.finish()
}
