import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDecoder, readVarUint } from 'lib0/decoding'
import { createEncoder, length, toUint8Array, writeVarUint } from 'lib0/encoding'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws'
import * as Y from 'yjs'
import { DirectoryRoom } from '../testing/directory-room.ts'
import { createDirectorySeed, seedName } from './seed.ts'
import type { DirectorySeed } from './seed.ts'

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** The smallest y-websocket endpoint: one document a path. */
async function startServer(port = 0): Promise<{ port: number; docs: Map<string, Y.Doc>; stop: () => Promise<void> }> {
  const docs = new Map<string, Y.Doc>()
  const http = createServer()
  const server = new WebSocketServer({ server: http })
  server.on('connection', (socket, request) => {
    const doc = docs.get(request.url ?? '') ?? new Y.Doc()
    docs.set(request.url ?? '', doc)
    const frame = (write: (encoder: ReturnType<typeof createEncoder>) => void): void => {
      const encoder = createEncoder()
      writeVarUint(encoder, 0)
      write(encoder)
      if (length(encoder) > 1) socket.send(toUint8Array(encoder))
    }
    const forward = (update: Uint8Array, origin: unknown): void => {
      if (origin !== socket) frame((encoder) => writeUpdate(encoder, update))
    }
    doc.on('update', forward)
    socket.on('close', () => doc.off('update', forward))
    socket.on('message', (data: Buffer) => {
      const decoder = createDecoder(Uint8Array.from(data))
      if (readVarUint(decoder) === 0) frame((encoder) => readSyncMessage(decoder, encoder, doc, socket))
    })
    for (const bad of [[], [0], [0, 0, 255], [1, 200], [2, 0, 1, 65], [3], [9, 9]]) socket.send(Uint8Array.from(bad))
    frame((encoder) => writeSyncStep1(encoder, doc))
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  const stop = async (): Promise<void> => {
    for (const client of server.clients) client.terminate()
    await new Promise((resolve) => server.close(resolve))
    await new Promise((resolve) => http.close(resolve))
  }
  return { port: (http.address() as AddressInfo).port, docs, stop }
}

describe('directory seed', () => {
  it('[D6] carries records between nodes that have no link, refills a restarted server and follows a roll', async () => {
    const server = await startServer()
    const room = await DirectoryRoom.create(1)
    const [a, b] = [await room.join(), await room.join()]
    room.cut(a, b)
    const seeds = [a, b].map(({ directory }): DirectorySeed =>
      createDirectorySeed({
        directory,
        server: `http://127.0.0.1:${server.port}/`,
        room: room.room,
        WebSocket: NodeWebSocket as unknown as typeof WebSocket,
      }),
    )
    closing.push(() => seeds.forEach((seed) => seed.close()))
    const read = (at: typeof a, of: typeof a): number | undefined => at.directory.get(`node/${of.id}`)?.body[0]

    await a.directory.set(`node/${a.id}`, new Uint8Array([1]))
    await vi.waitFor(() => expect(read(b, a)).toBe(1))
    expect([...server.docs.keys()]).toEqual([`/directory/${room.room}`])

    await server.stop()
    await vi.waitFor(() => expect(seeds.some((seed) => seed.isUp)).toBe(false))
    await b.directory.set(`node/${b.id}`, new Uint8Array([2]))
    const again = await startServer(server.port)
    closing.push(again.stop)
    await vi.waitFor(() => expect(read(a, b)).toBe(2), { timeout: 10_000 })
    await vi.waitFor(() => expect(again.docs.get(`/directory/${room.room}`)?.getMap('records').size).toBe(2))

    for (let i = 0; i < 5; i++) a.directory.doc.getMap('junk').set(`${i}`, new Uint8Array(50_000))
    await vi.waitFor(() => expect(again.docs.get(`/directory/${room.room}`)?.getMap('junk').size).toBe(5))
    await vi.waitFor(() => expect(b.directory.doc.getMap('junk').size).toBe(5))
    await room.run(2_500)
    const rolled = `/directory/${seedName(room.room, 1)}`
    await vi.waitFor(() => expect(again.docs.get(rolled)?.getMap('records').size).toBe(2))
    expect(again.docs.get(rolled)?.getMap('junk').size).toBe(0)
  }, 20_000)
})
