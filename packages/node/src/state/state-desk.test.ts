import { expect, it } from 'vitest'
import type { NodeId, NodeMessage } from '@shoal/protocol'
import type { StatePorts } from './create-state-service.ts'
import { StateDesk } from './state-desk.ts'
import type { StateModule } from './state-desk.ts'

const PEER = 'b'.repeat(32) as NodeId
const query: NodeMessage & { readonly type: 'state.query' } = {
  type: 'state.query',
  query: 3,
  kind: 'nodes',
  id: undefined,
  filters: [],
  limit: 1,
  detail: false,
  since: undefined,
}
const question = {
  kind: 'nodes',
  id: undefined,
  filters: [],
  limit: 1,
  detail: false,
  since: undefined,
  timeoutMs: 1,
} as const

function desk(loads: (() => Promise<StateModule>)[]) {
  const sent: NodeMessage[] = []
  const handled: string[] = []
  const ports = { send: (_: NodeId, message: NodeMessage) => sent.push(message) } as unknown as StatePorts
  const service = {
    onQuery: (from: NodeId) => handled.push(from),
    onReply: () => handled.push('reply'),
    peerGone: () => undefined,
    close: () => undefined,
    ask: () => Promise.resolve('rows'),
  }
  const opened = new StateDesk({
    ports,
    load: () => loads.shift()?.() ?? Promise.resolve({ createStateService: () => service } as unknown as StateModule),
  })
  return { opened, sent, handled }
}
const fails = (): Promise<never> => Promise.reject(new Error('no server'))

it('[Q7] what answers is loaded with the first question, and questions of peers wait for it', async () => {
  const { opened, handled } = desk([])
  opened.onMessage(PEER, query)
  expect(handled).toEqual([])
  expect(await opened.ask(question)).toBe('rows')
  expect(handled).toEqual([PEER])
})

it('[Q7] when it cannot be loaded a question fails, a peer is told to come again, and the next one tries once more', async () => {
  const { opened, sent, handled } = desk([fails, fails])
  opened.onMessage(PEER, query)
  await expect(opened.ask(question)).rejects.toThrow('no server')
  expect(sent).toEqual([
    { type: 'state.reply', query: 3, total: 0, matched: 0, forgotten: 0, unseen: 0, answer: { type: 'busy' } },
  ])
  await expect(opened.ask(question)).rejects.toThrow('no server')
  expect(await opened.ask(question)).toBe('rows')
  expect(handled).toEqual([])
})

it('[Q7] a reply that nobody asked for loads nothing, and no more than a hundred questions wait', async () => {
  const { opened, sent, handled } = desk([])
  opened.onMessage(PEER, { ...query, type: 'state.reply' } as never)
  for (let n = 0; n < 150; n++) opened.onMessage(PEER, query)
  expect(sent.length).toBe(50)
  await opened.ask(question)
  expect(handled.length).toBe(100)
})
