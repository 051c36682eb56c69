import { afterEach, describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

declare const simRan: (label: string) => void

const HELPERS = ['a', 'b', 'c']
const STEPS = 30
/** More than goes to the owner with the outcome: it stays where it was made. */
const BYTES = 110_000

/** A driver that runs nothing, and a chain of tasks whose results are in its helpers' tabs. */
class ChainRoom {
  readonly world: SimWorld
  readonly tabs = new Map<string, SimNode>()
  /** Of each step, where its runs were. */
  readonly runs: string[][] = []

  constructor(seed: number) {
    this.world = new SimWorld({ seed })
  }

  async open(): Promise<void> {
    for (const name of ['driver', ...HELPERS]) {
      const tab = await createSimNode(this.world.ports(await this.world.identity(name), 1), {
        slots: name === 'driver' ? 0 : 2,
        ...(name === 'driver' && { ownerKeyPair: this.world.ownerKeyPair }),
        globals: { simRan: (step: string) => (this.runs[Number(step)] ??= []).push(name) },
      })
      this.tabs.set(name, tab)
    }
    const isLinked = (): boolean =>
      [...this.tabs.values()].every(
        ({ node }) => node.status().members.filter(({ card }) => card !== undefined).length === HELPERS.length,
      )
    if (!(await this.world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
  }

  /** Each step takes the one before it, whose ref is let go then. @returns the last one's ref */
  async chain(): Promise<ObjectRef<Uint8Array>> {
    const step = this.driver.api.remote(
      (former: Uint8Array | undefined, at: number, bytes: number) => {
        simRan(String(at))
        return new Uint8Array(bytes).fill((former?.[0] ?? 0) + 1)
      },
      { schedulingStrategy: 'SPREAD' },
    )
    let last: ObjectRef<Uint8Array> | undefined
    for (let at = 0; at < STEPS; at++) {
      const next: ObjectRef<Uint8Array> = step.remote(last, at, BYTES)
      await this.settle(this.driver.api.wait([next]))
      last?.release()
      last = next
    }
    if (last === undefined) throw new Error('a chain has steps')
    return last
  }

  get driver(): SimNode {
    const driver = this.tabs.get('driver')
    if (driver === undefined) throw new Error('no driver')
    return driver
  }

  kill(name: string): void {
    const tab = this.tabs.get(name)
    if (tab === undefined) throw new Error(`no tab ${name}`)
    this.world.kill(tab.ports)
    this.tabs.delete(name)
  }

  async settle<T>(promise: Promise<T>): Promise<T> {
    let isOpen = true
    const end = (): boolean => (isOpen = false)
    promise.then(end, end)
    if (!(await this.world.clock.runUntil(() => !isOpen, 60_000))) throw new Error('nothing settled')
    return promise
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
  }

  get again(): number {
    return this.runs.flat().length - STEPS
  }
}

describe('results of a chain that are lost with the tab they are in', () => {
  let room: ChainRoom
  afterEach(() => {
    for (const tab of room.tabs.values()) tab.close('left')
  })

  it('[O1] are not made again while nobody needs them', async () => {
    room = new ChainRoom(1)
    await room.open()
    const last = await room.chain()
    const keeper = room.runs[STEPS - 1]?.[0]
    const other = HELPERS.find((name) => name !== keeper)
    expect(room.runs.filter(([name]) => name === other).length).toBeGreaterThan(2)
    room.kill(other ?? '')
    await room.pass(15_000)
    expect(room.again).toBe(0)
    expect((await room.settle(room.driver.api.get(last)))[0]).toBe(STEPS)
  })

  it('[O1] are made again back to the last one that is left', async () => {
    room = new ChainRoom(2)
    await room.open()
    const last = await room.chain()
    const [keeper, second] = [room.runs.at(-1)?.[0], room.runs.at(-2)?.[0]]
    const gone = new Set([keeper, second])
    let needed = 0
    while (needed < STEPS && gone.has(room.runs[STEPS - 1 - needed]?.[0])) needed++
    for (const name of gone) room.kill(name ?? '')
    expect((await room.settle(room.driver.api.get(last)))[0]).toBe(STEPS)
    await room.pass(15_000)
    expect(room.again).toBe(needed)
  })

  it('[R1] leave nothing behind, made again or not', async () => {
    room = new ChainRoom(5)
    await room.open()
    const last = await room.chain()
    room.kill('a')
    await room.pass(5_000)
    await room.settle(room.driver.api.get(last))
    last.release()
    await room.pass(15_000)
    const { ownObjects, recipes, pendingTasks, waiters } = room.driver.node.holdings()
    expect({ ownObjects, recipes, pendingTasks, waiters }).toEqual({
      ownObjects: 0,
      recipes: 0,
      pendingTasks: 0,
      waiters: 0,
    })
  })
})
