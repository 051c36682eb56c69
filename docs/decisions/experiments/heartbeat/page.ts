// One end of one link of the product: its host, its connector and its window, on the page so that Playwright reaches it.
import { createLog } from '@shoal/base'
import { LIMITS } from '@shoal/protocol'
import type { NodeId } from '@shoal/protocol'
import type { Connection, Link } from '@shoal/transport'
import { createRtcConnector, createRtcHost } from '@shoal/transport/web'

/** Shorter than the product's beat (250 ms), for more samples of the same queue. */
const BEAT_MS = 50

export interface Transfer {
  readonly seconds: number
  /** From sending a beat to its echo, one a beat; the echo's way is not shaped. */
  readonly delaysMs: readonly number[]
}

export interface HeartbeatPage {
  connect(isInitiator: boolean): Promise<void>
  accept(data: string): void
  /** Sends control messages back, and one of its own when so much bulk has come. */
  echo(total: number): void
  /** Sends bulk as the window allows and beats meanwhile; ends when the other side has everything. */
  transfer(bytes: number): Promise<Transfer>
}

declare global {
  interface Window {
    heartbeat: HeartbeatPage
    signal(data: string): Promise<void>
  }
}

const { port1, port2 } = new MessageChannel()
createRtcHost(port1, { iceServers: [], log: createLog({ level: 'error', write: () => undefined }) })
const connector = createRtcConnector(port2)
let connection: Connection | undefined
let link: Link | undefined

function opened(): Link {
  if (link === undefined) throw new Error('not connected yet')
  return link
}

window.heartbeat = {
  connect: (isInitiator) =>
    new Promise((resolve, reject) => {
      connection = connector.connect('00' as NodeId, 1, isInitiator, {
        signal: (data) => void window.signal(data),
        failed: (reason) => reject(new Error(reason)),
        open(made) {
          link = made.link
          resolve()
        },
      })
    }),

  accept: (data) => connection?.accept(data),

  echo(total) {
    let received = 0
    opened().start({
      control: (bytes) => opened().sendControl(bytes),
      bulk(bytes) {
        received += bytes.length
        if (received >= total) opened().sendControl(new Uint8Array(Float64Array.of(-received).buffer))
      },
      ended() {},
    })
  },

  async transfer(total) {
    const delaysMs: number[] = []
    let resolve = (): void => undefined
    const arrived = new Promise<void>((done) => (resolve = done))
    opened().start({
      control(bytes) {
        const value = new Float64Array(bytes.slice().buffer)[0] ?? 0
        if (value > 0) delaysMs.push(performance.now() - value)
        else resolve()
      },
      bulk() {},
      ended() {},
    })
    const startedAt = performance.now()
    const timer = setInterval(
      () => opened().sendControl(new Uint8Array(Float64Array.of(performance.now()).buffer)),
      BEAT_MS,
    )
    for (let sent = 0; sent < total; sent += LIMITS.bulkChunkBytes) {
      while (opened().bulkRoom() <= 0) await new Promise<void>((go) => opened().onBulkRoom(go))
      opened().sendBulk(new Uint8Array(LIMITS.bulkChunkBytes))
    }
    await arrived
    clearInterval(timer)
    return { seconds: (performance.now() - startedAt) / 1000, delaysMs }
  },
}
