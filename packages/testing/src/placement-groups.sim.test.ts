// Long because each promise about placement groups has its room here.
import { createLog } from '@shoal/base'
import { ActorDiedError, GetTimeoutError, TaskPlacementGroupRemovedError } from '@shoal/protocol'
import type { PlacementGroupRow } from '@shoal/protocol'
import type { ActorHandle, Bundle, ObjectRef, PlacementGroup, PlacementGroupOptions } from '@shoal/core-worker'
import { describe, expect, it } from 'vitest'
import { NamedTabs } from './named-tabs.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'
import { leftIn } from './story-room.ts'

/** The tab that a task or actor runs in. */
declare const simHere: string
declare const simSleep: (ms: number) => Promise<void>

type Tabs = Readonly<Record<string, SimNodeOptions>>
type State = Omit<PlacementGroupRow, 'bundles'> & { bundles: { nodeId: string | undefined }[] }
type Where = ActorHandle<{ where(): string }>

const CPU = { CPU: 1 }

/** A simulated room; its driver, `d`, has no slots of its own unless it is given some. */
class Room extends NamedTabs {
  /** Rounds that tabs refused, or that one of them did not outlive. */
  failedRounds = 0

  async enter(tabs: Tabs): Promise<void> {
    const { world } = this
    const write = ({ message }: { readonly message: string }): void => {
      if (message === 'a round was given up') this.failedRounds++
    }
    for (const [name, options] of Object.entries(tabs)) {
      const owner = name === 'd' ? { ownerKeyPair: world.ownerKeyPair, slots: 0 } : {}
      const log = createLog({ level: 'debug', write })
      await this.sitDown(name, { ...owner, ...options, globals: { simHere: name } }, log)
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

  async until(isSo: () => boolean, limitMs = 30_000): Promise<void> {
    if (!(await this.world.clock.runUntil(isSo, limitMs))) throw new Error(`not so after ${limitMs} simulated ms`)
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
  it('[SP1] reserve, run work in their bundles alone, and give back', async () => {
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

  it('[SP2] are made whole or not at all: while some bundles fit nowhere nothing is set aside', async () => {
    const room = new Room(2)
    await room.enter({ d: {}, a: { slots: 1 }, b: { slots: 1 } })
    const { api } = room.driver
    const group = api.placementGroup([CPU, CPU, CPU, CPU], { strategy: 'STRICT_SPREAD' })
    expect(await room.settle(group.wait(5_000))).toBe(false)
    const inside = room.task(group)
    expect(room.used()).toEqual({ d: {}, a: {}, b: {} })
    // Nobody is kept from what waits for it.
    expect(await room.settle(api.get([room.outside(), room.outside()]))).toHaveLength(2)
    expect(await room.stateOf(group)).toMatchObject({
      state: 'PENDING',
      schedulingState: 'INFEASIBLE',
      pendingReason: 'its 4 bundles need as many tabs that have room for one each, and there are too few',
      places: [undefined, undefined, undefined, undefined],
    })
    await room.enter({ c: { slots: 1 }, e: { slots: 1 } })
    expect(await room.settle(group.wait())).toBe(true)
    expect(['a', 'b', 'c', 'e']).toContain(await room.get(inside))
    expect(room.used()).toEqual({ d: {}, a: CPU, b: CPU, c: CPU, e: CPU })
    const blocked = room.outside()
    expect(await room.settle(api.wait([blocked], { timeoutMs: 2_000 }))).toEqual([[], [blocked]])
    api.removePlacementGroup(group)
    expect(await room.get(blocked)).toMatch(/[abce]/)
  })

  it('[SP2] a group that lacks a GPU is pending with what is missing in words, and is made when a tab with one comes', async () => {
    const room = new Room(3)
    await room.enter({ d: {}, a: { slots: 2 } })
    const { api } = room.driver
    const group = api.placementGroup([{ CPU: 1, GPU: 1 }])
    expect(await room.settle(group.wait(5_000))).toBe(false)
    await expect(room.settle(api.get(group.ready(), { timeoutMs: 100 }))).rejects.toBeInstanceOf(GetTimeoutError)
    expect(await room.stateOf(group, 'a')).toMatchObject({
      state: 'PENDING',
      schedulingState: 'INFEASIBLE',
      pendingReason: 'no tab has 1 CPU, 1 GPU',
      places: [undefined],
    })
    await room.enter({ b: { slots: 1, resources: { GPU: 1 } } })
    expect(await room.get(group.ready())).toBeNull()
    expect(await room.stateOf(group, 'a')).toMatchObject({
      state: 'CREATED',
      schedulingState: 'FINISHED',
      places: ['b'],
    })
  })

  it('[SP2] a group waits for what is in use, and is made as soon as that is free', async () => {
    const room = new Room(4)
    await room.enter({ d: {}, a: { slots: 1 }, b: { slots: 1 } })
    const busy = [1, 2].map(() => room.outside(3_000, { schedulingStrategy: 'SPREAD' }))
    await room.until(() => room.used()['a']?.['CPU'] === 1 && room.used()['b']?.['CPU'] === 1)
    const group = room.driver.api.placementGroup([CPU, CPU], { strategy: 'STRICT_SPREAD' })
    expect(await room.settle(group.wait(1_000))).toBe(false)
    expect(await room.stateOf(group)).toMatchObject({ state: 'PENDING', schedulingState: 'QUEUED' })
    const began = room.world.clock.now()
    expect(await room.settle(group.wait())).toBe(true)
    expect(room.world.clock.now() - began).toBeLessThan(3_000)
    expect(await room.settle(room.driver.api.get(busy))).toHaveLength(2)
  })

  it('[SP2] a tab that is silent is not waited for, and one that was asked in vain sets nothing aside when it wakes', async () => {
    const room = new Room(13)
    await room.enter({ d: {}, a: { slots: 1 }, b: { slots: 2 } })
    room.tab('b').ports.clock.freeze(true)
    const [small, large] = [CPU, { CPU: 2 }].map((bundle) => room.driver.api.placementGroup([bundle]))
    if (small === undefined || large === undefined) throw new Error('no groups')
    expect(await room.settle(small.wait(1_000))).toBe(true)
    expect((await room.stateOf(small)).places).toEqual(['a'])
    expect(await room.settle(large.wait(1_000))).toBe(false)
    room.driver.api.removePlacementGroup(large)
    await room.pass(1_000)
    room.tab('b').ports.clock.freeze(false)
    await room.pass(10_000)
    expect(room.used()).toEqual({ d: {}, a: CPU, b: {} })
    const again = await room.made([{ CPU: 2 }])
    expect((await room.stateOf(again)).places).toEqual(['b'])
  })

  it('[SP3] strategies hold: one tab, a tab each, few or many', async () => {
    const room = new Room(5)
    await room.enter({ d: {}, a: { slots: 3 }, b: { slots: 3 }, c: { slots: 3 } })
    const placesOf = async (strategy: PlacementGroupOptions['strategy']): Promise<number> => {
      const group = await room.made([CPU, CPU, CPU], strategy && { strategy })
      const { places } = await room.stateOf(group)
      room.driver.api.removePlacementGroup(group)
      return new Set(places).size
    }
    expect(await placesOf(undefined)).toBe(1)
    expect(await placesOf('STRICT_PACK')).toBe(1)
    expect(await placesOf('SPREAD')).toBe(3)
    expect(await placesOf('STRICT_SPREAD')).toBe(3)
    const never = room.driver.api.placementGroup([{ CPU: 2 }, { CPU: 2 }], { strategy: 'STRICT_PACK' })
    expect(await room.settle(never.wait(2_000))).toBe(false)
    expect(await room.stateOf(never)).toMatchObject({ pendingReason: 'no tab has 4 CPU, all of its bundles' })
  })

  it('[SP4] when a tab dies its bundles are placed anew, the rest goes on, and an actor is made again there', async () => {
    const room = new Room(6)
    await room.enter({ d: {}, a: { slots: 1 }, b: { slots: 1 }, c: { slots: 1 } })
    const group = await room.made([CPU, CPU], { strategy: 'STRICT_SPREAD' })
    const { places } = await room.stateOf(group)
    const [lost, kept] = places as [string, string]
    const spare = ['a', 'b', 'c'].find((name) => name !== lost && name !== kept) as string
    const actor = room.actor(group, 0, { maxRestarts: 1, maxTaskRetries: -1 })
    expect(await room.get(actor.where.remote())).toBe(lost)
    const long = room.task(group, 1, {}, 20_000)
    await room.pass(500)
    room.kill(lost)
    await room.until(() => room.used()[spare]?.['CPU'] === 1)
    expect(await room.get(actor.where.remote())).toBe(spare)
    expect(await room.stateOf(group)).toMatchObject({ state: 'CREATED', places: [spare, kept] })
    // It was never interrupted.
    const { rows } = await room.settle(
      room.driver.node.state({ kind: 'tasks', id: undefined, filters: [], limit: 9, detail: false, timeoutMs: 500 }),
    )
    expect(rows).toContainEqual(expect.objectContaining({ name: 'nap', state: 'RUNNING', attempt: 0 }))
    expect(await room.get(long)).toBe(kept)
  })

  it('[SP4] lost bundles go before new groups, and wait for a tab when there is none', async () => {
    const room = new Room(7)
    await room.enter({ d: {}, a: { slots: 1 }, b: { slots: 1 } })
    const first = await room.made([CPU, CPU], { strategy: 'STRICT_SPREAD' })
    room.kill('b')
    const second = room.driver.api.placementGroup([CPU])
    const work = room.task(first, 0)
    await room.pass(8_000)
    expect(await room.stateOf(first)).toMatchObject({ state: 'RESCHEDULING', schedulingState: 'INFEASIBLE' })
    expect(await room.settle(second.wait(0))).toBe(false)
    await room.enter({ c: { slots: 1 } })
    await room.until(() => room.used()['c']?.['CPU'] === 1)
    expect(await room.stateOf(first)).toMatchObject({ state: 'CREATED' })
    expect(await room.get(work)).toMatch(/[ac]/)
    expect(await room.settle(second.wait(1_000))).toBe(false)
  })

  it('[SP5] removal ends what runs and waits in the group, is idempotent, and is known everywhere', async () => {
    const room = new Room(8)
    await room.enter({ d: {}, a: { slots: 2 }, b: { slots: 2 } })
    const { api } = room.driver
    const group = await room.made([{ CPU: 2 }])
    const actor = room.actor(group, 0, { maxRestarts: -1 })
    await room.get(actor.where.remote())
    const [runs, waits] = [room.task(group, 0, {}, 60_000), room.task(group, 0, {}, 60_000)]
    await room.pass(500)
    api.removePlacementGroup(group)
    api.removePlacementGroup(group)
    for (const ref of [runs, waits, room.task(group, 0)])
      await expect(room.get(ref)).rejects.toBeInstanceOf(TaskPlacementGroupRemovedError)
    await expect(room.get(actor.where.remote())).rejects.toBeInstanceOf(ActorDiedError)
    await expect(room.get(room.actor(group, 0).where.remote())).rejects.toThrow(/was removed/)
    expect(await room.settle(api.get([room.outside(), room.outside(), room.outside(), room.outside()]))).toHaveLength(4)
    expect(await room.stateOf(group, 'b')).toMatchObject({ state: 'REMOVED', places: ['a'] })
    expect(room.used()).toEqual({ d: {}, a: {}, b: {} })
    // One that was never made is told so to those who wait for it.
    const never = api.placementGroup([{ GPU: 9 }])
    const ready = api.get(never.ready())
    const caught = expect(ready).rejects.toBeInstanceOf(TaskPlacementGroupRemovedError)
    api.removePlacementGroup(never)
    await room.settle(caught)
    expect(await room.settle(never.wait())).toBe(false)
  })

  it('[SP6] a handle works in tasks of other tabs, and captured children run in the group', async () => {
    const room = new Room(9)
    await room.enter({ d: {}, a: { slots: 4 }, b: { slots: 4 } })
    const { remote } = room.driver.api
    const group = await room.made([{ CPU: 2 }], { strategy: 'STRICT_PACK' })
    const home = (await room.stateOf(group)).places[0]
    const id = (await room.stateOf(group)).placementGroupId
    const child = remote({}, ({ context }) => [simHere, context().placementGroupId] as const, { name: 'child' })
    const parent = remote(
      { child },
      async ({ child, get, context }) => {
        const escaped = child.options({ schedulingStrategy: { placementGroup: null } })
        return [context().placementGroupId, await get(child.remote()), await get(escaped.remote())] as const
      },
      { name: 'parent' },
    )
    const within = { placementGroup: group, captureChildTasks: true }
    expect(await room.get(parent.options({ schedulingStrategy: within }).remote())).toEqual([
      id,
      [home, id],
      [expect.any(String), undefined],
    ])
    const [, free] = await room.get(parent.options({ schedulingStrategy: { placementGroup: group } }).remote())
    expect(free[1]).toBeUndefined()
    // Handed over, from a task that is not in it.
    const other = home === 'a' ? 'b' : 'a'
    const sends = remote(
      { child },
      async ({ child, get }, pg: PlacementGroup) => {
        const isReady = await pg.wait(10_000)
        const strategy = { placementGroup: pg, bundleIndex: 0 }
        return [simHere, isReady, await get(child.options({ schedulingStrategy: strategy }).remote())] as const
      },
      { name: 'sends' },
    )
    const nodeId = room.tab(other).ports.node
    expect(await room.get(sends.options({ schedulingStrategy: { nodeId } }).remote(group))).toEqual([
      other,
      true,
      [home, id],
    ])
  })

  it('[SP7] when the driver goes nothing stays set aside: at once at its end, else after the grace', async () => {
    for (const reason of ['left', 'killed'] as const) {
      const room = new Room(10)
      await room.enter({ d: {}, a: { slots: 1 }, b: { slots: 1 } })
      const group = await room.made([CPU, CPU], { strategy: 'STRICT_SPREAD' })
      const waiting = room.driver.api.placementGroup([CPU])
      void room.task(group, 0, {}, 600_000)
      await room.pass(500)
      if (reason === 'left') {
        room.driver.close('left')
        room.tabs.delete('d')
        await room.until(() => ['a', 'b'].every((name) => room.used()[name]?.['CPU'] === undefined), 1_000)
      } else {
        room.kill('d')
        await room.pass(2_000)
        expect(room.used()).toEqual({ a: CPU, b: CPU })
        await room.until(() => ['a', 'b'].every((name) => room.used()[name]?.['CPU'] === undefined), 10_000)
      }
      expect(['a', 'b'].map((name) => room.tab(name).node.holdings().bundles)).toEqual([0, 0])
      expect(waiting.bundleCount).toBe(1)
    }
  })

  it('[SP8] bundles of a tab that was cut off are placed anew, and it gives up what it held when it is back', async () => {
    const room = new Room(11)
    await room.enter({ d: { graceMs: 60_000 }, a: { slots: 1, graceMs: 60_000 }, b: { slots: 1, graceMs: 60_000 } })
    const group = await room.made([CPU])
    const [home] = (await room.stateOf(group)).places as [string]
    const other = home === 'a' ? 'b' : 'a'
    const actor = room.actor(group, 0, { maxRestarts: -1, maxTaskRetries: -1 })
    expect(await room.get(actor.where.remote())).toBe(home)
    const isolated = room.tab(home).ports.node
    const others = [...room.tabs.values()].map(({ ports }) => ports.node).filter((node) => node !== isolated)
    room.world.network.partition([[isolated], others])
    await room.until(() => room.used()[other]?.['CPU'] === 1)
    expect(room.used()[home]).toEqual(CPU)
    expect(await room.get(actor.where.remote())).toBe(other)
    room.world.network.healAll()
    await room.until(() => room.used()[home]?.['CPU'] === undefined)
    await room.pass(5_000)
    expect(await room.stateOf(group)).toMatchObject({ state: 'CREATED', places: [other] })
    expect(room.used()).toEqual({ d: {}, [home]: {}, [other]: CPU })
  })

  it('[SP8] an owner that was cut off and comes back has its groups, and what was lost meanwhile is placed anew', async () => {
    const room = new Room(12)
    const graceMs = 60_000
    await room.enter({ d: { graceMs }, a: { slots: 1, graceMs }, b: { slots: 1, graceMs }, c: { slots: 1, graceMs } })
    const { api } = room.driver
    const group = await room.made([CPU, CPU], { strategy: 'STRICT_SPREAD' })
    const gone = await room.made([CPU])
    const before = (await room.stateOf(group)).places as [string, string]
    const owner = room.driver.ports.node
    const others = [...room.tabs.values()].map(({ ports }) => ports.node).filter((node) => node !== owner)
    room.world.network.partition([[owner], others])
    await room.until(() => room.tab('a').node.status().members.length === 2)
    api.removePlacementGroup(gone)
    room.kill(before[0])
    await room.pass(3_000)
    room.world.network.healAll()
    const held = (): number => [...room.tabs.values()].reduce((sum, { node }) => sum + node.holdings().bundles, 0)
    await room.until(() => held() === 2 && room.driver.node.status().members.length === 2, 60_000)
    await room.pass(3_000)
    const { state, places } = await room.stateOf(group)
    expect(state).toBe('CREATED')
    expect(places[1]).toBe(before[1])
    expect(new Set([...places, before[0]]).size).toBe(3)
    expect([await room.get(room.task(group, 0)), await room.get(room.task(group, 1))]).toEqual(places)
    expect(held()).toBe(2)
  })

  it('[SP2] owners that reserve at once and tabs that die meanwhile leave nothing half reserved', async () => {
    let failed = 0
    for (let seed = 100; seed < 110; seed++) {
      const room = new Room(seed)
      const { world } = room
      const helpers = ['a', 'b', 'c', 'f', 'g']
      await room.enter({ d: {}, e: { slots: 0, ownerKeyPair: world.ownerKeyPair } })
      await room.enter(Object.fromEntries(helpers.map((name) => [name, { slots: 2 }])))
      const random = world.random.fork('groups')
      const groups: { readonly owner: SimNode; readonly group: PlacementGroup }[] = []
      const strategies = ['PACK', 'SPREAD', 'STRICT_PACK', 'STRICT_SPREAD'] as const
      const check = (): void => {
        for (const [name, used] of Object.entries(room.used()))
          expect(used['CPU'] ?? 0, `CPUs in use in ${name} of seed ${seed}`).toBeLessThanOrEqual(2)
      }
      for (let turn = 0; turn < 40; turn++) {
        const draw = random.float()
        if (draw < 0.6) {
          // Both in the same instant: they ask the same tabs.
          for (const owner of [room.tab('d'), room.tab('e')]) {
            const bundles = Array.from({ length: 1 + Math.floor(random.float() * 3) }, () => CPU)
            const strategy = strategies[Math.floor(random.float() * 4)] ?? 'PACK'
            groups.push({ owner, group: owner.api.placementGroup(bundles, { strategy }) })
          }
        } else if (draw < 0.9) {
          const [out] = groups.splice(Math.floor(random.float() * groups.length), 1)
          out?.owner.api.removePlacementGroup(out.group)
        } else if (helpers.length > 3) {
          const gone = helpers.shift() as string
          room.kill(gone)
        }
        await room.pass(random.float() * 200)
        check()
      }
      // When it is quiet each group is there with all its bundles, or with none.
      await room.pass(15_000)
      const counts = { held: 0, placed: 0 }
      for (const { owner, group } of groups) {
        const name = owner === room.tab('d') ? 'd' : 'e'
        const { places, state } = await room.stateOf(group, name)
        const placed = places.filter((place) => place !== undefined).length
        counts.placed += placed
        if (state === 'PENDING') expect(placed).toBe(0)
        if (state === 'CREATED') expect(placed).toBe(group.bundleCount)
      }
      for (const { node } of room.tabs.values()) counts.held += node.holdings().bundles
      expect(counts.held).toBe(counts.placed)
      failed += room.failedRounds
      for (const { owner, group } of groups) owner.api.removePlacementGroup(group)
      await room.pass(2_000)
      expect([...room.tabs.values()].map(({ node }) => node.holdings())).toEqual(
        [...room.tabs.values()].map(() => expect.objectContaining({ groups: 0, bundles: 0 }) as object),
      )
      expect(Object.values(room.used()).every((used) => used['CPU'] === undefined)).toBe(true)
    }
    expect(failed).toBeGreaterThan(10)
  })
})
