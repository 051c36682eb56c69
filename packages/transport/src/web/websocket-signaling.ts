import { toError } from '@shoal/base'
import type { Clock, Log, Random, Timer } from '@shoal/base'
import {
  ByteReader,
  ByteWriter,
  fromSignalingServer,
  PROTOCOL_VERSION,
  REFUSALS,
  toSignalingServer,
} from '@shoal/protocol'
import type { FromSignalingServer, NodeId, Refusal, RoomId, Session, ToSignalingServer } from '@shoal/protocol'
import type { Signaling, SignalingHandlers } from '../signaling.ts'

const RETRY_FIRST_MS = 250
const RETRY_LIMIT_MS = 15_000
/** From opening a socket to the server's welcome; then the try is given up. */
const WELCOME_MS = 10_000

/** After these the server will never have this connection: trying again would only take turns with another one. */
const FINAL: readonly Refusal[] = ['version', 'replaced']

export interface WebSocketSignalingOptions {
  /** The server's address as in a room's link: `http://192.168.1.7:8080/`. */
  readonly url: string
  readonly room: RoomId
  readonly node: NodeId
  readonly session: Session
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The platform's when not given. */
  readonly WebSocket?: new (url: string) => WebSocket
}

/** The address of one of a server's sockets, e.g. `signal` or `directory`; `server` is its http or https address. */
export function serverSocketUrl(server: string, path: string): string {
  const url = new URL(path, server.endsWith('/') ? server : `${server}/`)
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:'
  return url.href
}

/** The signaling of a room over one WebSocket that is made again whenever it is lost. Lives in the node worker. */
export function createWebSocketSignaling(options: WebSocketSignalingOptions): Signaling {
  return new WebSocketSignaling(options)
}

/**
 * States: idle -> connecting (socket opening, hello sent) -> up -> waiting (backoff) -> connecting ...; `refused` for
 * good or `closed` end it. Events of a socket that was given up are ignored.
 */
class WebSocketSignaling implements Signaling {
  readonly #options: WebSocketSignalingOptions
  readonly #writer = new ByteWriter()
  #handlers: SignalingHandlers | undefined
  #socket: WebSocket | undefined
  #timer: Timer | undefined
  #isUp = false
  #isOver = false
  #tries = 0
  #said: Refusal | 'down' | undefined

  constructor(options: WebSocketSignalingOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#isUp
  }

  start(handlers: SignalingHandlers): void {
    this.#handlers = handlers
    this.#connect()
  }

  relay(to: NodeId, blob: Uint8Array<ArrayBuffer>): void {
    if (this.#isUp) this.#send({ type: 'relay', to, blob })
  }

  close(): void {
    this.#isOver = true
    this.#drop()
  }

  #connect(): void {
    if (this.#isOver) return
    const { clock, room, node, session, url } = this.#options
    const Socket = this.#options.WebSocket ?? WebSocket
    let socket: WebSocket
    try {
      socket = new Socket(serverSocketUrl(url, 'signal'))
    } catch (error) {
      // Among others: a page of https may not open a socket without TLS.
      this.#options.log.warn('no socket', { error: toError(error).message })
      this.#lost(undefined)
      return
    }
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    const whileCurrent =
      <T>(handle: (event: T) => void) =>
      (event: T): void => {
        if (this.#socket === socket) handle(event)
      }
    socket.onopen = whileCurrent(() => this.#send({ type: 'hello', version: PROTOCOL_VERSION, room, node, session }))
    socket.onmessage = whileCurrent((event: MessageEvent<unknown>) => this.#receive(event.data))
    socket.onerror = () => undefined // `close` follows, and says more.
    socket.onclose = whileCurrent((event: CloseEvent) => this.#lost(refusalOf(event)))
    this.#timer = clock.after(WELCOME_MS, () => this.#lost(undefined))
  }

  #receive(data: unknown): void {
    let message: FromSignalingServer
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError('a text message')
      message = fromSignalingServer.read(new ByteReader(new Uint8Array(data)))
    } catch (error) {
      this.#options.log.warn('the signaling server cannot be understood', { error: toError(error).message })
      this.#lost(undefined)
      return
    }
    switch (message.type) {
      case 'welcome':
        this.#welcome(message)
        break
      case 'joined':
        this.#handlers?.joined(message.member)
        break
      case 'left':
        this.#handlers?.left(message.member)
        break
      case 'relay':
        this.#handlers?.relay(message.from, message.blob)
        break
      case 'refused':
        this.#options.log.warn('refused by the signaling server', { reason: message.reason, message: message.message })
        this.#lost(message.reason)
        break
    }
  }

  #welcome(message: Extract<FromSignalingServer, { type: 'welcome' }>): void {
    if (message.version !== PROTOCOL_VERSION) {
      this.#lost('version')
      return
    }
    this.#timer?.cancel()
    this.#tries = 0
    this.#said = undefined
    this.#isUp = true
    this.#handlers?.welcome(message.members)
  }

  /** The socket is of no more use: says so once, and tries again unless that is pointless. */
  #lost(refused: Refusal | undefined): void {
    this.#drop()
    if (refused !== undefined && FINAL.includes(refused)) this.#isOver = true
    if (!this.#isOver) {
      // Half to all of the step, so that a room does not come back to a restarted server in one moment.
      const step = Math.min(RETRY_LIMIT_MS, RETRY_FIRST_MS * 2 ** this.#tries++)
      this.#timer = this.#options.clock.after(step * (0.5 + this.#options.random.float() / 2), () => this.#connect())
    }
    const now = refused ?? 'down'
    if (this.#said === now) return
    this.#said = now
    this.#handlers?.down(refused)
  }

  #drop(): void {
    this.#timer?.cancel()
    this.#isUp = false
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
  }

  #send(message: ToSignalingServer): void {
    toSignalingServer.write(this.#writer, message)
    this.#socket?.send(this.#writer.finish())
  }
}

/** The server's reason in the close frame, for when its last message did not get through. */
function refusalOf(event: CloseEvent): Refusal | undefined {
  if (event.code === 1009) return 'too-large'
  return REFUSALS.find((refusal) => refusal === event.reason)
}
