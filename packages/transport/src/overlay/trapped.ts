import type { Log } from '@shoal/base'
import type { OverlayHandlers } from '../overlay.ts'

/**
 * The same handlers, none of which throws into the overlay's loops. `message` and `bulk` may go on throwing
 * ProtocolError: that is a verdict on the peer, and the overlay asked for it.
 */
export function trapped(handlers: OverlayHandlers, log: Log): OverlayHandlers {
  const trap = (handle: () => void): void => {
    try {
      handle()
    } catch (error) {
      log.error('a handler of the overlay threw', { error })
    }
  }
  return {
    member: (node, session, state) => trap(() => handlers.member(node, session, state)),
    linked: (peer) => trap(() => handlers.linked(peer)),
    unlinked: (node, session) => trap(() => handlers.unlinked(node, session)),
    goodbye: (node, session) => trap(() => handlers.goodbye(node, session)),
    heard: (node, session) => trap(() => handlers.heard(node, session)),
    hint: (node, session, state) => trap(() => handlers.hint(node, session, state)),
    accused: (node, session, why) => trap(() => handlers.accused?.(node, session, why)),
    over: (from) => trap(() => handlers.over?.(from)),
    refused: (reason) => trap(() => handlers.refused?.(reason)),
    message: (from, message) => handlers.message(from, message),
    bulk: (from, pull, offset, bytes) => handlers.bulk(from, pull, offset, bytes),
  }
}
