import { ShutdownError } from '@shoal/protocol'
import { expose } from 'comlink'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { NodeControl, NodeNews, TabInit } from './tab-messages.ts'
import { createTab } from './tab.ts'
import type { Tab } from './tab.ts'

// The node worker and the page's document, played by this test over real ports. What is asked here is only how a tab
// ends; the real ones meet in e2e.
vi.mock('./node-worker-text.ts', () => ({ text: '' }))

class PlayedWorker {
  onerror: ((event: { message: string }) => void) | null = null
  isTerminated = false
  init: TabInit | undefined
  postMessage(init: TabInit): void {
    this.init = init
  }
  terminate(): void {
    this.isTerminated = true
    for (const port of [this.init?.controlPort, this.init?.newsPort, this.init?.pagePort, this.init?.sandboxPort])
      port?.close()
  }
  tell(news: NodeNews): void {
    this.init?.newsPort.postMessage(news)
  }
}

const frames = new Set<object>()
let worker: PlayedWorker
let tab: Tab
let failures: Error[]
let goodbyes: number

beforeEach(() => {
  const element = {
    setAttribute: () => undefined,
    addEventListener: () => undefined,
    remove: () => frames.delete(element),
  }
  vi.stubGlobal('document', {
    createElement: () => element,
    documentElement: { append: (frame: object) => frames.add(frame) },
  })
  vi.stubGlobal('addEventListener', () => undefined)
  vi.stubGlobal('removeEventListener', () => undefined)
  failures = []
  goodbyes = 0
  worker = new PlayedWorker()
  tab = createTab({
    slots: 1,
    resources: [],
    objectStoreBytes: 1e9,
    labels: [],
    cores: 1,
    name: 'a tab',
    agent: 'a test',
    isLending: false,
    sandboxUrl: 'sandbox.html',
    createWorker: () => worker as unknown as Worker,
    onStatus: () => undefined,
    onLogLine: () => undefined,
    onRoomSettings: () => undefined,
    onEnterAgain: () => undefined,
    onFailed: (reason) => failures.push(reason),
  })
})

afterEach(async () => {
  await tab.close()
  expect(worker.isTerminated).toBe(true)
  expect(frames.size).toBe(0)
  tab.pagePort.close()
  vi.unstubAllGlobals()
})

/** `answers`: whether calls are ever answered. */
function start({ answers }: { answers: boolean }): void {
  const never = new Promise<never>(() => undefined)
  const control: NodeControl = {
    join: () => never,
    newOwner: () => never,
    leave: () => undefined,
    suspend: () => undefined,
    lend: () => undefined,
    state: () => never,
    retryEntry: () => undefined,
    close: () => void goodbyes++,
  }
  if (answers) expose(control, worker.init?.controlPort)
  worker.tell({ type: 'started', nodeId: 'a'.repeat(32) as never })
}

const request = {
  server: 'http://localhost',
  kind: 'helper',
  maySubmit: false,
  roomKey: new Uint8Array(16),
  owner: new Uint8Array(32),
} as const

describe('a tab that is closed', () => {
  it('while its worker starts, rejects what waits and releases everything', async () => {
    const waiting = [tab.nodeId, tab.join(request, []), tab.newOwner(), tab.leave()]
    const outcomes = Promise.allSettled(waiting)
    await tab.close()
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'shutdown' } })
    await expect(tab.leave()).rejects.toBeInstanceOf(ShutdownError)
  })

  it('while it joins, rejects the join and says goodbye once', async () => {
    start({ answers: true })
    await tab.nodeId
    const outcomes = Promise.allSettled([tab.join(request, []), tab.newOwner()])
    await Promise.all([tab.close(), tab.close()])
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'shutdown' } })
    expect(goodbyes).toBe(1)
    await expect(tab.join(request, [])).rejects.toBeInstanceOf(ShutdownError)
    expect(failures).toEqual([])
  })

  it('does not wait for the goodbye of a worker that is dead', async () => {
    start({ answers: false })
    await tab.nodeId
    const joining = tab.join(request, [])
    joining.catch(() => undefined)
    const startedAt = performance.now()
    await tab.close()
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    await expect(joining).rejects.toBeInstanceOf(ShutdownError)
  })
})

describe('a tab whose worker breaks', () => {
  it('rejects what waits with the reason and tells it once', async () => {
    const outcomes = Promise.allSettled([tab.nodeId, tab.join(request, [])])
    worker.onerror?.({ message: 'refused by a policy' })
    worker.onerror?.({ message: 'again' })
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: /refused by a policy/ } })
    expect(failures).toHaveLength(1)
  })

  it('ends a join that is under way', async () => {
    start({ answers: true })
    await tab.nodeId
    const joining = tab.join(request, [])
    joining.catch(() => undefined)
    await Promise.resolve()
    worker.tell({ type: 'failed', message: 'no keys' })
    await expect(joining).rejects.toThrow('no keys')
  })
})
