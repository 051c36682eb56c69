import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seededRandom, silentLog } from '@shoal/base'
import type { Clock } from '@shoal/base'
import { ByteWriter, fromSignalingServer, parseRoomId, PROTOCOL_VERSION, randomNodeId } from '@shoal/protocol'
import type { FromSignalingServer, NodeId, Refusal } from '@shoal/protocol'
import { createSignalingServer } from '@shoal/signaling-server'
import type { SignalingServer } from '@shoal/signaling-server'
import { afterEach, expect, test } from 'vitest'
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws'
import type { Signaling } from '../signaling.ts'
import { createWebSocketSignaling, serverSocketUrl } from './websocket-signaling.ts'

const Socket = NodeWebSocket as unknown as new (url: string) => WebSocket
const random = seededRandom(3)
const room = parseRoomId(randomNodeId(random))

const clock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startServer(port = 0): Promise<SignalingServer> {
  const server = await createSignalingServer({ port, host: '127.0.0.1', log: silentLog })
  cleanups.push(() => server.close())
  return server
}

interface Client {
  readonly node: NodeId
  readonly signaling: Signaling
  readonly heard: string[]
  /** Resolves when something was heard that begins with `prefix`, and takes it away. */
  next(prefix: string): Promise<string>
}

function join(port: number, options: { node?: NodeId; session?: number; clock?: Clock } = {}): Client {
  const node = options.node ?? randomNodeId(random)
  const heard: string[] = []
  let wake = (): void => undefined
  const say = (text: string): void => {
    heard.push(text)
    wake()
  }
  const signaling = createWebSocketSignaling({
    url: `http://127.0.0.1:${port}/`,
    room,
    node,
    session: options.session ?? 1,
    clock: options.clock ?? clock,
    random,
    log: silentLog,
    WebSocket: Socket,
  })
  signaling.start({
    welcome: (members) => say(`welcome ${members.map((member) => member.node).join(' ')}`),
    joined: (member) => say(`joined ${member.node} ${member.session}`),
    left: (member) => say(`left ${member.node}`),
    relay: (from, blob) => say(`relay ${from} ${new TextDecoder().decode(blob)}`),
    down: (refused) => say(`down ${refused ?? 'lost'}`),
  })
  cleanups.push(() => signaling.close())
  return {
    node,
    signaling,
    heard,
    async next(prefix) {
      for (;;) {
        const place = heard.findIndex((text) => text.startsWith(prefix))
        if (place >= 0) return heard.splice(0, place + 1).at(-1) ?? ''
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}

/** A server that answers every hello with what it is told to, and counts how often it was asked. */
async function startAnswering(answer: FromSignalingServer): Promise<{ readonly port: number; tries(): number }> {
  const http = createServer()
  const sockets = new WebSocketServer({ server: http })
  let tries = 0
  sockets.on('connection', (socket) => {
    socket.on('message', () => {
      tries++
      const writer = new ByteWriter()
      fromSignalingServer.write(writer, answer)
      socket.send(writer.finish())
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => resolve()))
  cleanups.push(() => {
    for (const socket of sockets.clients) socket.terminate()
    http.close()
  })
  return { port: (http.address() as AddressInfo).port, tries: () => tries }
}

/** A clock whose timers fire only when told to. */
function handClock(): Clock & { readonly delays: number[]; fire(): void } {
  const timers: { delayMs: number; callback: () => void; isCancelled: boolean }[] = []
  return {
    delays: [],
    now: () => 0,
    after(delayMs, callback) {
      const timer = { delayMs, callback, isCancelled: false }
      timers.push(timer)
      this.delays.push(delayMs)
      return { cancel: () => (timer.isCancelled = true) }
    },
    fire() {
      for (const timer of timers.splice(0)) if (!timer.isCancelled) timer.callback()
    },
  }
}

test('members meet, exchange blobs and see each other leave', async () => {
  const server = await startServer()
  const a = join(server.port)
  expect(await a.next('welcome')).toBe('welcome ')
  const b = join(server.port, { session: 4 })
  expect(await b.next('welcome')).toBe(`welcome ${a.node}`)
  expect(await a.next('joined')).toBe(`joined ${b.node} 4`)
  expect(a.signaling.isUp).toBe(true)
  a.signaling.relay(b.node, new TextEncoder().encode('offer'))
  expect(await b.next('relay')).toBe(`relay ${a.node} offer`)
  b.signaling.close()
  expect(await a.next('left')).toBe(`left ${b.node}`)
  expect(b.heard).toEqual([])
})

test('a server that goes and comes back is joined again by itself', async () => {
  const server = await startServer()
  const a = join(server.port)
  await a.next('welcome')
  await server.close()
  expect(await a.next('down')).toBe('down shutting-down')
  expect(a.signaling.isUp).toBe(false)
  a.signaling.relay(a.node, new Uint8Array(3))
  await startServer(server.port)
  await a.next('welcome')
  expect(a.signaling.isUp).toBe(true)
})

test('the connection that a later one replaced does not fight for its place', async () => {
  const server = await startServer()
  const node = randomNodeId(random)
  const old = join(server.port, { node, session: 1 })
  await old.next('welcome')
  const young = join(server.port, { node, session: 2 })
  await young.next('welcome')
  expect(await old.next('down')).toBe('down replaced')
  const watcher = join(server.port)
  await watcher.next('welcome')
  expect(young.signaling.isUp).toBe(true)
  expect(young.heard.filter((text) => text.startsWith('down'))).toEqual([])
})

test('another version ends the matter, a full room is tried again', async () => {
  const cases: [Refusal, number][] = [
    ['version', 0],
    ['room-full', 1],
  ]
  for (const [reason, retries] of cases) {
    const server = await startAnswering({ type: 'refused', reason, message: '' })
    const hand = handClock()
    const client = join(server.port, { clock: hand })
    expect(await client.next('down')).toBe(`down ${reason}`)
    // The first timer waits for the welcome; a second one is the next try.
    expect(hand.delays.length).toBe(1 + retries)
    expect(server.tries()).toBe(1)
  }
  const other = await startAnswering({ type: 'welcome', version: PROTOCOL_VERSION + 1, members: [] })
  expect(await join(other.port).next('down')).toBe('down version')
})

test('tries come less and less often, never in step, and an unreachable server is said once', async () => {
  const unused = await startServer()
  await unused.close()
  const hand = handClock()
  const client = join(unused.port, { clock: hand })
  await client.next('down')
  const waits = (): number[] => hand.delays.filter((delay) => delay !== 10_000)
  for (let tries = 1; tries < 9; tries++) {
    await expect.poll(() => waits().length).toBe(tries)
    hand.fire()
  }
  await expect.poll(() => waits().length).toBe(9)
  expect(client.heard).toEqual([])
  for (const [tries, wait] of waits().entries()) {
    const step = Math.min(15_000, 250 * 2 ** tries)
    expect(wait).toBeGreaterThanOrEqual(step / 2)
    expect(wait).toBeLessThanOrEqual(step)
  }
  expect(new Set(waits().map((wait, tries) => wait / 2 ** tries)).size).toBe(9)
})

test('a server that never says welcome is given up, and a closed client tries no more', async () => {
  const silent = await startAnswering({ type: 'joined', member: { node: randomNodeId(random), session: 1 } })
  const hand = handClock()
  const client = join(silent.port, { clock: hand })
  await client.next('joined')
  hand.fire()
  expect(await client.next('down')).toBe('down lost')
  client.signaling.close()
  hand.fire()
  expect(silent.tries()).toBe(1)
  expect(client.heard).toEqual([])
})

test('socket addresses follow the page', () => {
  expect(serverSocketUrl('http://192.168.1.7:8080/', 'signal')).toBe('ws://192.168.1.7:8080/signal')
  expect(serverSocketUrl('https://host.example/shoal', 'directory')).toBe('wss://host.example/shoal/directory')
})
