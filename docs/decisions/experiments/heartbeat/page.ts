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
  echo(): void
  /**
   * Sends bulk as the window allows and beats meanwhile; ends when the other side has everything. At most
   * `unacknowledgedBytes` are under way: what `echo` has not yet told to have come.
   */
  transfer(bytes: number, unacknowledgedBytes: number): Promise<Transfer>
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

  echo() {
    let received = 0
    opened().start({
      control: (bytes) => opened().sendControl(bytes),
      bulk(bytes) {
        received += bytes.length
        opened().sendControl(new Uint8Array(Float64Array.of(-received).buffer))
      },
      ended() {},
    })
  },

  async transfer(total, unacknowledgedBytes) {
    const delaysMs: number[] = []
    let acknowledged = 0
    let wake = (): void => undefined
    let resolve = (): void => undefined
    const arrived = new Promise<void>((done) => (resolve = done))
    opened().start({
      control(bytes) {
        const value = new Float64Array(bytes.slice().buffer)[0] ?? 0
        if (value > 0) {
          delaysMs.push(performance.now() - value)
          return
        }
        acknowledged = -value
        wake()
        if (acknowledged >= total) resolve()
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
      while (sent + LIMITS.bulkChunkBytes - acknowledged > unacknowledgedBytes)
        await new Promise<void>((go) => (wake = go))
      while (opened().bulkRoom() <= 0) await new Promise<void>((go) => opened().onBulkRoom(go))
      opened().sendBulk(new Uint8Array(LIMITS.bulkChunkBytes))
    }
    await arrived
    clearInterval(timer)
    return { seconds: (performance.now() - startedAt) / 1000, delaysMs }
  },
}
