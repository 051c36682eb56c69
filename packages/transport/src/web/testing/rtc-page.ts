// The page's half of the browser test: two hosts for the two ends, both served by one worker.
import { createLog } from '@shoal/base'
import { createRtcHost } from '../rtc-host.ts'
import type { Ask, TabEvent } from './rtc-worker.ts'

type Asked = Ask extends infer One ? (One extends Ask ? Omit<One, 'number'> : never) : never

export interface TestPage {
  start(options: { readonly forcesForwarding: boolean }): void
  ask(ask: Asked): Promise<unknown>
  /** Names that simple-peer might have needed and that nobody has put on this page. */
  readonly absentGlobals: readonly string[]
}

declare global {
  interface Window {
    testPage: TestPage
    /** Put on the page by a test of two tabs. */
    heard?: (event: TabEvent) => Promise<void>
  }
}

const absentGlobals = ['global', 'process', 'Buffer'].filter((name) => !(name in globalThis))
const log = createLog({ level: 'debug', write: (entry) => console.info(entry.message, JSON.stringify(entry.fields)) }) // eslint-disable-line no-console
const worker = new Worker(new URL('./rtc-worker.ts', import.meta.url), { type: 'module' })
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
let lastNumber = 0

worker.onmessage = (event: MessageEvent<TabEvent | { number: number; value?: unknown; error?: string }>) => {
  if ('event' in event.data) {
    void window.heard?.(event.data)
    return
  }
  const { number, value, error } = event.data
  const waiter = waiting.get(number)
  waiting.delete(number)
  if (error === undefined) waiter?.resolve(value)
  else waiter?.reject(new Error(error))
}

window.testPage = {
  absentGlobals,
  start({ forcesForwarding }) {
    const ports = [0, 1].map(() => {
      const { port1, port2 } = new MessageChannel()
      createRtcHost(port1, { iceServers: [], log, forcesForwarding })
      return port2
    })
    worker.postMessage({ type: 'ports', ports }, ports)
  },
  ask(ask) {
    const number = ++lastNumber
    worker.postMessage({ number, ...ask })
    return new Promise((resolve, reject) => waiting.set(number, { resolve, reject }))
  },
}
