import { ByteReader, ByteWriter, linkFrame, ProtocolError } from '@shoal/protocol'
import type { LinkFrame, NodeId, Session } from '@shoal/protocol'

type Routed = Extract<LinkFrame, { type: 'packet' | 'acknowledge' | 'signal' | 'taken' }>

/** What is inside a routed frame for us; undefined when it is meant for another life of ours. */
export function readRouted(
  bytes: Uint8Array<ArrayBuffer>,
  from: NodeId,
  self: { readonly node: NodeId; readonly session: Session },
): Routed | undefined {
  const reader = new ByteReader(bytes)
  const frame = linkFrame.read(reader)
  if (!reader.isDone) throw new ProtocolError('malformed', 'bytes after the end of a routed frame')
  switch (frame.type) {
    case 'packet':
    case 'acknowledge':
      if (frame.from !== from || frame.to !== self.node) throw new ProtocolError('denied', 'a packet of other nodes')
      return frame.toSession === self.session ? frame : undefined
    case 'signal':
    case 'taken':
      return frame
    default:
      throw new ProtocolError('denied', `a ${frame.type} is not routed`)
  }
}

export function takenFrame(run: number, chunks: number): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(16)
  linkFrame.write(writer, { type: 'taken', run, chunks })
  return writer.finish()
}
