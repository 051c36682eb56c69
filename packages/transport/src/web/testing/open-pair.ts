import type { NodeId } from '@shoal/protocol'
import type { Connection, Connector, OpenLink } from '../../connector.ts'

/** Both ends of one open connection, made by two connectors whose signals are passed across. */
export async function openPair(a: Connector, b: Connector): Promise<{ readonly a: OpenLink; readonly b: OpenLink }> {
  const made: { a?: Connection; b?: Connection } = {}
  const opening = (connector: Connector, isInitiator: boolean, self: 'a' | 'b', other: 'a' | 'b'): Promise<OpenLink> =>
    new Promise((resolve, reject) => {
      made[self] = connector.connect('00' as NodeId, 1, isInitiator, {
        signal: (data) => made[other]?.accept(data),
        open: resolve,
        failed: (reason) => reject(new Error(reason)),
      })
    })
  const [openA, openB] = await Promise.all([opening(a, true, 'a', 'b'), opening(b, false, 'b', 'a')])
  return { a: openA, b: openB }
}
