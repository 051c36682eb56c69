import { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import type { RoomId } from '@shoal/protocol'
import { LIMITS } from '@shoal/protocol'
import type { Directory } from '../directory/directory.ts'

/** The provider closes a socket that was silent for 30 s; asking what is new before that keeps it and heals lost updates. */
const RESYNC_MS = 20_000
const MAX_BACKOFF_MS = 10_000
/** The server's answer is a whole document, which may be larger than one update between nodes. */
const MAX_MESSAGE_BYTES = 4 * LIMITS.directoryUpdateBytes

export interface DirectorySeedOptions {
  readonly directory: Pick<Directory, 'doc' | 'generation' | 'onRoll'>
  /** `http(s)://host[:port][/path]` as in a room's link, or `ws(s)://...`. */
  readonly server: string
  readonly room: RoomId
  /** For runtimes without a WebSocket of their own. */
  readonly WebSocket?: typeof WebSocket
  /** Told of what the provider could not read; nothing is to be done about it. */
  readonly onFault?: (error: unknown) => void
}

export interface DirectorySeed {
  readonly isUp: boolean
  close(): void
}

/**
 * Keeps the directory's document and the server's copy of it the same, through y-websocket at
 * `<server>/directory/<room>`, `/directory/<room>.<generation>` once it was rolled. What the server holds is sealed and
 * signed, so it can neither read nor forge it; without the server the room goes on over its links, and the seed tries
 * again for ever, without a word. Runs in a worker: no BroadcastChannel (partition tests would lie), no awareness.
 */
export function createDirectorySeed(options: DirectorySeedOptions): DirectorySeed {
  const { directory, room, onFault = () => {} } = options
  const base = options.WebSocket ?? (globalThis as { readonly WebSocket?: typeof WebSocket }).WebSocket
  if (base === undefined) throw new TypeError('this runtime has no WebSocket: give one as an option')
  const socket = guarded(base, onFault)
  const url = `${options.server.replace(/^http/, 'ws').replace(/\/+$/, '')}/directory`
  let provider = connect()
  const endRolls = directory.onRoll(() => {
    provider.destroy()
    provider = connect()
  })

  function connect(): WebsocketProvider {
    const { doc, generation } = directory
    // Destroyed before use: it sends nothing, keeps no interval, and the provider finds the object it expects.
    const awareness = new Awareness(doc)
    awareness.destroy()
    return new WebsocketProvider(url, generation === 0 ? room : `${room}.${generation}`, doc, {
      awareness,
      disableBc: true,
      // The provider looks at the global's constants there.
      resyncInterval: 'WebSocket' in globalThis ? RESYNC_MS : -1,
      maxBackoffTime: MAX_BACKOFF_MS,
      WebSocketPolyfill: socket,
      // A full room or an old server may be well again later; the other nodes are reached over links anyway.
      shouldReconnect: () => true,
    })
  }

  return {
    get isUp() {
      return provider.wsconnected
    },
    close() {
      endRolls()
      provider.destroy()
    },
  }
}

/** The provider lets what it cannot read escape from its message handler; here a bad message is dropped instead. */
function guarded(base: typeof WebSocket, onFault: (error: unknown) => void): typeof WebSocket {
  return class extends base {
    #handler: ((this: WebSocket, event: MessageEvent) => unknown) | null = null

    override get onmessage() {
      return this.#handler
    }

    override set onmessage(handler) {
      this.#handler = handler
      super.onmessage = handler && ((event: MessageEvent<unknown>) => this.#receive(event))
    }

    #receive(event: MessageEvent<unknown>): void {
      const { data } = event
      // Nothing but the two messages of y-protocols/sync and the awareness that we do not have is of use here.
      if (!(data instanceof ArrayBuffer) || data.byteLength > MAX_MESSAGE_BYTES || new Uint8Array(data)[0] !== 0) return
      try {
        this.#handler?.call(this, event)
      } catch (error) {
        onFault(error)
      }
    }
  }
}
