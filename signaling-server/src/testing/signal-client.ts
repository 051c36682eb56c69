import { Queue } from '@shoal/base'
import { ByteReader, ByteWriter, fromSignalingServer, PROTOCOL_VERSION, toSignalingServer } from '@shoal/protocol'
import type { FromSignalingServer, NodeId, RoomId, ToSignalingServer } from '@shoal/protocol'
import { WebSocket } from 'ws'

export interface ClosedWith {
  readonly code: number
  readonly reason: string
}

/** A bare client of `/signal`: what it hears, in order, and how it was closed. */
export class SignalClient {
  readonly socket: WebSocket
  readonly closed: Promise<ClosedWith>
  readonly #heard = new Queue<FromSignalingServer>()
  #wake: (() => void) | undefined

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.socket.binaryType = 'arraybuffer'
    this.socket.on('message', (data) => {
      this.#heard.push(fromSignalingServer.read(new ByteReader(new Uint8Array(data as ArrayBuffer))))
      this.#wake?.()
    })
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
    this.socket.on('error', () => undefined)
  }

  /** The next message, which must be of this type. */
  async next<T extends FromSignalingServer['type']>(type: T): Promise<Extract<FromSignalingServer, { type: T }>> {
    while (this.#heard.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    const message = this.#heard.shift() as FromSignalingServer
    if (message.type !== type) throw new Error(`expected ${type}, heard ${JSON.stringify(message)}`)
    return message as Extract<FromSignalingServer, { type: T }>
  }

  async opened(): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN) {
      await new Promise<void>((resolve, reject) => {
        this.socket.once('open', () => resolve())
        this.socket.once('error', reject)
      })
    }
    return this
  }

  send(message: ToSignalingServer): void {
    const writer = new ByteWriter()
    toSignalingServer.write(writer, message)
    this.socket.send(writer.finish())
  }

  async join(room: RoomId, node: NodeId, session = 1): Promise<Extract<FromSignalingServer, { type: 'welcome' }>> {
    await this.opened()
    this.send({ type: 'hello', version: PROTOCOL_VERSION, room, node, session })
    return await this.next('welcome')
  }
}
