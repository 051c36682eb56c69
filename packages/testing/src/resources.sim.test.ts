// Long because each kind of resource, label and strategy has its rooms here.
import { TaskUnschedulableError, toResourceSet } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { ActorOptions, ObjectRef, TaskOptions } from '@shoal/core-worker'
import { createSimNode } from './sim-node.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

/** The tab that a task or actor runs in. */
declare const simHere: string
declare const simSleep: (ms: number) => Promise<void>

/** A simulated room; its first tab, `a`, is the driver. */
class Room {
  readonly world: SimWorld
  readonly tabs: SimNode[] = []

  constructor(seed: number) {
    this.world = new SimWorld({ seed })
  }

  get driver(): SimNode {
    const [driver] = this.tabs
    if (driver === undefined) throw new Error('nobody is in the room')
    return driver
  }

  async enter(...options: SimNodeOptions[]): Promise<void> {
    for (const one of options) {
      const name = 'abcdef'.charAt(this.tabs.length)
      const ports = this.world.ports(await this.world.identity(name), 1)
      const owner = name === 'a' ? { ownerKeyPair: this.world.ownerKeyPair } : {}
      this.tabs.push(await createSimNode(ports, { ...one, ...owner, globals: { simHere: name } }))
    }
    await this.run(3_000)
  }

  async run(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
  }

  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isOpen = true
    const end = (): void => {
      isOpen = false
    }
    promise.then(end, end)
    if (!(await this.world.clock.runUntil(() => !isOpen, limitMs)))
      throw new Error(`open after ${limitMs} simulated ms`)
    return promise
  }

  get<T>(refs: readonly ObjectRef<T>[]): Promise<T[]> {
    return this.settle(this.driver.api.get(refs) as Promise<T[]>)
  }

  /** How many of the refs exist within that time. */
  async ready(refs: readonly ObjectRef[], timeoutMs: number): Promise<number> {
    const [ready] = await this.settle(this.driver.api.wait(refs, { numReturns: refs.length, timeoutMs }))
    return ready.length
  }

  /** The tabs in which tasks ran that take that long. */
  task(options: TaskOptions, ms = 50): ObjectRef<string> {
    const nap = async (_: object, forMs: number): Promise<string> => {
      await simSleep(forMs)
      return simHere
    }
    return this.driver.api.remote({}, nap, { ...options, name: 'nap' }).remote(ms) as ObjectRef<string>
  }

  tasks(count: number, options: TaskOptions, ms = 50): ObjectRef<string>[] {
    return Array.from({ length: count }, () => this.task(options, ms))
  }

  /** A call of a new actor, which tells where it lives. */
  actor(options: ActorOptions): ObjectRef<string> {
    const Host = this.driver.api.actor(
      class Host {
        where(): string {
          return simHere
        }
      },
      options,
    )
    return Host.remote().where.remote() as ObjectRef<string>
  }

  /** What is in use in each tab. */
  used(): Record<string, number>[] {
    return this.tabs.map(({ node }) =>
      Object.fromEntries(node.status().usedResources.map(({ name, units }) => [name, units / 10_000])),
    )
  }
}

const counts = (places: readonly string[]): Record<string, number> => {
  const table: Record<string, number> = {}
  for (const place of places) table[place] = (table[place] ?? 0) + 1
  return table
}
const CAMERA = { resources: { camera: 1 } }

describe('resources in a simulated room', () => {
  it('[T1] take tasks to the one tab that has them, as many at a time as there are, nested ones too', async () => {
    const room = new Room(11)
    await room.enter({ slots: 4 }, { slots: 4 }, { slots: 4, resources: { camera: 1 } })
    const startedAt = room.world.clock.now()
    expect(await room.get(room.tasks(5, CAMERA, 100))).toEqual(['c', 'c', 'c', 'c', 'c'])
    expect(room.world.clock.now() - startedAt).toBeGreaterThanOrEqual(500)
    const { remote } = room.driver.api
    const inner = remote({}, () => simHere, { resources: { camera: 0.5 }, name: 'inner' })
    const outer = remote({ inner }, async ({ inner: nested, get }) => [simHere, await get(nested.remote())], {
      name: 'outer',
    })
    expect(await room.get([outer.remote()])).toEqual([['a', 'c']])
    expect(room.used()).toEqual([{}, {}, {}])
  })

  it('[T1] that no tab has leave a task waiting, in words in the status and once in the log, until a tab comes', async () => {
    const room = new Room(12)
    await room.enter({ slots: 1 }, { slots: 1 })
    const [first, second] = [room.task(CAMERA), room.task(CAMERA)]
    const { wait } = room.driver.api
    expect(await room.settle(wait([first], { timeoutMs: 50 }))).toEqual([[], [first]])
    expect(room.driver.node.status().infeasible).toEqual([{ shape: '1 CPU, 1 camera', tasks: 2 }])
    expect(room.driver.lines).toEqual([])
    await room.run(10_000)
    const told = 'no tab of this room has what this asks for: 1 CPU, 1 camera. It waits until one comes.'
    expect(room.driver.lines.map(({ name, level, text }) => ({ name, level, text }))).toEqual([
      { name: 'nap', level: 'warn', text: told },
    ])
    expect(await room.ready([first, second], 0)).toBe(0)
    await room.enter({ resources: { camera: 2 } })
    expect(await room.get([first, second])).toEqual(['c', 'c'])
    expect(room.driver.node.status().infeasible).toEqual([])
    expect(room.driver.lines).toHaveLength(1)
  })

  it('[T1] that no tab has are told to the driver of a nested task, too', async () => {
    const room = new Room(13)
    await room.enter({ slots: 1 }, { slots: 1, resources: { microphone: 1 } })
    const { remote } = room.driver.api
    const inner = remote({}, () => simHere, { resources: { camera: 1 }, name: 'inner' })
    const outer = remote({ inner }, async ({ inner: nested, get }) => get(nested.remote()), {
      resources: { microphone: 1 },
    })
    // The code of a nested task may leave a helper's tab once the driver has signed it.
    expect(await room.get([inner.options({ resources: { microphone: 1 } }).remote()])).toEqual(['b'])
    const ref = outer.remote()
    await room.run(10_000)
    const told = 'no tab of this room has what this asks for: 1 CPU, 1 camera. It waits until one comes.'
    expect(room.driver.lines.map(({ name, level, text }) => [name, level, text])).toEqual([['inner', 'warn', told]])
    expect(room.tabs[1]?.node.status().infeasible).toEqual([{ shape: '1 CPU, 1 camera', tasks: 1 }])
    await room.enter({ resources: { camera: 1 } })
    expect(await room.get([ref])).toEqual(['c'])
  })

  it('[T1] that a tab lacks keep what it defined itself waiting, and the driver hears why', async () => {
    const room = new Room(19)
    await room.enter({ slots: 1 }, { slots: 1, resources: { microphone: 1 } }, { slots: 1, resources: { camera: 1 } })
    const { remote } = room.driver.api
    const outer = remote(
      {},
      async ({ remote: make, get }) => get(make(() => 1, { resources: { camera: 1 }, name: 'own' }).remote()),
      { resources: { microphone: 1 } },
    )
    const ref = outer.remote()
    expect(await room.ready([ref], 10_000)).toBe(0)
    expect(room.driver.lines.map(({ name, level }) => [name, level])).toEqual([['own', 'warn']])
    expect(room.driver.lines[0]?.text).toContain('define it in a remote module')
  })

  it('[T1] count in fractions: 2.7 of 3 for an actor leave a task with 0.7 waiting and let one with 0.3 run', async () => {
    const room = new Room(14)
    await room.enter({ slots: 4, resources: { Custom: 3 } })
    expect(await room.get([room.actor({ resources: { Custom: 2.7 } })])).toEqual(['a'])
    const large = room.task({ resources: { Custom: 0.7 } })
    expect(await room.ready([large], 500)).toBe(0)
    expect(await room.get([room.task({ resources: { Custom: 0.3 } })])).toEqual(['a'])
    expect(room.driver.node.status().infeasible).toEqual([])
    expect(room.used()).toEqual([{ CPU: 1, Custom: 2.7 }])
    // The actor ends with its worker, and gives back what it held.
    for (const worker of room.driver.workers.workers) worker.crash('test')
    expect(await room.get([large])).toEqual(['a'])
    expect(room.used()).toEqual([{}])
  })

  it('[T1] a task that waits keeps what is not a CPU', async () => {
    const room = new Room(15)
    await room.enter({ slots: 1, resources: { camera: 1 } })
    const { remote } = room.driver.api
    const child = remote({}, async (_, ms: number) => {
      await simSleep(ms)
      return ms
    })
    const parent = remote({ child }, async ({ child: inner, get }) => get(inner.remote(200)), CAMERA)
    const ref = parent.remote()
    await room.run(100)
    const other = room.task(CAMERA, 10)
    const plain = room.task({}, 10)
    await room.run(50)
    expect(room.used()).toEqual([{ CPU: 1, camera: 1 }])
    expect(await room.ready([other, plain], 0)).toBe(0)
    await room.get([ref])
    expect(await room.get([other, plain])).toEqual(['a', 'a'])
    expect(room.used()).toEqual([{}])
  })

  it('[T1] an actor without options needs a free CPU to be made and none to live; with 0 CPUs it lives anywhere', async () => {
    const room = new Room(16)
    await room.enter({ slots: 0 }, { slots: 2 })
    const actors = Array.from({ length: 6 }, () => room.actor({}))
    expect(counts(await room.get(actors))).toEqual({ b: 6 })
    expect(room.used()).toEqual([{}, {}])
    expect(await room.get([room.actor({ numCpus: 0 })])).toEqual(['a'])
    expect(await room.get([room.actor({ numCpus: 2 })])).toEqual(['b'])
    expect(room.used()).toEqual([{}, { CPU: 2 }])
    expect(await room.ready([room.actor({})], 1_000)).toBe(0)
  })

  it('[T1] actors that hold what there is once go to different tabs; one too many waits for a tab that comes', async () => {
    const room = new Room(17)
    await room.enter({ slots: 2 }, { slots: 2, resources: { camera: 1 } })
    const actors = Array.from({ length: 3 }, () => room.actor({ resources: { camera: 1 } }))
    await room.run(2_000)
    expect(await room.ready(actors, 0)).toBe(1)
    await room.enter({ slots: 2, resources: { camera: 1 } })
    await room.run(2_000)
    expect(await room.ready(actors, 0)).toBe(2)
    await room.enter({ slots: 2, resources: { camera: 1 } })
    expect(counts(await room.get(actors))).toEqual({ b: 1, c: 1, d: 1 })
    expect(room.used()).toEqual([{}, ...Array.from({ length: 3 }, () => ({ CPU: 1, camera: 1 }))])
  })

  it('[T1] that a tab lends no more are not used any more', async () => {
    const room = new Room(18)
    await room.enter({ slots: 1 }, { slots: 1, resources: { camera: 1 } })
    room.tabs[1]?.node.lend({ isOn: false })
    await room.run(1_000)
    const ref = room.task(CAMERA)
    expect(await room.ready([ref], 1_000)).toBe(0)
    expect(room.driver.node.status().infeasible).toEqual([{ shape: '1 CPU, 1 camera', tasks: 1 }])
    room.tabs[1]?.node.lend({ isOn: true })
    expect(await room.get([ref])).toEqual(['b'])
    const cards = room.driver.node.status().members.map(({ card }) => card?.resources)
    expect(cards).toEqual([toResourceSet({ CPU: 1, camera: 1 })])
  })
})

describe('labels in a simulated room', () => {
  const idOf = (room: Room, index: number): string => room.tabs[index]?.ports.node ?? ''

  it('[ST15] take tasks and actors to the tabs that have them, and to one that comes later', async () => {
    const room = new Room(41)
    await room.enter({ slots: 4 }, { slots: 2, labels: { region: 'eu' } }, { slots: 2, labels: { region: 'us' } })
    const eu = { labelSelector: { region: 'in(eu, uk)' } }
    expect(counts(await room.get(room.tasks(5, eu)))).toEqual({ b: 5 })
    expect(await room.get([room.actor(eu), room.actor({ labelSelector: { region: '!eu' }, numCpus: 2 })])).toEqual([
      'b',
      'a',
    ])
    const late = room.task({ schedulingStrategy: { hard: { region: 'jp' } } })
    expect(await room.ready([late], 6_000)).toBe(0)
    expect(room.driver.node.status().infeasible).toEqual([{ shape: '1 CPU where region in jp', tasks: 1 }])
    await room.enter({ slots: 1, labels: { region: 'jp' } })
    expect(await room.get([late])).toEqual(['d'])
  })

  it('[ST16] a node is named by its id, hard or soft, busy or gone', async () => {
    const room = new Room(42)
    await room.enter({ slots: 4 }, { slots: 1 }, { slots: 1 })
    const hard = { schedulingStrategy: { nodeId: idOf(room, 1) } }
    const soft = { schedulingStrategy: { nodeId: idOf(room, 2), soft: true } }
    // Busy or not, both wait for it.
    expect(counts(await room.get([...room.tasks(4, hard, 300), ...room.tasks(4, soft, 300)]))).toEqual({ b: 4, c: 4 })
    for (const index of [1, 2]) room.tabs[index]?.close('left')
    await room.run(2_000)
    expect(await room.get([room.task(soft)])).toEqual(['a'])
    const startedAt = room.world.clock.now()
    const [one, other] = [room.task(hard), room.actor({ schedulingStrategy: { nodeId: idOf(room, 1) } })]
    await expect(room.get([one])).rejects.toThrow(TaskUnschedulableError)
    await expect(room.get([other])).rejects.toThrow(/not in this room/)
    expect(room.world.clock.now() - startedAt).toBeLessThan(7_000)
    // And again: it is told each time.
    await expect(room.get([room.task(hard)])).rejects.toThrow(TaskUnschedulableError)
  })

  it('[ST15] hold in a task of another tab as well, and when its owner is gone', async () => {
    const room = new Room(43)
    await room.enter({ slots: 1 }, { slots: 2, labels: { role: 'owner' } }, { slots: 2, labels: { role: 'runner' } })
    const { remote } = room.driver.api
    const leaf = remote(
      {},
      async (_: object, ms: number) => {
        await simSleep(ms)
        return simHere
      },
      { labelSelector: { role: 'runner' }, name: 'leaf' },
    )
    const outer = remote({ leaf }, ({ leaf }) => [leaf.remote(3_000)], { labelSelector: { role: 'owner' } })
    const [inner] = (await room.get([outer.remote()]))[0] as [ObjectRef<string>]
    await room.run(1_000)
    room.world.kill(room.tabs[1]?.ports as never)
    room.tabs[2]?.close('left')
    await room.run(3_000)
    await room.enter({ slots: 2, labels: { role: 'runner' } })
    expect(await room.get([inner])).toEqual(['d'])
  })
})

describe('SPREAD in a simulated room', () => {
  const SPREAD = { schedulingStrategy: 'SPREAD' } as const

  it('[T1] takes tasks and actors to every tab in turn, where DEFAULT keeps them at home', async () => {
    const room = new Room(21)
    await room.enter({ slots: 8 }, { slots: 8 }, { slots: 8 })
    expect(counts(await room.get(room.tasks(6, {})))).toEqual({ a: 6 })
    expect(counts(await room.get(room.tasks(9, SPREAD)))).toEqual({ a: 3, b: 3, c: 3 })
    const actors = Array.from({ length: 6 }, () => room.actor(SPREAD))
    expect(counts(await room.get(actors))).toEqual({ a: 2, b: 2, c: 2 })
    expect(room.used()).toEqual([{}, {}, {}])
  })

  it('[T1] covers all tabs with many more tasks than slots, and keeps each busy', async () => {
    const room = new Room(22)
    await room.enter({ slots: 1 }, { slots: 2 }, { slots: 3 })
    const startedAt = room.world.clock.now()
    const places = counts(await room.get(room.tasks(60, SPREAD, 100)))
    expect(Object.keys(places).sort()).toEqual(['a', 'b', 'c'])
    // 60 tasks of 100 ms on 6 slots: a second at best.
    expect(room.world.clock.now() - startedAt).toBeLessThan(2_500)
  })

  it('[T1] goes on without a tab that leaves in the middle', async () => {
    const room = new Room(23)
    await room.enter({ slots: 2 }, { slots: 2 }, { slots: 2 })
    const refs = room.tasks(12, SPREAD, 200)
    await room.run(100)
    room.tabs[2]?.close('left')
    expect(Object.keys(counts(await room.get(refs))).sort()).toEqual(['a', 'b'])
  })
})

describe('Ray about one CPU', () => {
  it('[T1] a get of what is here already takes no second worker (case 10)', async () => {
    const room = new Room(31)
    await room.enter({ slots: 1 })
    const { put, remote } = room.driver.api
    const inner = put('here')
    const fetch = remote({}, async ({ get }, refs: readonly ObjectRef<string>[]) => get([...refs]))
    const refs = [fetch.remote([inner]), fetch.remote([inner]), fetch.remote([inner])]
    expect(await room.get(refs)).toEqual([['here'], ['here'], ['here']])
    expect(room.driver.workers.workers.size).toBe(1)
  })

  it('[T1] two tasks wait for and two get the same nested ref, on one slot (case 23)', async () => {
    const room = new Room(32)
    await room.enter({ slots: 1 })
    const { remote } = room.driver.api
    const slow = room.task({}, 100)
    const getter = remote({}, async ({ get }, [ref]: readonly ObjectRef<string>[]) => get(ref as ObjectRef<string>))
    const waiter = remote({}, async ({ wait }, refs: readonly ObjectRef<string>[]) => {
      const [ready] = await wait([...refs])
      return ready.length
    })
    const refs = [waiter, waiter, getter, getter].map((task) => (task as typeof getter).remote([slow]))
    expect(await room.get(refs as ObjectRef<unknown>[])).toEqual([1, 1, 'a', 'a'])
  })

  it('[T1] a nested task that its parent waits for at once runs in the same tab, though others promised to take some', async () => {
    const room = new Room(33)
    await room.enter({ slots: 1 }, { slots: 1 }, { slots: 1 })
    const { remote } = room.driver.api
    const inner = remote({}, () => simHere)
    const outer = remote({ inner }, async ({ inner: nested, get }) => `${simHere}${await get(nested.remote())}`)
    // Seen to wait, and the others have credits out.
    await room.get(room.tasks(30, {}, 10))
    await room.settle(room.driver.api.get(outer.remote()))
    const places: unknown[] = []
    for (let n = 0; n < 50; n += 1) places.push(await room.settle(room.driver.api.get(outer.remote())))
    expect(counts(places as string[])).toEqual({ aa: 50 })
  })
})
