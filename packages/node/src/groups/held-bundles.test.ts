import { toResourceSet } from '@shoal/protocol'
import type { GroupWire, NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import { Scheduler } from '@shoal/scheduler'
import type { SchedulerEvent } from '@shoal/scheduler'
import { describe, expect, it } from 'vitest'
import type { Work } from '../work.ts'
import { HeldBundles } from './held-bundles.ts'

const SELF = '5e1f'.padEnd(32, '0') as NodeId
const OWNER = 'a'.repeat(32) as NodeId
const STRANGER = 'c'.repeat(32) as NodeId
const OTHER = 'b'.repeat(32) as NodeId
const group = (number: number, owner = OWNER): ObjectId => ({ owner, number })
const prepare = (id: ObjectId, round: number, ...cpus: number[]): GroupWire['prepare'] => ({
  group: id,
  round,
  job: { driver: id.owner, number: 1 },
  bundles: cpus.map((CPU, index) => ({ index, resources: toResourceSet({ CPU }) })),
})

/** A tab of four CPUs that has a scheduler and nothing else. */
class Tab {
  readonly scheduler = new Scheduler<Work>({ self: SELF, resources: toResourceSet({ CPU: 4 }), maxLanes: 8 })
  readonly said: (readonly [to: NodeId, message: NodeMessage])[] = []
  readonly ended: (readonly [keys: number, isRemoved: boolean])[] = []
  readonly timers: (() => void)[] = []
  isLending = true
  #events: SchedulerEvent<Work>[] = []

  readonly held = new HeldBundles({
    self: SELF,
    scheduler: this.scheduler,
    schedule: (event) => this.#events.push(event),
    step: () => this.scheduler.step(this.#events.splice(0)),
    say: (to, message) => this.said.push([to, message]),
    welcomes: (owner) => this.isLending && owner !== STRANGER,
    later: (_delayMs, callback) => this.timers.push(callback),
    endIn: (_group, keys, isRemoved) => this.ended.push([keys.size, isRemoved]),
  })

  /** What the tab answers. */
  prepare(from: NodeId, asked: GroupWire['prepare']): boolean | undefined {
    this.said.length = 0
    this.held.onPrepare(from, asked)
    const answer = this.said.find(([, { type }]) => type === 'group.prepared')?.[1]
    return answer?.type === 'group.prepared' ? answer.isDone : undefined
  }

  get free(): number {
    this.scheduler.step(this.#events.splice(0))
    return (this.scheduler.free[0]?.units ?? 0) / 10_000
  }
}

describe('bundles that a tab sets aside', () => {
  it('[GP1] are all those of a round or none, of what is free', () => {
    const tab = new Tab()
    expect(tab.prepare(OWNER, prepare(group(1), 1, 2, 1))).toBe(true)
    expect([tab.free, tab.held.count]).toEqual([1, 2])
    expect(tab.prepare(OWNER, prepare(group(2), 2, 1, 1))).toBe(false)
    expect([tab.free, tab.held.count]).toEqual([1, 2])
    expect(tab.prepare(OTHER, prepare(group(2, OTHER), 1, 1))).toBe(true)
    expect(tab.free).toBe(0)
  })

  it('[GP1] an older round, a round once more and what another than the owner says are refused', () => {
    const tab = new Tab()
    expect(tab.prepare(OWNER, prepare(group(1), 5, 1))).toBe(true)
    expect(tab.prepare(OWNER, prepare(group(2), 5, 1))).toBe(false)
    expect(tab.prepare(OWNER, prepare(group(2), 4, 1))).toBe(false)
    expect(tab.prepare(OTHER, prepare(group(3), 6, 1))).toBeUndefined()
    tab.held.onReturn(OTHER, { group: group(1), round: 5, isRemoved: true })
    tab.held.onReturn(OWNER, { group: group(1), round: 4, isRemoved: false })
    expect([tab.free, tab.held.count]).toEqual([3, 1])
  })

  it('[GP1] a tab that does not lend sets nothing aside but for its own page, and none for who may not submit', () => {
    const tab = new Tab()
    expect(tab.prepare(STRANGER, prepare(group(1, STRANGER), 1, 1))).toBe(false)
    tab.isLending = false
    expect(tab.prepare(OWNER, prepare(group(1), 1, 1))).toBe(false)
    expect(tab.prepare(SELF, prepare(group(1, SELF), 1, 1))).toBe(true)
  })

  it('[GP2] a round that is given back leaves the others of its group, a removal nothing', () => {
    const tab = new Tab()
    tab.prepare(OWNER, prepare(group(1), 1, 1))
    tab.held.onCommit(OWNER, group(1), 1)
    tab.prepare(OWNER, prepare(group(1), 2, 1))
    tab.held.onReturn(OWNER, { group: group(1), round: 2, isRemoved: false })
    // Nothing can have run in what was never opened.
    expect([tab.free, tab.ended]).toEqual([3, []])
    tab.held.onReturn(OWNER, { group: group(1), round: 3, isRemoved: true })
    expect([tab.free, tab.ended]).toEqual([4, [[1, true]]])
  })

  it('[GP2] what was not committed goes with its owner, the rest when that is gone for good', () => {
    const tab = new Tab()
    tab.prepare(OWNER, prepare(group(1), 1, 1))
    tab.held.onCommit(OWNER, group(1), 1)
    tab.prepare(OWNER, prepare(group(2), 2, 1))
    tab.held.nodeGone(OWNER)
    expect(tab.free).toBe(3)
    tab.held.onCommit(OWNER, group(2), 2)
    tab.held.jobGone(OTHER)
    expect(tab.free).toBe(3)
    tab.held.jobGone(OWNER)
    expect([tab.free, tab.held.count]).toEqual([4, 0])
  })

  it('[GP2] an owner lists what it counts here: what is not in it ends, and what is not here is told', () => {
    const tab = new Tab()
    tab.prepare(OWNER, prepare(group(1), 1, 1))
    tab.held.onCommit(OWNER, group(1), 1)
    tab.prepare(OWNER, prepare(group(2), 2, 1))
    tab.held.onCommit(OWNER, group(2), 2)
    tab.prepare(OTHER, prepare(group(1, OTHER), 1, 1))
    tab.said.length = 0
    const listed = [1, 3].map((round) => ({ group: group(round), round }))
    tab.held.onCheck(OWNER, listed)
    expect([tab.free, tab.ended]).toEqual([2, [[1, false]]])
    expect(tab.said).toEqual([[OWNER, { type: 'group.missing', held: [listed[1]] }]])
  })

  it('[GP3] an owner that asks hears what is free, and of more once it has settled', () => {
    const tab = new Tab()
    const told = (): (number | undefined)[] =>
      tab.said.splice(0).flatMap(([, message]) => {
        if (message.type !== 'group.free') return []
        const units = message.resources[0]?.units ?? 0
        return [units / 10_000]
      })
    const settle = (): void => {
      for (const timer of tab.timers.splice(0)) timer()
    }
    tab.held.onAsk(OWNER, false)
    expect(told()).toEqual([4])
    tab.prepare(OTHER, prepare(group(1, OTHER), 1, 3))
    tab.held.changed()
    tab.held.changed()
    expect(tab.timers).toHaveLength(1)
    settle()
    expect(told()).toEqual([])
    tab.held.jobGone(OTHER)
    tab.held.changed()
    settle()
    expect(told()).toEqual([4])
    tab.held.onAsk(OWNER, true)
    tab.held.changed()
    expect(tab.timers).toEqual([])
  })
})
