import { seededRandom, silentLog } from '@shoal/base'
import { ByteWriter, parseRoomId, PROTOCOL_VERSION, randomNodeId } from '@shoal/protocol'
import type { RoomId } from '@shoal/protocol'
import { afterEach, expect, test } from 'vitest'
import type { ServerLimits } from './limits.ts'
import { createSignalingServer } from './server.ts'
import type { SignalingServer } from './server.ts'
import { SignalClient } from './testing/signal-client.ts'

const random = seededRandom(1)
const node = () => randomNodeId(random)
const newRoom = (): RoomId => parseRoomId(randomNodeId(random))
const blob = (text: string) => new TextEncoder().encode(text)

let server: SignalingServer
const clients: SignalClient[] = []

async function start(limits: Partial<ServerLimits> = {}): Promise<void> {
  server = await createSignalingServer({ port: 0, host: '127.0.0.1', log: silentLog, limits })
}

function connect(): SignalClient {
  const client = new SignalClient(`ws://127.0.0.1:${server.port}/signal`)
  clients.push(client)
  return client
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate()
  await server.close()
})

test('members hear who is there, who joins and who leaves', async () => {
  await start()
  const room = newRoom()
  const [a, b] = [node(), node()]
  const first = connect()
  expect((await first.join(room, a)).members).toEqual([])
  const second = connect()
  expect((await second.join(room, b, 3)).members).toEqual([{ node: a, session: 1 }])
  expect((await first.next('joined')).member).toEqual({ node: b, session: 3 })
  second.socket.close()
  expect((await first.next('left')).member).toEqual({ node: b, session: 3 })
})

test('blobs go to their member alone, unread, and never into another room', async () => {
  await start()
  const room = newRoom()
  const [a, b, c, elsewhere] = [node(), node(), node(), node()]
  const [first, second, third, stranger] = [connect(), connect(), connect(), connect()]
  await first.join(room, a)
  await second.join(room, b)
  await third.join(room, c)
  await stranger.join(newRoom(), elsewhere)
  first.send({ type: 'relay', to: elsewhere, blob: blob('not here') })
  first.send({ type: 'relay', to: b, blob: blob('sealed') })
  await second.next('joined')
  const heard = await second.next('relay')
  expect(heard.from).toBe(a)
  expect(new TextDecoder().decode(heard.blob)).toBe('sealed')
  // What was sent before arrives before: had the others got anything, it would stand in front of this.
  first.send({ type: 'relay', to: c, blob: blob('last') })
  expect(new TextDecoder().decode((await third.next('relay')).blob)).toBe('last')
  stranger.send({ type: 'relay', to: elsewhere, blob: blob('own') })
  expect(new TextDecoder().decode((await stranger.next('relay')).blob)).toBe('own')
})

test('a later connection of the same or a higher session takes the place, an older one is refused', async () => {
  await start()
  const room = newRoom()
  const [watcher, first, second, third] = [connect(), connect(), connect(), connect()]
  const a = node()
  await watcher.join(room, node())
  await first.join(room, a, 2)
  await second.join(room, a, 2)
  expect((await first.next('refused')).reason).toBe('replaced')
  expect(await first.closed).toEqual({ code: 4409, reason: 'replaced' })
  await third.opened()
  third.send({ type: 'hello', version: PROTOCOL_VERSION, room, node: a, session: 1 })
  expect((await third.next('refused')).reason).toBe('replaced')
  second.socket.close()
  expect((await watcher.next('joined')).member.node).toBe(a)
  expect((await watcher.next('joined')).member.node).toBe(a)
  expect((await watcher.next('left')).member).toEqual({ node: a, session: 2 })
})

test('another version is told to reload, even when the rest of its hello reads differently', async () => {
  await start()
  const [whole, strange] = [await connect().opened(), await connect().opened()]
  whole.send({ type: 'hello', version: PROTOCOL_VERSION + 1, room: newRoom(), node: node(), session: 1 })
  const refused = await whole.next('refused')
  expect(refused.reason).toBe('version')
  expect(refused.message).toContain('reload')
  const writer = new ByteWriter()
  writer.u8(0)
  writer.varint(PROTOCOL_VERSION + 7)
  strange.socket.send(writer.finish())
  expect((await strange.next('refused')).reason).toBe('version')
})

test('what is malformed closes its sender with the reason', async () => {
  await start()
  const room = newRoom()
  const bystander = connect()
  await bystander.join(room, node())
  const cases: ((client: SignalClient) => void)[] = [
    (client) => client.socket.send('text'),
    (client) => client.socket.send(new Uint8Array([9])),
    (client) => client.socket.send(new Uint8Array(0)),
    (client) => client.send({ type: 'relay', to: node(), blob: blob('before hello') }),
  ]
  for (const misbehave of cases) {
    const client = await connect().opened()
    misbehave(client)
    expect((await client.next('refused')).reason).toBe('malformed')
    expect((await client.closed).reason).toBe('malformed')
  }
  expect(bystander.socket.readyState).toBe(bystander.socket.OPEN)
})

test('a message past the limit is refused, one past all measure is cut off', async () => {
  await start({ signalMessageBytes: 1000 })
  const polite = connect()
  await polite.join(newRoom(), node())
  polite.send({ type: 'relay', to: node(), blob: new Uint8Array(1000) })
  expect((await polite.next('refused')).reason).toBe('too-large')
  expect((await polite.closed).reason).toBe('too-large')
  const huge = connect()
  await huge.join(newRoom(), node())
  huge.socket.send(new Uint8Array(2 * 1024 * 1024))
  expect((await huge.closed).code).toBe(1009)
})

test('a flood drops the offender only', async () => {
  await start({ messageBurst: 50, messagesPerSecond: 1 })
  const room = newRoom()
  const [victim, offender, other] = [connect(), connect(), connect()]
  const [a, b, c] = [node(), node(), node()]
  await victim.join(room, a)
  await offender.join(room, b)
  await other.join(room, c)
  for (let i = 0; i < 200; i++) offender.send({ type: 'relay', to: node(), blob: blob('x') })
  await offender.next('joined')
  expect((await offender.next('refused')).reason).toBe('too-fast')
  await victim.next('joined')
  await victim.next('joined')
  expect((await victim.next('left')).member.node).toBe(b)
  other.send({ type: 'relay', to: a, blob: blob('still here') })
  expect((await victim.next('relay')).from).toBe(c)
})

test('bytes are counted too', async () => {
  await start({ byteBurst: 10_000, bytesPerSecond: 1 })
  const client = connect()
  await client.join(newRoom(), node())
  for (let i = 0; i < 4; i++) client.send({ type: 'relay', to: node(), blob: new Uint8Array(3000) })
  expect((await client.next('refused')).reason).toBe('too-fast')
})

test('a full room and a full server say so; a member that reconnects keeps its place', async () => {
  await start({ roomMembers: 2, rooms: 1 })
  const room = newRoom()
  const a = node()
  await connect().join(room, a)
  await connect().join(room, node())
  const third = await connect().opened()
  third.send({ type: 'hello', version: PROTOCOL_VERSION, room, node: node(), session: 1 })
  expect((await third.next('refused')).reason).toBe('room-full')
  const elsewhere = await connect().opened()
  elsewhere.send({ type: 'hello', version: PROTOCOL_VERSION, room: newRoom(), node: node(), session: 1 })
  expect((await elsewhere.next('refused')).reason).toBe('server-full')
  expect((await connect().join(room, a)).members).toHaveLength(1)
})

test('connections of one address are bounded, and a closed one makes room', async () => {
  await start({ connectionsPerAddress: 2 })
  const first = await connect().opened()
  await connect().opened()
  const third = connect()
  expect((await third.next('refused')).reason).toBe('server-full')
  first.socket.close()
  await first.closed
  await third.closed
  await connect().join(newRoom(), node())
})

test('a socket that says no hello, and one over which nothing goes, are let go', async () => {
  await start({ helloMs: 20 })
  const silent = connect()
  expect((await silent.next('refused')).reason).toBe('idle')
  await server.close()
  await start({ idleMs: 30, pingMs: 20 })
  const forgotten = connect()
  await forgotten.join(newRoom(), node())
  expect((await forgotten.next('refused')).reason).toBe('idle')
})

test('a peer that answers no ping is gone', async () => {
  await start({ pingMs: 20 })
  const room = newRoom()
  const [watcher, dead] = [connect(), connect()]
  await watcher.join(room, node())
  await dead.join(room, node())
  await watcher.next('joined')
  dead.socket.pause()
  await watcher.next('left')
})

test('stopping tells everybody why and frees the port', async () => {
  await start()
  const client = connect()
  await client.join(newRoom(), node())
  const { port } = server
  await server.close()
  expect((await client.next('refused')).reason).toBe('shutting-down')
  expect((await client.closed).reason).toBe('shutting-down')
  const again = await createSignalingServer({ port, host: '127.0.0.1', log: silentLog })
  await again.close()
})

test('stopping does not wait for a client that never closes', async () => {
  await start({ closeMs: 20 })
  const client = connect()
  await client.join(newRoom(), node())
  client.socket.pause()
  await server.close()
})
