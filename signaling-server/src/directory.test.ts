import { seededRandom, silentLog } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'
import type { ServerLimits } from './limits.ts'
import { createSignalingServer } from './server.ts'
import type { SignalingServer } from './server.ts'

const random = seededRandom(2)
let server: SignalingServer
const providers: WebsocketProvider[] = []

async function start(limits: Partial<ServerLimits> = {}): Promise<void> {
  server = await createSignalingServer({ port: 0, host: '127.0.0.1', log: silentLog, limits })
}

function join(room: string): { readonly doc: Doc; readonly provider: WebsocketProvider } {
  const doc = new Doc()
  const provider = new WebsocketProvider(`ws://127.0.0.1:${server.port}/directory`, room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  })
  providers.push(provider)
  return { doc, provider }
}

const synced = (provider: WebsocketProvider): Promise<void> =>
  new Promise((resolve) => {
    if (provider.synced) resolve()
    else provider.once('sync', () => resolve())
  })

/** Resolves when `key` of the directory has `value`. */
const holds = (doc: Doc, key: string, value: string): Promise<void> =>
  new Promise((resolve) => {
    const map = doc.getMap('records')
    const look = (): void => {
      if (map.get(key) !== value) return
      map.unobserve(look)
      resolve()
    }
    map.observe(look)
    look()
  })

const closedWith = (provider: WebsocketProvider): Promise<{ code: number; reason: string } | null> =>
  new Promise((resolve) => {
    provider.once('connection-close', (event) => resolve(event && { code: event.code, reason: String(event.reason) }))
  })

async function health(): Promise<{ directories: number; connections: number }> {
  const response = await fetch(`http://127.0.0.1:${server.port}/healthz`)
  return (await response.json()) as { directories: number; connections: number }
}

afterEach(async () => {
  for (const provider of providers.splice(0)) provider.destroy()
  await server.close()
})

test('two documents of one room come to hold the same, both ways, and rooms stay apart', async () => {
  await start()
  const room = randomNodeId(random)
  const [a, b, stranger] = [join(room), join(room), join(randomNodeId(random))]
  await Promise.all([synced(a.provider), synced(b.provider), synced(stranger.provider)])
  a.doc.getMap('records').set('node/a', 'card of a')
  await holds(b.doc, 'node/a', 'card of a')
  b.doc.getMap('records').set('node/b', 'card of b')
  await holds(a.doc, 'node/b', 'card of b')
  expect(stranger.doc.getMap('records').size).toBe(0)
})

test('a member that comes later is seeded, and a member refills a server that lost everything', async () => {
  await start()
  const room = randomNodeId(random)
  const early = join(room)
  await synced(early.provider)
  early.doc.getMap('records').set('key', 'value')
  const late = join(room)
  await holds(late.doc, 'key', 'value')
  late.provider.destroy()
  const { port } = server
  const lost = closedWith(early.provider)
  await server.close()
  expect(await lost).toEqual({ code: 4500, reason: 'shutting-down' })
  server = await createSignalingServer({ port, host: '127.0.0.1', log: silentLog })
  await synced(early.provider)
  await holds(join(room).doc, 'key', 'value')
})

test('a document outlives its last reader for a while, then is dropped', async () => {
  await start({ emptyDirectoryMs: 20 })
  const room = randomNodeId(random)
  const first = join(room)
  await synced(first.provider)
  first.doc.getMap('records').set('key', 'value')
  const second = join(room)
  await holds(second.doc, 'key', 'value')
  expect((await health()).directories).toBe(1)
  first.provider.destroy()
  second.provider.destroy()
  await expect.poll(async () => (await health()).directories).toBe(0)
  const third = join(room)
  await synced(third.provider)
  expect(third.doc.getMap('records').size).toBe(0)
})

test('a document cannot grow past its limit: who fills it is closed, what others wrote stays', async () => {
  await start({ directoryBytes: 4000 })
  const room = randomNodeId(random)
  const [honest, filler] = [join(room), join(room)]
  await Promise.all([synced(honest.provider), synced(filler.provider)])
  honest.doc.getMap('records').set('card', 'mine')
  await holds(filler.doc, 'card', 'mine')
  const closed = closedWith(filler.provider)
  filler.doc.getMap('records').set('junk', 'x'.repeat(5000))
  expect(await closed).toEqual({ code: 4413, reason: 'too-large' })
  const late = join(room)
  await holds(late.doc, 'card', 'mine')
  expect(late.doc.getMap('records').has('junk')).toBe(false)
  expect(honest.provider.wsconnected).toBe(true)
})

test('writing the same key over and over is not growth', async () => {
  await start({ directoryBytes: 4000 })
  const room = randomNodeId(random)
  const [writer, reader] = [join(room), join(room)]
  await Promise.all([synced(writer.provider), synced(reader.provider)])
  for (let i = 0; i < 50; i++) writer.doc.getMap('records').set('load', 'x'.repeat(500) + i)
  await holds(reader.doc, 'load', 'x'.repeat(500) + 49)
})

test('damaged messages close their sender; presence is ignored', async () => {
  await start()
  const room = randomNodeId(random)
  const refused = async (bytes: Uint8Array): Promise<string> => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/directory/${room}`)
    socket.on('open', () => socket.send(bytes))
    return await new Promise((resolve) => socket.on('close', (_code, reason) => resolve(String(reason))))
  }
  expect(await refused(new Uint8Array([0, 2, 3, 255, 255, 255]))).toBe('malformed')
  expect(await refused(new Uint8Array([0, 9, 0]))).toBe('malformed')
  expect(await refused(new Uint8Array([77]))).toBe('malformed')
  expect(await refused(new Uint8Array([]))).toBe('malformed')
  const [a, b] = [join(room), join(room)]
  await Promise.all([synced(a.provider), synced(b.provider)])
  a.provider.awareness.setLocalStateField('typing', true)
  a.doc.getMap('records').set('after', 'it')
  await holds(b.doc, 'after', 'it')
  expect(b.provider.awareness.getStates().size).toBe(1)
})

test('a client that cannot see pings gets a sign of life', async () => {
  await start({ pingMs: 20 })
  const { provider } = join(randomNodeId(random))
  await synced(provider)
  const before = provider.wsLastMessageReceived
  await expect.poll(() => provider.wsLastMessageReceived).toBeGreaterThan(before)
  expect(provider.wsconnected).toBe(true)
})

test('only room ids name a directory', async () => {
  await start()
  for (const path of ['/directory/', '/directory/short', '/directory/../signal/x', '/elsewhere']) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`)
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('open', () => resolve('open'))
      socket.on('error', () => undefined)
    })
    expect(status, path).toBe(404)
  }
})
