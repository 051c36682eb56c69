// Long because each reload is a story of its own, told over the same room.
import { describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import type { FormerSelf, ReloadOptions } from '@shoal/node'
import { TaskPlacementGroupRemovedError } from '@shoal/protocol'
import type { ObjectId } from '@shoal/protocol'
import { createSimNode, takenBy } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { simSha256 } from './sim-crypto.ts'
import { SimWorld } from './sim-world.ts'

declare const simSleep: (ms: number) => Promise<void>
declare const simRan: (name: string) => void

/** What a page has put by for its reload. */
interface Entry {
  readonly former: readonly FormerSelf[]
  readonly kept: readonly ObjectId[]
}

const NOTHING: Entry = { former: [], kept: [] }

/** A driver whose page reloads, and helpers, each with a resource of its own name so that tasks can be sent there. */
class Room {
  readonly world: SimWorld
  readonly runs: string[] = []
  readonly tabs = new Map<string, SimNode>()
  readonly #entries = new Map<string, Entry>()
  readonly #graceMs: number

  constructor(seed: number, graceMs = 20_000) {
    this.world = new SimWorld({ seed })
    this.#graceMs = graceMs
  }

  async open(...helpers: string[]): Promise<SimNode> {
    const driver = await this.addDriver('driver', NOTHING)
    for (const name of helpers) await this.#add(name, undefined)
    await this.untilLinked()
    return driver
  }

  /** A tab with the owner's link whose page finds that entry, and writes its own. */
  async addDriver(name: string, entry: Entry, isClaiming = true): Promise<SimNode> {
    const { world } = this
    const secret = world.random.fork(`secret of ${name}`).bytes(16)
    const { node, publicKey } = await world.identity(name)
    this.#entries.set(name, { former: [{ node, publicKey, secret }, ...entry.former], kept: entry.kept })
    return this.#add(name, isClaiming ? { ...entry, secretHash: simSha256(secret) } : undefined)
  }

  async #add(name: string, reload: ReloadOptions | undefined): Promise<SimNode> {
    const { world } = this
    const isDriver = this.#entries.has(name)
    const tab: SimNode = await createSimNode(world.ports(await world.identity(name), 1), {
      slots: 4,
      resources: { [name]: 100 },
      graceMs: this.#graceMs,
      ...(isDriver && { ownerKeyPair: world.ownerKeyPair }),
      ...(reload && { reload }),
      globals: { simRan: (label: string) => this.runs.push(`${label} at ${name}`) },
      onOver: () => {
        world.clock.after(50, () => {
          if (this.tabs.get(name) === tab) void tab.enterAgain(world.nextSession(tab.ports))
        })
      },
    })
    this.tabs.set(name, tab)
    return tab
  }

  async untilLinked(): Promise<void> {
    const others = this.tabs.size - 1
    const isLinked = (): boolean =>
      [...this.tabs.values()].every(
        ({ node }) => node.status().members.filter(({ card }) => card !== undefined).length === others,
      )
    if (!(await this.world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
  }

  tab(name: string): SimNode {
    const tab = this.tabs.get(name)
    if (tab === undefined) throw new Error(`no tab ${name}`)
    return tab
  }

  /** The page keeps these, and no others, for its reload. */
  keep(name: string, refs: readonly ObjectRef[]): void {
    const { core, ports } = this.tab(name)
    const kept = refs.map((ref) => {
      core.keepId(core.idOf(ref))
      const { owner, number } = core.idOf(ref)
      return { owner: /^0+$/.test(owner) ? ports.node : owner, number }
    })
    this.#entries.set(name, { ...this.entry(name), kept })
  }

  entry(name: string): Entry {
    return this.#entries.get(name) ?? NOTHING
  }

  /** The process is gone without a word. */
  kill(name: string): void {
    this.world.kill(this.tab(name).ports)
    this.tabs.delete(name)
  }

  /** The page goes; others hear of it, and nothing of the end of its job. */
  hide(name: string): void {
    this.tab(name).close('reload')
    this.tabs.delete(name)
  }

  /** The tab goes and is back after a while as another, which finds the entry. */
  async reload(name: string, next: string, afterMs = 500, isClaiming = true): Promise<SimNode> {
    this.hide(name)
    await this.pass(afterMs)
    return this.addDriver(next, this.entry(name), isClaiming)
  }

  /** The refs that a tab's page has kept, as it finds them after a reload. */
  kept<T>(name: string): ObjectRef<T>[] {
    const { core } = this.tab(name)
    return this.entry(name).kept.map((id) => {
      core.keepId(id)
      return core.adoptRef(id) as ObjectRef<T>
    })
  }

  running(...names: string[]): number {
    return names.reduce((sum, name) => sum + this.tab(name).node.status().running, 0)
  }

  settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.world.clock.settle(promise, limitMs)
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
  }

  /** The driver shuts down: what is left of its jobs after that is a leak. */
  async end(driver: string, waitMs = 2_000): Promise<string[]> {
    this.tab(driver).close('left')
    this.tabs.delete(driver)
    await this.pass(waitMs)
    const live = new Set([...this.tabs.values()].map(({ ports }) => ports.node))
    const left = [...this.tabs.values()].flatMap((tab) => {
      const { running, ledgers: all, objects } = tab.node.status()
      const ledgers = all.filter(({ owner }) => !live.has(owner))
      return running + objects + ledgers.length === 0 ? [] : [{ tab: tab.ports.name, running, ledgers, objects }]
    })
    for (const tab of this.tabs.values()) tab.close('left')
    return left.map((each) => JSON.stringify(each))
  }
}

const at = (name: string): { resources: Record<string, number>; numCpus: number } => ({
  resources: { [name]: 1 },
  numCpus: 0,
})

function slowIn({ api }: SimNode, place: string) {
  return api.remote(async (name: string, ms: number) => {
    simRan(name)
    await simSleep(ms)
    return `${name} is done`
  }, at(place))
}

describe('a driver whose page reloads', () => {
  it('[SP7] has its placement groups no more: they end with its former tab, after the grace, and their work with them', async () => {
    const room = new Room(31, 5_000)
    const first = await room.open('a')
    const group = first.api.placementGroup([{ a: 1 }])
    expect(await room.settle(group.wait())).toBe(true)
    const slow = first.api.remote(
      async () => {
        await simSleep(600_000)
      },
      { ...at('a'), schedulingStrategy: { placementGroup: group } },
    )
    room.keep('driver', [slow.remote()])
    await room.pass(500)
    const second = await room.reload('driver', 'driver 2')
    const [kept] = room.kept('driver 2')
    if (kept === undefined) throw new Error('nothing was kept')
    const bundles = (): number => room.tab('a').node.holdings().bundles
    await room.pass(2_000)
    expect(bundles()).toBe(1)
    await expect(room.settle(second.api.get(kept))).rejects.toBeInstanceOf(TaskPlacementGroupRemovedError)
    expect([bundles(), room.running('a')]).toEqual([0, 0])
    expect(await room.end('driver 2')).toEqual([])
  })

  it('[G11] has its job back: values, results and runs under way, and nothing runs twice', async () => {
    for (let seed = 1; seed < 6; seed++) {
      const room = new Room(seed)
      const first = await room.open('a', 'b', 'c')
      const slow = slowIn(first, 'a')
      const { put, get, remote } = first.api
      const done = slow.remote('done', 10)
      const other = remote({}, ({ put: store }) => [store('foreign')], at('b'))
      const [foreign] = (await room.settle(get(other.remote()))) as [ObjectRef<string>]
      await room.settle(get(done))
      room.keep('driver', [
        put('small'),
        put(new Uint8Array(300_000).fill(7)),
        done,
        slow.remote('long', 60_000),
        foreign,
      ])
      slow.remote('not kept', 40_000)
      // The second copy of what is large is made within moments.
      await room.pass(2_500)
      const second = await room.reload('driver', 'driver 2')
      const [small, large, again, long, lent] = room.kept<string>('driver 2')
      const bytes = (await room.settle(second.api.get(large as unknown as ObjectRef<Uint8Array>))) as Uint8Array
      expect(bytes.reduce((sum, byte) => sum + byte, 0)).toBe(2_100_000)
      const refs = [small, again, lent] as ObjectRef<string>[]
      expect(await room.settle(second.api.get(refs))).toEqual(['small', 'done is done', 'foreign'])
      expect(takenBy(second)).toEqual([first.ports.node])
      // Long past the grace.
      expect(await room.settle(second.api.get(long as ObjectRef<string>), 90_000)).toBe('long is done')
      expect(room.runs.sort()).toEqual(['done at a', 'long at a', 'not kept at a'])
      expect(await room.end('driver 2')).toEqual([])
    }
  })

  it('[G11] runs again what ran in its own tab, with code that the old tab had signed', async () => {
    const room = new Room(7)
    const first = await room.open('a', 'b')
    const here = slowIn(first, 'driver')
    const anywhere = first.api.remote(async (name: string, text: string) => {
      simRan(name)
      await simSleep(5_000)
      return `${text}, ${name} is done`
    })
    room.keep('driver', [anywhere.remote('then', here.options({ resources: {} }).remote('here', 4_000))])
    await room.pass(1_000)
    await room.reload('driver', 'driver 2')
    const [ref] = room.kept<string>('driver 2')
    expect(await room.settle(room.tab('driver 2').api.get(ref as ObjectRef<string>))).toBe('here is done, then is done')
    expect(room.runs.filter((run) => run.startsWith('then')).length).toBe(1)
    expect(await room.end('driver 2')).toEqual([])
  })

  it('[G11] reloads once more, and again before it had its job back', async () => {
    for (const hurryMs of [8_000, 0]) {
      const room = new Room(8)
      const first = await room.open('a', 'b')
      room.keep('driver', [slowIn(first, 'a').remote('long', 50_000), first.api.put('small')])
      await room.pass(1_000)
      await room.reload('driver', 'driver 2')
      await room.pass(hurryMs)
      await room.reload('driver 2', 'driver 3')
      const third = room.tab('driver 3')
      expect(await room.settle(third.api.get(room.kept<string>('driver 3')), 90_000)).toEqual(['long is done', 'small'])
      expect(room.runs).toEqual(['long at a'])
      expect(await room.end('driver 3')).toEqual([])
    }
  })

  it('[G2, G11] keeps the job through a sleep, and through the death of those who had answered for it', async () => {
    for (let seed = 30; seed < 36; seed++) {
      const room = new Room(seed)
      const first = await room.open('a', 'b', 'c', 'd')
      room.keep('driver', [slowIn(first, 'a').remote('long', 60_000), first.api.put('small')])
      await room.pass(1_000)
      const second = await room.reload('driver', 'driver 2')
      // Whoever answers is gone in the middle of it, sometimes.
      await room.pass(300 * (seed - 30))
      const taker = ['b', 'c', 'd'].find((name) => takenBy(room.tab(name)).length > 0) ?? 'd'
      room.kill(taker)
      await room.pass(12_000)
      expect(takenBy(second)).toEqual([first.ports.node])
      second.ports.clock.freeze(true)
      await room.pass(9_000)
      second.ports.clock.freeze(false)
      await room.pass(15_000)
      expect(takenBy(second)).toEqual([first.ports.node])
      const [long, small] = room.kept<string>('driver 2')
      expect(await room.settle(second.api.get([long, small] as ObjectRef<string>[]), 90_000)).toEqual([
        'long is done',
        'small',
      ])
      expect(room.runs).toEqual(['long at a'])
      expect(await room.end('driver 2')).toEqual([])
    }
  })

  it('[G11] has an actor that it kept a handle of', async () => {
    const room = new Room(9)
    const first = await room.open('a', 'b')
    const Counter = first.api.actor(
      class {
        n = 0
        add(k: number): number {
          return (this.n += k)
        }
      },
      at('a'),
    )
    const counter = Counter.remote()
    await room.settle(first.api.get(counter.add.remote(5)))
    room.keep('driver', [first.api.put([counter])])
    await room.pass(1_000)
    const second = await room.reload('driver', 'driver 2')
    const [ref] = room.kept<[typeof counter]>('driver 2')
    const [again] = await room.settle(second.api.get(ref as ObjectRef<[typeof counter]>))
    expect(await room.settle(second.api.get(again.add.remote(2)))).toBe(7)
    await room.pass(40_000)
    expect(await room.settle(second.api.get(again.add.remote(2)))).toBe(9)
    expect(await room.end('driver 2', 40_000)).toEqual([])
  })

  it('[G10] ends with the grace when nobody claims it, and when it goes a second time for good', async () => {
    const room = new Room(10)
    const first = await room.open('a', 'b')
    room.keep('driver', [slowIn(first, 'a').remote('endless', 600_000)])
    await room.pass(1_000)
    await room.reload('driver', 'driver 2', 500, false)
    await room.pass(10_000)
    expect(room.running('a', 'b')).toBe(1)
    await room.pass(15_000)
    expect(room.running('a', 'b')).toBe(0)
    expect(await room.end('driver 2')).toEqual([])

    const other = new Room(11)
    const driver = await other.open('a', 'b')
    other.keep('driver', [slowIn(driver, 'a').remote('endless', 600_000)])
    await other.pass(1_000)
    await other.reload('driver', 'driver 2')
    await other.pass(30_000)
    expect(other.running('a', 'b')).toBe(1)
    other.hide('driver 2')
    await other.pass(15_000)
    expect(other.running('a', 'b')).toBe(1)
    await other.pass(10_000)
    expect(other.running('a', 'b')).toBe(0)
    await other.addDriver('driver 3', NOTHING)
    expect(await other.end('driver 3')).toEqual([])
  })

  it('[G11] finds that nothing is left when it was alone, or comes too late', async () => {
    const alone = new Room(12)
    const first = await alone.open()
    alone.keep('driver', [first.api.put('small')])
    await alone.pass(1_000)
    const second = await alone.reload('driver', 'driver 2')
    const [ref] = alone.kept<string>('driver 2')
    await expect(alone.settle(second.api.get(ref as ObjectRef<string>))).rejects.toMatchObject({ code: 'owner-died' })
    expect(await alone.end('driver 2')).toEqual([])

    const late = new Room(13)
    const driver = await late.open('a', 'b')
    late.keep('driver', [driver.api.put('small')])
    await late.pass(1_000)
    const back = await late.reload('driver', 'driver 2', 40_000)
    const [gone] = late.kept<string>('driver 2')
    await expect(late.settle(back.api.get(gone as ObjectRef<string>))).rejects.toMatchObject({ code: 'owner-died' })
    expect(await late.end('driver 2', 22_000)).toEqual([])
  })
})

describe('a duplicated tab', () => {
  it('[G11] does not steal the job, and the original has it back after its reload', async () => {
    for (let seed = 20; seed < 24; seed++) {
      const room = new Room(seed)
      const first = await room.open('a', 'b')
      room.keep('driver', [slowIn(first, 'a').remote('long', 60_000), first.api.put('small')])
      await room.pass(1_000)
      const copy = await room.addDriver('copy', room.entry('driver'))
      await room.untilLinked()
      await room.pass(10_000)
      expect(takenBy(copy)).toEqual([])
      // It sees what the original has, as anybody who was given the refs.
      const [, seen] = room.kept<string>('copy')
      expect(await room.settle(copy.api.get(seen as ObjectRef<string>))).toBe('small')
      const second = await room.reload('driver', 'driver 2')
      const refs = room.kept<string>('driver 2')
      expect(await room.settle(second.api.get(refs), 90_000)).toEqual(['long is done', 'small'])
      expect(takenBy(second)).toEqual([first.ports.node])
      expect(takenBy(copy)).toEqual([])
      expect(room.runs).toEqual(['long at a'])
      room.tab('copy').close('left')
      room.tabs.delete('copy')
      await room.pass(12_000)
      expect(await room.end('driver 2')).toEqual([])
    }
  })
})
