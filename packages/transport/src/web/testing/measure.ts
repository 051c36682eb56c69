import { LIMITS } from '@shoal/protocol'
import type { Link } from '../../link.ts'
import type { OpenLink } from '../../connector.ts'

interface Pair {
  readonly a: OpenLink
  readonly b: OpenLink
}

const listeners = new WeakMap<Link, { control: () => void; bulk: (bytes: number) => void }>()

function listen(link: Link): { control: () => void; bulk: (bytes: number) => void } {
  const known = listeners.get(link)
  if (known) return known
  const made = { control: (): void => undefined, bulk: (_bytes: number): void => undefined }
  listeners.set(link, made)
  link.start({ control: () => made.control(), bulk: (bytes) => made.bulk(bytes.length), ended() {} })
  return made
}

/** Bytes a second of `total` bytes from a to b, sent as the window allows. */
export async function bulkRate(pair: Pair, total: number): Promise<number> {
  const ear = listen(pair.b.link)
  listen(pair.a.link)
  const startedAt = performance.now()
  let received = 0
  const done = new Promise<void>((resolve) => {
    ear.bulk = (bytes) => {
      received += bytes
      if (received >= total) resolve()
    }
  })
  await send(pair.a.link, total)
  await done
  return (total / (performance.now() - startedAt)) * 1000
}

async function send(link: Link, total: number): Promise<void> {
  for (let sent = 0; sent < total; sent += LIMITS.bulkChunkBytes) {
    while (link.bulkRoom() <= 0) await new Promise<void>((resolve) => link.onBulkRoom(resolve))
    link.sendBulk(new Uint8Array(LIMITS.bulkChunkBytes))
  }
}

/** The longest time a control message from a to b took while bulk was sent the same way, in milliseconds. */
export async function measureDelay(pair: Pair): Promise<{ readonly worstDelayMs: number; readonly beats: number }> {
  const ear = listen(pair.b.link)
  let worstDelayMs = 0
  let beats = 0
  let isSending = true
  const sending = bulkRate(pair, 16 * 1024 * 1024).then(() => (isSending = false))
  while (isSending) {
    const sentAt = performance.now()
    await new Promise<void>((resolve) => {
      ear.control = resolve
      pair.a.link.sendControl(Uint8Array.of(1))
    })
    worstDelayMs = Math.max(worstDelayMs, performance.now() - sentAt)
    beats++
  }
  await sending
  return { worstDelayMs, beats }
}
