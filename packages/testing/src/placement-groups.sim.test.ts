// Long because each promise about placement groups has its room here.
import { ActorDiedError, GetTimeoutError, TaskPlacementGroupRemovedError } from '@shoal/protocol'
import type { PlacementGroupRow } from '@shoal/protocol'
import type { ActorHandle, Bundle, ObjectRef, PlacementGroup, PlacementGroupOptions } from '@shoal/core-worker'
import { describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'
import { leftIn } from './story-room.ts'

/** The tab that a task or actor runs in. */
declare const simHere: string
declare const simSleep: (ms: number) => Promise<void>

type Tabs = Readonly<Record<string, SimNodeOptions>>
type State = Omit<PlacementGroupRow, 'bundles'> & { bundles: { nodeId: string | undefined }[] }
type Where = ActorHandle<{ where(): string }>

const CPU = { CPU: 1 }

/** A simulated room; its driver, `d`, has no slots of its own unless it is given some. */
class Room {
  readonly world: SimWorld
  readonly tabs = new Map<string, SimNode>()

  constructor(seed: number) {
    this.world = new SimWorld({ seed })
  }

  async enter(tabs: Tabs): Promise<void> {
    const { world } = this
    for (const [name, options] of Object.entries(tabs)) {
      const owner = name === 'd' ? { ownerKeyPair: world.ownerKeyPair, slots: 0 } : {}
      const tab: SimNode = await createSimNode(world.ports(await world.identity(name), 1), {
        ...owner,
        ...options,
        globals: { simHere: name },
        onOver: () => {
          world.clock.after(50, () => {
            if (this.tabs.get(name) === tab) void tab.enterAgain(world.nextSession(tab.ports))
          })
        },
      })
      this.tabs.set(name, tab)
    }
    await this.until(() => [...this.tabs.values()].every((tab) => this.#isLinked(tab)))
  }

  #isLinked({ node }: SimNode): boolean {
    const { members } = node.status()
    const linked = members.filter(({ state, card }) => state === 'connected' && card !== undefined)
    return linked.length === this.tabs.size - 1
  }

  get driver(): SimNode {
    return this.tab('d')
  }

  tab(name: string): SimNode {
    const tab = this.tabs.get(name)
    if (tab === undefined) throw new Error(`no tab ${name}`)
    return tab
  }

  kill(name: string): void {
    this.world.kill(this.tab(name).ports)
    this.tabs.delete(name)
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
  }

  async until(isSo: () => boolean, limitMs = 30_000): Promise<void> {
    if (!(await this.world.clock.runUntil(isSo, limitMs))) throw new Error(`not so after ${limitMs} simulated ms`)
  }

  settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.world.clock.settle(promise, limitMs)
  }

  get<T>(ref: ObjectRef<T>): Promise<T> {
    return this.settle(this.driver.api.get(ref))
  }

  async made(bundles: readonly Bundle[], options: PlacementGroupOptions = {}): Promise<PlacementGroup> {
    const group = this.driver.api.placementGroup(bundles, options)
    expect(await this.settle(group.wait())).toBe(true)
    return group
  }

  /** As the state API has it, with the tabs by name. */
  async stateOf(group: PlacementGroup, asked = 'd'): Promise<State & { places: (string | undefined)[] }> {
    const question = { kind: 'placementGroups', id: undefined, filters: [], limit: 100, detail: false } as const
    const { rows } = await this.settle(this.tab(asked).node.state({ ...question, timeoutMs: 5_000 }))
    const number = group.id.split('/')[1]
    const row = (rows as State[]).find(({ placementGroupId }) => placementGroupId.endsWith(`/${number}`))
    if (row === undefined) throw new Error('the group is not listed')
    return { ...row, places: row.bundles.map(({ nodeId }) => this.nameOf(nodeId)) }
  }

  nameOf(node: string | undefined): string | undefined {
    return [...this.tabs].find(([, { ports }]) => ports.node === node)?.[0]
  }

  /** Where a task of the group runs that takes so long. */
  task(group: PlacementGroup, bundleIndex = -1, options: object = {}, ms = 20): ObjectRef<string> {
    const nap = async (_: object, forMs: number): Promise<string> => {
      await simSleep(forMs)
      return simHere
    }
    const schedulingStrategy = { placementGroup: group, bundleIndex }
    const made = this.driver.api.remote({}, nap, { name: 'nap', ...options, schedulingStrategy })
    return made.remote(ms) as ObjectRef<string>
  }

  outside(ms = 20, options: object = {}): ObjectRef<string> {
    const nap = async (_: object, forMs: number): Promise<string> => {
      await simSleep(forMs)
      return simHere
    }
    return this.driver.api.remote({}, nap, { name: 'outside', ...options }).remote(ms) as ObjectRef<string>
  }

  actor(group: PlacementGroup, bundleIndex = -1, options: object = {}): Where {
    const Host = this.driver.api.actor(
      class Host {
        where(): string {
          return simHere
        }
      },
      { numCpus: 1, ...options, schedulingStrategy: { placementGroup: group, bundleIndex } },
    )
    return Host.remote()
  }

  /** What is set aside and what is in use, by tab. */
  used(): Record<string, Record<string, number>> {
    return Object.fromEntries(
      [...this.tabs].map(([name, { node }]) => [
        name,
        Object.fromEntries(node.status().usedResources.map((entry) => [entry.name, entry.units / 10_000])),
      ]),
    )
  }

  left(): Promise<string[]> {
    return leftIn([...this.tabs.values()], (ms) => this.pass(ms))
  }
}

describe('placement groups in a simulated room', () => {
  it('[SG20] reserve, run work in their bundles alone, and give back', async () => {
    const room = new Room(1)
    await room.enter({ d: {}, a: { slots: 2 }, b: { slots: 2 } })
    const group = await room.made([{ CPU: 2 }, CPU], { strategy: 'PACK' })
    const { places, state } = await room.stateOf(group)
    expect(state).toBe('CREATED')
    const [two, one] = places as [string, string]
    expect(new Set([two, one]).size).toBe(2)
    expect(await room.get(room.task(group, 0))).toBe(two)
    expect(await room.get(room.task(group, 1))).toBe(one)
    expect(room.used()).toEqual({ d: {}, [two]: { CPU: 2 }, [one]: { CPU: 1 } })
    room.driver.api.removePlacementGroup(group)
    room.driver.api.removePlacementGroup(group)
    await room.until(() => Object.values(room.used()).every((used) => used['CPU'] === undefined))
    expect(await room.left()).toEqual([])
  })
})
