// The node worker's place in the browser test: connectors of both ends, and the contract suite over their links.
import type { NodeId } from '@shoal/protocol'
import type { Connection, Connector, OpenLink } from '../../connector.ts'
import { linkContract } from '../../testing/link-contract.ts'
import { createRtcConnector } from '../rtc-connector.ts'
import { bulkRate, measureDelay } from './measure.ts'
import { openPair } from './open-pair.ts'
import { runCases } from './vitest-in-browser.ts'

/** What the page asks for; answered by a message with the same number. */
export type Ask = { readonly number: number } & (
  | { readonly type: 'contract' }
  | { readonly type: 'facts' }
  | { readonly type: 'unavailable' }
  | { readonly type: 'rate' }
  | { readonly type: 'end'; readonly side: 'a' | 'b' }
  /** One end only; the other is in another tab. What happens is told as `TabEvent`s. */
  | { readonly type: 'connect'; readonly isInitiator: boolean }
  | { readonly type: 'accept'; readonly data: string }
)

// The contract compares large messages through Node's Buffer.
Object.assign(globalThis, {
  Buffer: {
    compare: (a: Uint8Array, b: Uint8Array) => (a.length === b.length && a.every((byte, i) => byte === b[i]) ? 0 : 1),
  },
})

/** What happens on a connection to another tab. */
export interface TabEvent {
  readonly event: 'signal' | 'open' | 'failed' | 'goodbye' | 'ended'
  readonly data: string
}

const tell = (event: TabEvent['event'], data = ''): void => postMessage({ event, data } satisfies TabEvent)
let toOtherTab: Connection | undefined
let ends: { readonly a: Connector; readonly b: Connector } | undefined

async function answer(ask: Ask): Promise<unknown> {
  if (!ends) throw new Error('no ports yet')
  const { a, b } = ends
  switch (ask.type) {
    case 'contract':
      linkContract('a WebRTC link', async () => {
        const pair = await openPair(a, b)
        return { a: pair.a.link, b: pair.b.link }
      })
      return await runCases(20_000)
    case 'facts': {
      const pair = await openPair(a, b)
      const facts = (end: OpenLink) => ({ ...end, link: undefined })
      const result = { a: facts(pair.a), b: facts(pair.b) }
      pair.a.link.close()
      return result
    }
    case 'unavailable': {
      const failed = new Promise<string>((resolve) => {
        a.connect('00' as NodeId, 1, true, { signal() {}, open: () => resolve('opened'), failed: resolve })
      })
      return { reason: await failed, isAvailable: a.isAvailable }
    }
    case 'rate': {
      const pair = await openPair(a, b)
      const result = { bytesPerSecond: await bulkRate(pair, 32 * 1024 * 1024), ...(await measureDelay(pair)) }
      pair.a.link.close()
      return result
    }
    case 'connect':
      toOtherTab = a.connect('00' as NodeId, 1, ask.isInitiator, {
        signal: (data) => tell('signal', data),
        failed: (reason) => tell('failed', reason),
        goodbye: () => tell('goodbye'),
        open({ link }) {
          link.start({ control() {}, bulk() {}, ended: (why) => tell('ended', why) })
          tell('open')
        },
      })
      return undefined
    case 'accept':
      toOtherTab?.accept(ask.data)
      return undefined
    case 'end': {
      const pair = await openPair(a, b)
      const ended = { a: endOf(pair.a), b: endOf(pair.b) }
      pair[ask.side].link.close()
      return { a: await ended.a, b: await ended.b }
    }
  }
}

function endOf({ link }: OpenLink): Promise<string> {
  return new Promise((resolve) => link.start({ control() {}, bulk() {}, ended: resolve }))
}

addEventListener('message', (event: MessageEvent<Ask | { readonly type: 'ports'; readonly ports: MessagePort[] }>) => {
  const message = event.data
  if (message.type === 'ports') {
    const [a, b] = message.ports as [MessagePort, MessagePort]
    ends = { a: createRtcConnector(a), b: createRtcConnector(b) }
    return
  }
  answer(message).then(
    (value) => postMessage({ number: message.number, value }),
    (error: unknown) =>
      postMessage({ number: message.number, error: String(error instanceof Error ? error.stack : error) }),
  )
})
