import { ByteWriter, fromHex, linkFrame, nodeIdOfKeyHash, PROTOCOL_VERSION } from '@shoal/protocol'
import type { Crypto, KeyPair, LinkHello, NodeId, RoomId, Session } from '@shoal/protocol'

/** What a node is, to the links it makes. */
export interface LinkIdentity {
  readonly node: NodeId
  readonly session: Session
  readonly keyPair: KeyPair
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly room: RoomId
}

/** One end of a link, as both ends must see it. */
export interface HelloEnd {
  readonly node: NodeId
  readonly session: Session
  /** This end's DTLS fingerprint. */
  readonly fingerprint: string
}

/** What a hello proves: that the holder of `own`'s key sits at this very link, in this room, facing `other`. */
export interface HelloSubject {
  readonly room: RoomId
  readonly own: HelloEnd
  readonly other: HelloEnd
}

/** The bytes that are signed. Own before other, so that a hello cannot be sent back to the one who said it. */
export function helloText({ room, own, other }: HelloSubject): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(256)
  writer.string('shoal link hello')
  writer.varint(PROTOCOL_VERSION)
  writer.raw(fromHex(room))
  for (const end of [own, other]) {
    writer.raw(fromHex(end.node))
    writer.varint(end.session)
    writer.string(end.fingerprint)
  }
  return writer.finish()
}

/** The frame to send. */
export async function signHello(
  { keyPair, publicKey }: Pick<LinkIdentity, 'keyPair' | 'publicKey'>,
  subject: HelloSubject,
): Promise<Uint8Array<ArrayBuffer>> {
  const signature = await keyPair.sign(helloText(subject))
  const writer = new ByteWriter(256)
  const { node, session } = subject.own
  linkFrame.write(writer, { type: 'hello', version: PROTOCOL_VERSION, node, session, publicKey, signature })
  return writer.finish()
}

/** Whether the hello's key is the one behind `subject.own.node` and signed `subject` (the signer's view of the link). */
export async function verifyHello(crypto: Crypto, hello: LinkHello, subject: HelloSubject): Promise<boolean> {
  if (hello.node !== subject.own.node || hello.session !== subject.own.session) return false
  if (nodeIdOfKeyHash(await crypto.sha256(hello.publicKey)) !== hello.node) return false
  return crypto.verify(hello.publicKey, helloText(subject), hello.signature)
}
