import type { Clock, Log, Timer } from '@shoal/base'
import { ProtocolError } from '@shoal/protocol'
import type { Refusal, RoomId } from '@shoal/protocol'
import { createDecoder, readVarUint, readVarUint8Array } from 'lib0/decoding'
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding'
import type { Encoder } from 'lib0/encoding'
import type { WebSocket } from 'ws'
import { writePermissionDenied } from 'y-protocols/auth'
import {
  messageYjsSyncStep1,
  messageYjsSyncStep2,
  messageYjsUpdate,
  writeSyncStep1,
  writeUpdate,
} from 'y-protocols/sync'
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs'
import { GuardedSocket } from './guarded-socket.ts'
import type { ServerLimits } from './limits.ts'

// The y-websocket protocol: https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md
const SYNC = 0
const AWARENESS = 1
const AUTH = 2
const QUERY_AWARENESS = 3

/** y-websocket's client hangs up after 30 s of silence and cannot see pings: news about nobody is its sign of life. */
const SIGN_OF_LIFE = frame(AWARENESS, (encoder) => writeVarUint8Array(encoder, new Uint8Array([0])))

interface Seed {
  readonly doc: Doc
  readonly sockets: Set<GuardedSocket>
  /** At least the size of the document; exact after a count. */
  bytes: number
  expiry: Timer | undefined
}

/**
 * The documents that seed the rooms' directories, one a room, over y-websocket's protocol. Values are sealed and signed
 * by their writers, so what is held here can neither be read nor forged; it may be lost, since members refill it.
 */
export class DirectoryEndpoint {
  readonly #seeds = new Map<RoomId, Seed>()
  readonly #clock: Clock
  readonly #limits: ServerLimits

  constructor(options: { readonly clock: Clock; readonly limits: ServerLimits }) {
    this.#clock = options.clock
    this.#limits = options.limits
  }

  get count(): number {
    return this.#seeds.size
  }

  /** Serves one socket of `/directory/<room>`. Gives back how to refuse it. */
  serve(socket: WebSocket, room: RoomId, log: Log): (reason: Refusal, message: string) => void {
    const known = this.#seeds.get(room)
    const seed = known ?? this.#open(room)
    const guarded = new GuardedSocket(
      socket,
      { clock: this.#clock, limits: this.#limits, log, maxBytes: this.#limits.directoryMessageBytes },
      {
        message: (bytes) => this.#receive(seed, guarded, bytes),
        closed: () => this.#leave(room, seed, guarded),
        // y-websocket's client shouts these words on the console: a server that stops is no reason to.
        farewell: (reason, message) =>
          reason === 'shutting-down'
            ? undefined
            : frame(AUTH, (encoder) => writePermissionDenied(encoder, `${reason}: ${message}`)),
        keepAlive: () => SIGN_OF_LIFE,
      },
    )
    if (!known && this.#seeds.size > this.#limits.rooms) {
      guarded.refuse('server-full', `this server holds ${this.#limits.rooms} directories already`)
    } else {
      seed.expiry?.cancel()
      seed.expiry = undefined
      seed.sockets.add(guarded)
      guarded.send(frame(SYNC, (encoder) => writeSyncStep1(encoder, seed.doc)))
    }
    return (reason, message) => guarded.refuse(reason, message)
  }

  close(): void {
    for (const [room, seed] of this.#seeds) this.#drop(room, seed)
  }

  #open(room: RoomId): Seed {
    const seed: Seed = { doc: new Doc(), sockets: new Set(), bytes: 0, expiry: undefined }
    seed.doc.on('update', (update, origin) => {
      const message = frame(SYNC, (encoder) => writeUpdate(encoder, update))
      for (const socket of seed.sockets) {
        // A reader that is too slow for an update would miss it for ever: it starts again with a fresh sync.
        if (socket !== origin && !socket.send(message)) socket.refuse('too-fast', 'you read too slowly')
      }
    })
    this.#seeds.set(room, seed)
    return seed
  }

  #leave(room: RoomId, seed: Seed, socket: GuardedSocket): void {
    seed.sockets.delete(socket)
    if (seed.sockets.size > 0 || this.#seeds.get(room) !== seed) return
    if (seed.bytes === 0) this.#drop(room, seed)
    else seed.expiry ??= this.#clock.after(this.#limits.emptyDirectoryMs, () => this.#drop(room, seed))
  }

  #drop(room: RoomId, seed: Seed): void {
    seed.expiry?.cancel()
    seed.doc.destroy()
    this.#seeds.delete(room)
  }

  #receive(seed: Seed, socket: GuardedSocket, bytes: Uint8Array<ArrayBuffer>): void {
    const decoder = createDecoder(bytes)
    const kind = reading(() => readVarUint(decoder))
    if (kind === AWARENESS || kind === QUERY_AWARENESS) return
    if (kind !== SYNC) throw new ProtocolError('malformed', `unknown message type ${kind}`)
    const step = reading(() => readVarUint(decoder))
    const body = reading(() => readVarUint8Array(decoder))
    if (step === messageYjsSyncStep1) {
      const missing = reading(() => encodeStateAsUpdate(seed.doc, body))
      socket.send(
        frame(SYNC, (encoder) => {
          writeVarUint(encoder, messageYjsSyncStep2)
          writeVarUint8Array(encoder, missing)
        }),
      )
    } else if (step === messageYjsSyncStep2 || step === messageYjsUpdate) {
      this.#apply(seed, socket, body)
    } else {
      throw new ProtocolError('malformed', `unknown sync message ${step}`)
    }
  }

  #apply(seed: Seed, socket: GuardedSocket, update: Uint8Array): void {
    // The sum of all updates bounds the document from above, so it is counted only when the sum passes the limit.
    if (seed.bytes + update.length > this.#limits.directoryBytes) {
      seed.bytes = encodeStateAsUpdate(seed.doc).length
      if (seed.bytes + update.length > this.#limits.directoryBytes) {
        throw new ProtocolError('too-large', `the directory would grow past ${this.#limits.directoryBytes} bytes`)
      }
    }
    reading(() => applyUpdate(seed.doc, update, socket))
    seed.bytes += update.length
  }
}

function frame(kind: number, write: (encoder: Encoder) => void): Uint8Array {
  const encoder = createEncoder()
  writeVarUint(encoder, kind)
  write(encoder)
  return toUint8Array(encoder)
}

/** lib0 and yjs throw plain errors at damaged input, which here is always the client's fault. */
function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new ProtocolError('malformed', `not a y-websocket message: ${error instanceof Error ? error.message : ''}`)
  }
}
