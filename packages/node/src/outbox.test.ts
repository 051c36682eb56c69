import { seededRandom, silentLog } from '@shoal/base'
import type { Timer } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import type { NodeId, NodeMessage } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { Outbox } from './outbox.ts'

const random = seededRandom(5)
const [self, peer, other] = [randomNodeId(random), randomNodeId(random), randomNodeId(random)]
const [first, second] = [
  { owner: self, number: 1 },
  { owner: self, number: 2 },
]
const free = (number: number): NodeMessage => ({
  type: 'object.free',
  ids: [{ owner: self, number }],
  attempt: undefined,
})
const missing: NodeMessage = { type: 'object.missing', pull: 9 }

describe('the outbox', () => {
  const sent: [NodeId, NodeMessage][] = []
  const alive = new Set<NodeId>()
  const timers: { isCancelled: boolean; callback: () => void }[] = []
  let outbox: Outbox

  beforeEach(() => {
    sent.length = timers.length = 0
    alive.clear()
    alive.add(peer).add(other)
    outbox = new Outbox({
      log: silentLog,
      link: () => ({
        isAlive: (node) => alive.has(node),
        send: (to, message) => sent.push([to, message]),
      }),
      after: (_delayMs, callback): Timer => {
        const timer = { isCancelled: false, callback }
        timers.push(timer)
        return { cancel: () => (timer.isCancelled = true) }
      },
    })
  })

  it('[G6] sends at once, and in order after the first link to a peer', () => {
    alive.delete(peer)
    outbox.send(peer, free(1))
    outbox.send(other, free(2))
    outbox.send(peer, missing)
    expect(sent.splice(0)).toEqual([[other, free(2)]])
    expect([...outbox.peers()]).toEqual([peer])
    alive.add(peer)
    outbox.linked(peer)
    outbox.send(peer, free(3))
    expect(sent).toEqual([
      [peer, free(1)],
      [peer, missing],
      [peer, free(3)],
    ])
    expect([...outbox.peers()]).toEqual([])
  })

  it('[G6] keeps what follows a ref without a record until all of them are told; records and pulls pass by', () => {
    outbox.hold(peer, first)
    outbox.send(peer, free(1))
    outbox.hold(peer, second)
    outbox.send(peer, free(2))
    outbox.send(peer, missing)
    outbox.send(other, free(3))
    outbox.told(peer, first)
    outbox.linked(peer)
    expect(sent.splice(0)).toEqual([
      [peer, missing],
      [other, free(3)],
    ])
    outbox.told(peer, second)
    expect(sent).toEqual([
      [peer, free(1)],
      [peer, free(2)],
    ])
    expect(timers.map(({ isCancelled }) => isCancelled)).toEqual([true])
  })

  it('[G6] does not wait for ever, nor for a peer that is gone', () => {
    outbox.hold(peer, first)
    outbox.send(peer, free(1))
    timers[0]?.callback()
    expect(sent.splice(0)).toEqual([[peer, free(1)]])
    outbox.hold(peer, first)
    outbox.send(peer, free(2))
    outbox.forget(peer)
    outbox.told(peer, first)
    expect(sent).toEqual([])
    expect(timers.map(({ isCancelled }) => isCancelled)).toEqual([true, true])
  })
})
