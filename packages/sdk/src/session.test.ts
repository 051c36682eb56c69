import type { createTab, Tab } from '@shoal/node/web'
import { formatRoomFragment, ShutdownError } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TabSession } from './session.ts'
import type { InitOptions } from './session-types.ts'

// The tab's node, played: what is asked here is how a session starts, ends and enters its room again.

type TabOptions = Parameters<typeof createTab>[0]
interface Call {
  readonly name: string
  answer(value?: unknown): void
  fail(reason: Error): void
}

const HELPER_LINK = `http://localhost/#${formatRoomFragment({
  kind: 'helper',
  roomKey: new Uint8Array(16),
  ownerPublicKey: new Uint8Array(32),
})}`
const JOINED = { room: 'ab'.repeat(16), ownerPublicKey: new Uint8Array(32) }
const NODE_ID = 'cd'.repeat(16)

let options: TabOptions
let calls: Call[]
let names: string[]
let closedTimes: number
let session: TabSession

/** Every call waits until the test answers it, or the tab is closed. */
function playedTab(given: TabOptions): Tab {
  options = given
  const open = new Set<(reason: Error) => void>()
  const over = new ShutdownError('shutdown', 'this session was shut down')
  let isClosed = false
  const call = (name: string): Promise<never> =>
    new Promise((resolve, reject) => {
      names.push(name)
      if (isClosed) reject(over)
      open.add(reject)
      calls.push({
        name,
        answer: (value) => resolve(value as never),
        fail: reject,
      })
    })
  return {
    pagePort: { post: () => undefined, onFrame: () => undefined, close: () => undefined },
    nodeId: call('nodeId'),
    join: () => call('join'),
    newOwner: () => call('newOwner'),
    setIceServers: (servers) => void names.push(`ice ${servers.map(({ urls }) => String(urls)).join(' ')}`),
    leave: () => call('leave'),
    suspend: () => call('suspend'),
    lend: () => undefined,
    state: () => call('state'),
    retryEntry: () => void names.push('retryEntry'),
    close: () => {
      closedTimes++
      isClosed = true
      for (const reject of open) reject(over)
      return Promise.resolve()
    },
  }
}

/** Answers the oldest open call of that name, once it was made. */
async function answer(name: string, value?: unknown): Promise<void> {
  const place = await vi.waitUntil(() => {
    const index = calls.findIndex((call) => call.name === name)
    return index === -1 ? undefined : index + 1
  })
  calls.splice(place - 1, 1)[0]?.answer(value)
  await new Promise((resolve) => setTimeout(resolve, 0))
}

function start(given: InitOptions): void {
  session = new TabSession(given, playedTab)
}

async function startInRoom(): Promise<void> {
  start({ room: HELPER_LINK })
  await answer('nodeId', NODE_ID)
  await answer('join', JOINED)
  await session.ready
  names.length = 0
}

beforeEach(() => {
  calls = []
  names = []
  closedTimes = 0
  vi.stubGlobal('navigator', { hardwareConcurrency: 8, userAgent: 'a test' })
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"iceServers":[]}')))
})

afterEach(async () => {
  await session.shutdown()
  expect(closedTimes).toBe(1)
  vi.unstubAllGlobals()
})

describe('a session that is shut down', () => {
  it.each(['nodeId', 'join'])('[SS4] while it waits for %s rejects what waits with ShutdownError', async (step) => {
    start({ room: HELPER_LINK })
    if (step === 'join') await answer('nodeId', NODE_ID)
    await vi.waitUntil(() => names.includes(step))
    await session.shutdown()
    await expect(session.ready).rejects.toBeInstanceOf(ShutdownError)
    expect(session.status().state).toBe('left')
    await expect(session.createRoom({ server: 'http://localhost' })).rejects.toBeInstanceOf(ShutdownError)
  })

  it("[SS4] while the room's server does not answer gives the request up", async () => {
    vi.stubGlobal('fetch', (_: URL, { signal }: RequestInit) => {
      names.push('fetch')
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))),
      )
    })
    start({ room: HELPER_LINK })
    await answer('nodeId', NODE_ID)
    await vi.waitUntil(() => names.includes('fetch'))
    await session.shutdown()
    await expect(session.ready).rejects.toBeInstanceOf(ShutdownError)
  })

  it('[SS6] takes its room with it: nobody is a member, and whoever listens is told', async () => {
    await startInRoom()
    const { room } = session
    options.onStatus({ members: [{ node: 'ef'.repeat(16), state: 'connected' }] } as never)
    expect(room?.members()).toHaveLength(2)
    const told: number[] = []
    room?.onChange((members, { left }) => told.push(members.length, left.length))
    await session.shutdown()
    expect(room?.state).toBe('left')
    expect(room?.members()).toEqual([])
    expect(told).toEqual([0, 2])
    expect(session.room).toBeUndefined()
  })
})

describe('a session whose room gave it up', () => {
  it('[SS5] leaves and enters again, also when it is told so while it is on its way', async () => {
    await startInRoom()
    options.onEnterAgain()
    await answer('suspend')
    expect(session.status().state).toBe('joining')
    options.onEnterAgain()
    await answer('join', JOINED)
    await answer('suspend')
    await answer('join', JOINED)
    expect(names).toEqual(['suspend', 'join', 'suspend', 'join'])
    expect(session.status()).toMatchObject({ state: 'alone', problem: undefined })
  })

  it('[SS5] is told so while it enters for the first time', async () => {
    start({ room: HELPER_LINK })
    await answer('nodeId', NODE_ID)
    await vi.waitUntil(() => names.includes('join'))
    options.onEnterAgain()
    await answer('join', JOINED)
    await answer('suspend')
    await answer('join', JOINED)
    expect(names).toEqual(['nodeId', 'join', 'suspend', 'join'])
  })

  it('[SS5] asks for another try when it could not enter', async () => {
    await startInRoom()
    options.onEnterAgain()
    await answer('suspend')
    await vi.waitUntil(() => calls.some(({ name }) => name === 'join'))
    calls.splice(0)[0]?.fail(new Error('no port'))
    await vi.waitUntil(() => names.includes('retryEntry'))
    expect(session.status().problem).toContain('no port')
    options.onEnterAgain()
    await answer('suspend')
    await answer('join', JOINED)
    expect(session.status().problem).toBeUndefined()
  })

  it('[SS5] stays out when it left meanwhile', async () => {
    await startInRoom()
    options.onEnterAgain()
    await answer('suspend')
    const leaving = session.room?.leave()
    await answer('join', JOINED)
    await answer('leave')
    await answer('leave')
    await leaving
    expect(names).toEqual(['suspend', 'join', 'leave', 'leave'])
    expect(session.status().state).toBe('alone')
  })
})

describe('a session of its own', () => {
  it('[SS2] keeps its refs from another one', async () => {
    start({})
    const first = session
    const other = new TabSession({}, playedTab)
    const f = first.remote((n: number) => n)
    expect(() => other.remote(f).remote(1)).not.toThrow()
    await expect(other.get(first.put(1))).rejects.toThrow('belongs to another session')
    await other.shutdown()
    closedTimes = 0
  })

  it('[SS8] warns before its page closes only while its tasks are unfinished', async () => {
    start({})
    const asks = (): boolean => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))
    options.onStatus({ hasOwnJob: true } as never)
    expect(asks()).toBe(true)
    options.onStatus({ hasOwnJob: false } as never)
    expect(asks()).toBe(false)
    options.onStatus({ hasOwnJob: true } as never)
    await session.shutdown()
    expect(asks()).toBe(false)
    closedTimes = 0
    start({ warnBeforeClose: false })
    options.onStatus({ hasOwnJob: true } as never)
    expect(asks()).toBe(false)
  })

  it('[SL4] refuses to lend as a driver', () => {
    start({ role: 'driver' })
    expect(() => session.lend(true)).toThrow(RangeError)
    expect(() => new TabSession({ role: 'driver', lend: true }, playedTab)).toThrow(RangeError)
  })
})

describe("a room's STUN and TURN servers", () => {
  const turn = { urls: ['turn:relay:3478'], username: 'u', credential: 'c' }

  it('[SS9] are those that its owner decided, for whoever comes by a link', async () => {
    await startInRoom()
    options.onRoomSettings({ iceServers: [{ ...turn }] })
    expect(names).toEqual(['ice turn:relay:3478'])
    options.onRoomSettings({ iceServers: [{ ...turn, urls: ['http://relay'] }] })
    expect(names).toHaveLength(1)
  })

  it('[SS9] give way to those that the tab was told itself', async () => {
    start({ room: HELPER_LINK, iceServers: [{ urls: 'stun:own' }] })
    await answer('nodeId', NODE_ID)
    await answer('join', JOINED)
    options.onRoomSettings({ iceServers: [turn] })
    expect(names).not.toContain('ice turn:relay:3478')
  })

  it('[SS9] are refused by name when they could not work', async () => {
    start({})
    const make = (iceServers: unknown): Promise<unknown> =>
      session.createRoom({ server: 'http://localhost', iceServers: iceServers as never })
    await expect(make([turn, { urls: 'http://x' }])).rejects.toThrow('iceServers[1].urls')
    await expect(make([{ ...turn, credential: undefined }])).rejects.toThrow('iceServers[0] is a TURN server')
    await expect(make(Array(17).fill(turn))).rejects.toThrow(RangeError)
    await expect(make({})).rejects.toThrow('an array')
  })
})
