import { nodeId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { bytes, fixedBytes, oneOf, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'

/**
 * What crosses a link's control channel. `hello` proves the key behind a node id: the signature covers the room, both
 * ids, both sessions and both DTLS fingerprints. A `packet` is one batch of a session: numbered from 1, acknowledged
 * cumulatively, resent over whatever path there is; it names both ends, so that it can be routed. `beat` is unnumbered.
 */
export const linkFrame = union({
  hello: struct({
    version: varint,
    node: nodeId,
    session: varint,
    publicKey: fixedBytes(32),
    signature: fixedBytes(64),
  }),
  packet: struct({
    from: nodeId,
    to: nodeId,
    fromSession: varint,
    toSession: varint,
    number: varint,
    acknowledged: varint,
    body: bytes(LIMITS.controlMessageBytes),
  }),
  acknowledge: struct({ from: nodeId, to: nodeId, fromSession: varint, toSession: varint, acknowledged: varint }),
  beat: struct({ session: varint, sentAtMs: varint, echoMs: varint }),
  goodbye: struct({ session: varint, reason: oneOf(['left', 'closed', 'reload', 'version', 'denied']) }),
})
export type LinkFrame = Infer<typeof linkFrame>
export type LinkHello = Extract<LinkFrame, { type: 'hello' }>
export type LinkPacket = Extract<LinkFrame, { type: 'packet' }>
