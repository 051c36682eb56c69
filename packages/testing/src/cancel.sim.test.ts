// Long because each story of a cancellation is told over the same room.
import type { ObjectRef, RemoteFunction } from '@shoal/core-worker'
import { TaskCancelledError, WorkerCrashedError } from '@shoal/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { simRandom } from './sim-random.ts'
import { SimWorld } from './sim-world.ts'

declare const simSleep: (ms: number) => Promise<void>
declare const simRan: (label: string) => void

const HELPERS = ['a', 'b', 'c']
/** Any word has gone down a tree of three tabs by then. */
const HEARD_MS = 1_500

/** A driver that runs nothing and helpers, each with a resource of its own name so that tasks can be sent there. */
class Room {
  readonly world: SimWorld
  /** `label at tab`, in the order in which the runs began. */
  readonly runs: string[] = []
  readonly tabs = new Map<string, SimNode>()

  constructor(seed: number) {
    this.world = new SimWorld({ seed })
  }

  async open(slots = 4): Promise<void> {
    for (const name of ['driver', ...HELPERS]) {
      const tab = await createSimNode(this.world.ports(await this.world.identity(name), 1), {
        slots: name === 'driver' ? 0 : slots,
        resources: { [name]: 100 },
        ...(name === 'driver' && { ownerKeyPair: this.world.ownerKeyPair }),
        globals: { simRan: (label: string) => this.runs.push(`${label} at ${name}`) },
      })
      this.tabs.set(name, tab)
    }
    const isLinked = (): boolean =>
      [...this.tabs.values()].every(
        ({ node }) => node.status().members.filter(({ card }) => card !== undefined).length === HELPERS.length,
      )
    if (!(await this.world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
  }

  tab(name: string): SimNode {
    const tab = this.tabs.get(name)
    if (tab === undefined) throw new Error(`no tab ${name}`)
    return tab
  }

  get api(): SimNode['api'] {
    return this.tab('driver').api
  }

  /** The process is gone without a word. */
  kill(name: string): void {
    this.world.kill(this.tab(name).ports)
    this.tabs.delete(name)
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.world.clock.settle(promise)
  }

  /** The value, or the name of the error. */
  outcome(ref: ObjectRef): Promise<unknown> {
    return this.settle(this.api.get(ref).catch((error: Error) => error.name))
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
  }

  async untilRan(label: string, count = 1): Promise<void> {
    const hasRun = (): boolean => this.ran(label) >= count
    if (!(await this.world.clock.runUntil(hasRun, 20_000)))
      throw new Error(
        `${label} did not run: ${this.runs.join()} ${[...this.tabs.values()].flatMap(({ lines }) => lines.map(({ text }) => text)).join()}`,
      )
  }

  ran(label: string): number {
    return this.runs.filter((run) => run.startsWith(`${label} at`)).length
  }

  /** What runs or waits anywhere. */
  underWay(): Record<string, number> {
    const found: Record<string, number> = {}
    for (const [name, { node }] of this.tabs) {
      const { runs, pendingTasks, queuedTasks } = node.holdings()
      if (runs + pendingTasks + queuedTasks > 0) found[name] = runs + pendingTasks + queuedTasks
    }
    return found
  }

  /** All that any tab holds once refs that nobody uses are collected. */
  async left(): Promise<string[]> {
    for (let round = 0; round < 3; round++) {
      for (const { collector, workers } of this.tabs.values()) {
        collector.collect()
        for (const worker of workers.workers) worker.collector.collect()
      }
      await this.pass(1_500)
    }
    return [...this.tabs].flatMap(([name, { node }]) =>
      Object.entries(node.holdings())
        .filter(([what, count]) => count > 0 && what !== 'workers' && what !== 'actors')
        .map(([what, count]) => `${count} ${what} of ${name}`),
    )
  }
}

/** Says that it runs, submits the next level to the next tab, and waits for it; the last one sleeps. */
type Level = RemoteFunction<[Level: unknown, tabs: readonly string[]], string>

function levels({ api }: Room): Level {
  return api.remote({}, async ({ get }, self: unknown, tabs: readonly string[]): Promise<string> => {
    const [, next] = tabs
    simRan(`level ${tabs.length}`)
    if (next === undefined) {
      await simSleep(10_000_000)
      return 'never'
    }
    return get((self as Level).options({ resources: { [next]: 1 } }).remote(self, tabs.slice(1)))
  })
}

const sleeper = async (label: string, ms: number): Promise<string> => {
  simRan(label)
  await simSleep(ms)
  return label
}

describe('cancel, over several tabs', () => {
  let room: Room
  afterEach(() => {
    for (const tab of room.tabs.values()) tab.close('left')
  })

  it('[T6, SX1] what was sent to a tab and waits there never runs', async () => {
    room = new Room(1)
    await room.open()
    const { remote, cancel, get } = room.api
    const alone = remote(sleeper, { numCpus: 4, resources: { a: 1 } })
    const first = alone.remote('first', 300)
    await room.untilRan('first')
    const refs = ['second', 'third', 'fourth'].map((label) => alone.remote(label, 10))
    await room.pass(100)
    for (const ref of refs.slice(0, 2)) cancel(ref)
    for (const ref of refs.slice(0, 2)) expect(await room.outcome(ref)).toBe('TaskCancelledError')
    expect(room.ran('first')).toBe(1)
    expect(await room.settle(get([first, refs[2] as ObjectRef]))).toEqual(['first', 'fourth'])
    expect(room.runs).toEqual(['first at a', 'fourth at a'])
    expect(room.underWay()).toEqual({})
  })

  it('[T6, SX4] a tree of three levels in three tabs ends, with force in its tabs too', async () => {
    for (const force of [false, true]) {
      room = new Room(2)
      await room.open()
      const root = levels(room)
        .options({ resources: { a: 1 } })
        .remote(levels(room), ['a', 'b', 'c'])
      await room.untilRan('level 1')
      expect(room.runs).toEqual(['level 3 at a', 'level 2 at b', 'level 1 at c'])
      room.api.cancel(root, { force })
      const error = await room.settle(room.api.get(root).catch((reason: unknown) => reason))
      expect(error).toBeInstanceOf(force ? WorkerCrashedError : TaskCancelledError)
      await room.pass(HEARD_MS)
      // The last one hears of nothing, and its owner waits for it: only force ends it.
      expect(room.underWay()).toEqual(force ? {} : { b: 1, c: 1 })
      if (!force) for (const tab of room.tabs.values()) tab.close('left')
    }
    expect(await room.left()).toEqual([])
  })

  it('[SX4] with recursive: false the levels below go on', async () => {
    room = new Room(3)
    await room.open()
    const root = levels(room)
      .options({ resources: { a: 1 } })
      .remote(levels(room), ['a', 'b', 'c'])
    await room.untilRan('level 1')
    room.api.cancel(root, { recursive: false })
    expect(await room.outcome(root)).toBe('TaskCancelledError')
    await room.pass(HEARD_MS)
    expect(room.underWay()).toEqual({ a: 1, b: 2, c: 1 })
  })

  it('[T6] what is submitted while the word is on its way does not start', async () => {
    room = new Room(4)
    await room.open()
    const { remote, cancel } = room.api
    const child = remote({}, async ({ context }, label: string, ms: number) => {
      simRan(label)
      const { signal } = context()
      const end = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      await Promise.race([simSleep(ms), end])
    })
    // A tab may send on what it was given leave to run.
    await room.settle(room.api.get(child.options({ resources: { a: 1 } }).remote('first', 1)))
    const parent = remote(
      { child },
      async ({ child, context }) => {
        simRan('parent')
        for (let n = 0; !context().isCancelled; n++) {
          for (const at of ['b', 'c']) child.options({ resources: { [at]: 1 } }).remote('child', 1_000_000)
          // Less than it takes to tell a worker.
          await simSleep(0.05)
        }
      },
      { resources: { a: 1 } },
    )
    const ref = parent.remote()
    await room.untilRan('child')
    cancel(ref)
    expect(await room.settle(room.api.get(ref).catch((error: Error) => error.name))).toBe(undefined)
    await room.pass(HEARD_MS)
    const ran = room.ran('child')
    await room.pass(5_000)
    expect(room.ran('child')).toBe(ran)
    expect(room.underWay()).toEqual({})
    expect(await room.left()).toEqual([])
  })

  it('[T6, SX4] what an earlier attempt has submitted in another tab ends too', async () => {
    room = new Room(8)
    await room.open()
    const { remote, cancel, get } = room.api
    const child = remote(
      {},
      async ({ context }) => {
        simRan('child')
        const { signal } = context()
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
      { resources: { c: 1 } },
    )
    const parent = remote(
      { child },
      async ({ child, context }, isFirst: boolean) => {
        simRan(`attempt ${context().attempt}`)
        if (isFirst) return
        if (context().attempt === 0) child.remote()
        await simSleep(1_000_000)
      },
      { schedulingStrategy: 'SPREAD' },
    )
    await room.settle(get(HELPERS.map(() => parent.remote(true))))
    // Each tab may send the child on from now on.
    const known = HELPERS.map((name) => child.options({ resources: { [name]: 1 } }).remote())
    await room.untilRan('child', 3)
    for (const ref of known) cancel(ref)
    await room.pass(HEARD_MS)
    expect(room.underWay()).toEqual({})
    const ref = parent.remote(false)
    await room.untilRan('child', 4)
    const first = room.runs.findLast((run) => run.startsWith('attempt 0'))?.slice(-1) ?? ''
    for (const worker of [...room.tab(first).workers.workers]) worker.crash('by the story')
    await room.untilRan('attempt 1')
    expect(room.runs.at(-1)).not.toBe(`attempt 1 at ${first}`)
    cancel(ref, { force: true })
    expect(await room.outcome(ref)).toBe('WorkerCrashedError')
    await room.pass(HEARD_MS)
    expect(room.underWay()).toEqual({})
  })

  it('[T1, SX8] a cancellation that races with the end leaves a value or an error, the same for everybody', async () => {
    room = new Room(5)
    await room.open()
    const { remote, cancel, get } = room.api
    const task = remote(
      {},
      async ({ context }, ms: number) => {
        await simSleep(ms)
        if (context().isCancelled) throw context().signal.reason
        return 'value'
      },
      { resources: { a: 1 }, numCpus: 0 },
    )
    const look = remote(
      {},
      async ({ get }, [ref]: readonly [ObjectRef]) => get(ref).catch((error: Error) => error.name),
      { resources: { b: 1 }, numCpus: 0 },
    )
    const seen = new Map<unknown, number>()
    for (let at = 0; at < 60; at += 1) {
      const ref = task.remote(20)
      const first = get(ref).catch((error: Error) => error.name)
      const elsewhere = get(look.remote([ref]))
      room.world.clock.after(at, () => cancel(ref))
      const outcomes = await room.settle(Promise.all([first, elsewhere]))
      outcomes.push(await room.outcome(ref), await room.settle(get(look.remote([ref]))))
      expect(new Set(outcomes).size, `cancelled after ${at} ms: ${outcomes.join()}`).toBe(1)
      seen.set(outcomes[0], (seen.get(outcomes[0]) ?? 0) + 1)
    }
    expect([...seen.keys()].sort()).toEqual(['TaskCancelledError', 'value'])
    expect(Math.min(...seen.values())).toBeGreaterThan(5)
    expect(room.underWay()).toEqual({})
  })

  it('[T1, SX6] when the tab that runs it dies of the news, it is not run again', async () => {
    for (const afterMs of [0, 1, 5, 30, 200]) {
      room = new Room(6)
      await room.open()
      const root = levels(room)
        .options({ resources: { a: 1 }, maxRetries: 5 })
        .remote(levels(room), ['a', 'b', 'c'])
      await room.untilRan('level 1')
      room.api.cancel(root)
      await room.pass(afterMs)
      room.kill('a')
      expect(await room.outcome(root)).toBe('TaskCancelledError')
      await room.pass(30_000)
      expect(room.runs, `killed after ${afterMs} ms`).toHaveLength(3)
      // The last level hears of nothing, and of what was above it nothing is left.
      expect(room.underWay()).toEqual({ b: 1, c: 1 })
      for (const tab of room.tabs.values()) tab.close('left')
    }
  })

  it('[T1, SX6] whoever takes over from an owner that had cancelled a task says so, and does not run it', async () => {
    room = new Room(7)
    await room.open()
    const { remote, get, actor } = room.api
    const child = remote(sleeper, { resources: { b: 1 }, numCpus: 0 })
    await room.settle(get(child.options({ resources: { a: 1 } }).remote('first', 1)))
    const Bell = actor(
      class {
        rung = false
        ring(): void {
          this.rung = true
        }
        look(): boolean {
          return this.rung
        }
      },
    )
    const bell = Bell.options({ resources: { c: 1 } }).remote()
    const parent = remote(
      { child },
      async ({ child, cancel, get }, handle: typeof bell) => {
        const ref = child.remote('child', 20_000)
        const box = { ref }
        void (async () => {
          while (!(await get(handle.look.remote()))) await simSleep(20)
          cancel(ref)
          simRan('cancelled')
          await simSleep(10_000_000)
        })()
        return box
      },
      { resources: { a: 1 }, numCpus: 0 },
    )
    const { ref } = await room.settle(get(parent.remote(bell)))
    await room.untilRan('child')
    await room.settle(get(bell.ring.remote()))
    await room.untilRan('cancelled')
    await room.pass(100)
    room.kill('a')
    expect(await room.outcome(ref)).toBe('TaskCancelledError')
    await room.pass(30_000)
    expect(await room.outcome(ref)).toBe('TaskCancelledError')
    expect(room.ran('child')).toBe(1)
    ref.release()
    expect((await room.left()).filter((line) => !/runs|timers|borrowed|Objects|calls/.test(line))).toEqual([])
  })

  it('[T6, T1, SX4] of random trees that are cancelled nothing starts, runs or is held once the word is round', async () => {
    interface Plan {
      readonly label: string
      readonly at: string
      readonly before: number
      readonly between: number
      readonly after: number
      readonly isPatient: boolean
      readonly awaits: 'get' | 'wait' | 'nothing'
      readonly children: readonly Plan[]
    }
    const counts = { cancelled: 0, values: 0, runs: 0, crashes: 0 }
    for (let seed = 1; seed <= 10; seed++) {
      room = new Room(seed)
      await room.open(2)
      const random = simRandom(seed)
      const one = <T>(...items: readonly T[]): T => items[Math.floor(random.float() * items.length)] as T
      const ms = (most: number): number => Math.floor(random.float() * most)
      const plan = (label: string, depth: number, isLong: boolean): Plan => {
        // What listens may take so long that only the cancellation can have ended it.
        const isPatient = random.float() < 0.7
        const count = depth === 0 ? 0 : ms(4)
        return {
          label,
          at: one(...HELPERS),
          before: ms(20),
          between: ms(20),
          after: isPatient && isLong && random.float() < 0.5 ? 1_000_000 : ms(60),
          isPatient,
          // What ended in the middle of a tree leaves what it never waited for.
          awaits: isLong ? one('get', 'wait') : one('get', 'wait', 'nothing'),
          children: Array.from({ length: count }, (_, n) => plan(`${label}.${n}`, depth - 1, isLong)),
        }
      }
      type Grow = RemoteFunction<[Grow: unknown, plan: Plan], string>
      const grow = room.api.remote({}, async ({ get, wait, context }, self: unknown, plan: Plan): Promise<string> => {
        simRan(plan.label)
        const { signal } = context()
        const sleep = (ms: number): Promise<unknown> =>
          Promise.race([
            simSleep(ms),
            new Promise((_, reject) => {
              if (plan.isPatient) signal.addEventListener('abort', () => reject(signal.reason as Error))
            }),
          ])
        await sleep(plan.before)
        const refs = []
        for (const child of plan.children) {
          refs.push((self as Grow).options({ resources: { [child.at]: 1 } }).remote(self, child))
          await sleep(plan.between / plan.children.length)
        }
        if (plan.awaits === 'get') await get(refs)
        if (plan.awaits === 'wait') await wait(refs, { numReturns: Math.max(1, refs.length) })
        await sleep(plan.after)
        return plan.label
      })
      for (let tree = 0; tree < 10; tree++) {
        const root = `seed ${seed} tree ${tree}`
        const ref = grow.options({ resources: { [one(...HELPERS)]: 1 } }).remote(grow, plan(root, 3, tree % 4 > 0))
        const afterMs = ms(250)
        const force = random.float() < 0.3
        await room.pass(afterMs)
        const crashed = random.float() < 0.2 ? one(...room.tab(one(...HELPERS)).workers.workers) : undefined
        if (crashed !== undefined) counts.crashes++
        crashed?.crash('by the plan')
        await room.pass(ms(5))
        room.api.cancel(ref, { force })
        const outcome = await room.outcome(ref)
        const what = `${root}, after ${afterMs} ms${force ? ', force' : ''}: ${String(outcome)}`
        if (outcome === root) counts.values++
        else {
          expect(['TaskCancelledError', ...(force ? ['WorkerCrashedError'] : [])], what).toContain(outcome)
          counts.cancelled++
          await room.pass(HEARD_MS)
          const begun = room.runs.length
          expect(room.underWay(), what).toEqual({})
          await room.pass(3_000)
          expect(room.runs.slice(begun), what).toEqual([])
        }
        await room.pass(3_000)
        expect(await room.outcome(ref), what).toBe(outcome)
        expect(room.underWay(), what).toEqual({})
        ref.release()
      }
      expect((await room.left()).filter((line) => !/runs|timers/.test(line))).toEqual([])
      counts.runs += room.runs.length
      for (const tab of room.tabs.values()) tab.close('left')
    }
    console.log('counts', counts)
    expect(counts.cancelled).toBeGreaterThan(50)
    expect(counts.values).toBeGreaterThan(2)
    expect(counts.runs).toBeGreaterThan(300)
    expect(counts.crashes).toBeGreaterThan(10)
  })
})
