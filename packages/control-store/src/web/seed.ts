import { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import type { RoomId } from '@shoal/protocol'
import { LIMITS } from '@shoal/protocol'
import type { Directory } from '../directory/directory.ts'

/** Kinds of messages in y-websocket's protocol, of which this is the first. */
const KINDS = 4
const SYNC = 0
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
 * `<server>/directory/<room>`, and under a name of its own once it was rolled. What the server holds is sealed and
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
    const created = new WebsocketProvider(url, seedName(room, generation), doc, {
      awareness,
      disableBc: true,
      connect: false,
      maxBackoffTime: MAX_BACKOFF_MS,
      WebSocketPolyfill: socket,
      // A full room or an old server may be well again later; the other nodes are reached over links anyway.
      shouldReconnect: () => true,
    })
    // Only documents are synced. The other kinds (awareness as the server's sign of life, the reason of a refusal) need
    // no answer, and the provider's own handlers would keep states of strangers and print to the console.
    created.messageHandlers = created.messageHandlers.map((handler, kind) => (kind === SYNC ? handler : () => {}))
    created.connect()
    return created
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
      if (!(data instanceof ArrayBuffer) || data.byteLength > MAX_MESSAGE_BYTES) return
      if ((new Uint8Array(data)[0] ?? KINDS) >= KINDS) return
      try {
        this.#handler?.call(this, event)
      } catch (error) {
        onFault(error)
      }
    }
  }
}

/**
 * The name of a generation's document at the server: the room's id, with the generation's number in its last 32 bits.
 * Never the room's own document again: merging what was left behind would grow the new one at once. Abandoned documents
 * end at the server when their last reader has gone.
 */
export function seedName(room: RoomId, generation: number): string {
  const tail = (Number.parseInt(room.slice(-8), 16) ^ generation) >>> 0
  return room.slice(0, -8) + tail.toString(16).padStart(8, '0')
}
