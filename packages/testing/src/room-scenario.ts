// Long because a scenario is its faults, its oracle and its ghosts, and they speak of each other.
import { must, randomInt } from '@shoal/base'
import { ShoalError, showResources } from '@shoal/protocol'
import type { NodeId } from '@shoal/protocol'
import type { SimResult } from './overlay-scenario.ts'
import { RoomWorkload } from './room-workload.ts'
import type { Operation } from './room-workload.ts'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'
import { SimWorld } from './sim-world.ts'

/** Which faults may happen. `mild`: nothing that a task could notice. `harsh`: everything, verdicts about the living too. */
export const ROOM_PROFILES = ['mild', 'crashes', 'kills', 'harsh'] as const
export type RoomProfile = (typeof ROOM_PROFILES)[number]

export interface RoomScenarioOptions {
  readonly seed: number
  /** Default: by the seed. */
  readonly profile?: RoomProfile
  /** Simulated time in which work is submitted and faults happen. Default 15 s. */
  readonly busyMs?: number
}

/** Until everything that was submitted must have its outcome: a verdict takes 5 s, a path is given up after 15. */
const QUIET_MS = 60_000
const SETTLE_MS = 3_000
/** References of dead nodes are dropped 10 s late. */
const RELEASED_MS = 25_000
const HANDLES_BYTES = 2_000
const SLOTS = 2

/**
 * One room of three whole nodes under real work: two drivers and a helper run a random mix of tasks and actors while
 * links are cut, tabs go and come, workers crash, nodes are slow and the signaling server restarts. Then quiet, then the
 * end. T1 to T3 are checked when quiet, R1 at the end.
 */
export async function runRoomScenario(options: RoomScenarioOptions): Promise<SimResult> {
  const world = new SimWorld({ seed: options.seed })
  const profile = options.profile ?? must(ROOM_PROFILES[options.seed % ROOM_PROFILES.length])
  const busyMs = options.busyMs ?? 15_000
  const room = new Room(world, profile)
  for (const seat of room.seats) await room.raise(seat)
  await world.clock.run(3_000)
  room.start(3_000 + busyMs)
  await world.clock.run(3_000 + busyMs)
  await room.repair()
  await world.clock.runUntil(() => room.isSettled, QUIET_MS)
  room.checkOutcomes()
  room.releaseAll()
  await world.clock.run(world.clock.now() + RELEASED_MS)
  room.checkQuiet()
  await room.close()
  return {
    seed: options.seed,
    hash: world.trace.hash(),
    events: world.clock.firedCount,
    violations: [...room.violations, ...world.leaks()],
    counters: room.counters,
    log: world.trace.tail(200),
  }
}

interface Seat {
  readonly name: string
  readonly isDriver: boolean
  /** The first driver stays, so that there is always a caller whose every task must come to its end. */
  readonly mayDie: boolean
  lives: number
  tab: SimNode | undefined
  workload: RoomWorkload | undefined
}

class Room {
  readonly violations: string[] = []
  readonly counters: Record<string, number> = {}
  readonly seats: readonly Seat[] = [
    { name: 'a', isDriver: true, mayDie: false, lives: 0, tab: undefined, workload: undefined },
    { name: 'b', isDriver: true, mayDie: true, lives: 0, tab: undefined, workload: undefined },
    { name: 'c', isDriver: false, mayDie: true, lives: 0, tab: undefined, workload: undefined },
  ]
  readonly #world: SimWorld
  readonly #profile: RoomProfile
  readonly #random: SimRandom
  /** Runs begun, by the label that each task was given. */
  readonly #runs = new Map<string, number>()
  /** A tab died, or could be held for dead. */
  #hadVerdict = false
  #hadCrash = false
  /** Tabs on their way back into the room. */
  readonly #entering = new Set<string>()
  #isRepaired = false

  constructor(world: SimWorld, profile: RoomProfile) {
    this.#world = world
    this.#profile = profile
    this.#random = world.random.fork('scenario')
  }

  get isSettled(): boolean {
    return this.seats.every(({ workload }) => workload === undefined || workload.isSettled)
  }

  /** A new tab sits down: a new key, so a new node. */
  async raise(seat: Seat): Promise<void> {
    const { trace, ownerKeyPair } = this.#world
    const name = `${seat.name}${++seat.lives}`
    const ports = this.#world.ports(await this.#world.identity(name), 1)
    const collected = this.#world.random.fork(`collector of ${name}`)
    const tab = await createSimNode(ports, {
      slots: SLOTS,
      resources: { camera: 1 },
      garbageDelayMs: () => collected.float() * 30,
      ...(seat.isDriver && { ownerKeyPair }),
      onOver: () => this.#enterAgain(name, seat),
      globals: {
        simRun: (label: string) => {
          this.#runs.set(label, (this.#runs.get(label) ?? 0) + 1)
          trace.add(`${name} runs ${label}`)
        },
      },
    })
    seat.tab = tab
    if (!seat.isDriver) return
    seat.workload = new RoomWorkload(name, tab.api, this.#world.random.fork(`work of ${name}`), {
      submitted: () => this.#count('submitted'),
      settled: (operation) => this.#settled(operation),
    })
  }

  start(untilMs: number): void {
    const { clock } = this.#world
    const submit = (): void => {
      if (clock.now() >= untilMs) return
      const { tab, workload } = this.#pick(this.seats.filter((seat) => seat.workload !== undefined)) ?? {}
      if (workload !== undefined && tab?.ports.clock.isFrozen === false) {
        for (let count = 1 + randomInt(this.#random, 4); count > 0; count--) workload.submit()
        if (this.#random.float() < 0.2) workload.releaseOne()
      }
      clock.after(this.#random.float() * 200, submit)
    }
    const fault = (): void => {
      if (clock.now() >= untilMs) return
      this.#fault()
      clock.after(this.#between(200, 1_500), fault)
    }
    submit()
    clock.after(500, fault)
  }

  async repair(): Promise<void> {
    this.#isRepaired = true
    this.#world.network.healAll()
    for (const seat of this.seats) {
      seat.tab?.ports.clock.freeze(false)
      if (seat.tab === undefined) await this.raise(seat)
    }
  }

  checkOutcomes(): void {
    for (const { workload } of this.seats)
      for (const operation of workload?.operations ?? []) {
        if (operation.outcome === undefined) this.#violated(`T1: ${operation.label} has no outcome`)
        else this.#checkOutcome(operation)
      }
    this.#checkRuns()
  }

  releaseAll(): void {
    for (const { workload } of this.seats) workload?.releaseAll()
  }

  /** Nothing is left of work whose outcome is known. */
  checkQuiet(): void {
    for (const { name, tab } of this.seats) {
      if (tab === undefined) continue
      const { pending, running, queued, usedResources } = tab.node.status()
      if (usedResources.length > 0) this.#violated(`R1: ${name} has ${showResources(usedResources)} in use when quiet`)
      if (pending + queued + running > 0)
        this.#violated(`R1: ${name} has ${pending} pending, ${queued} queued and ${running} running tasks when quiet`)
      // A handle cannot be released, nor the little that stands for its actor.
      const { pinned, objectBytes } = tab.node.status()
      if (pinned > 0) this.#violated(`O3: ${name} still keeps ${pinned} hand-overs that nobody confirmed`)
      if (objectBytes > HANDLES_BYTES)
        this.#violated(`O3: ${name} still holds ${objectBytes} bytes when all refs are gone`)
    }
  }

  /** The drivers leave first: what was theirs must go from the helper, too. */
  async close(): Promise<void> {
    const { clock } = this.#world
    for (const { isDriver, tab } of this.seats) if (isDriver) tab?.close('left')
    await clock.run(clock.now() + SETTLE_MS)
    for (const { name, isDriver, tab } of this.seats) {
      if (isDriver || tab === undefined) continue
      const { running, objects } = tab.node.status()
      if (running > 0) this.#violated(`R1: ${name} still runs ${running} tasks of drivers that left`)
      if (objects > 0) this.#violated(`R1: ${name} still holds ${objects} objects of drivers that left`)
      tab.close('left')
    }
    await clock.run(clock.now() + SETTLE_MS)
  }

  /** As a page: soon, and not while it is at it. */
  #enterAgain(name: string, seat: Seat): void {
    if (this.#entering.has(name)) return
    this.#entering.add(name)
    this.#count('enters again')
    this.#world.clock.after(100, () => {
      this.#entering.delete(name)
      const { tab } = seat
      if (tab?.ports.name !== name) return
      this.#world.trace.add(`${name} enters again`)
      tab
        .enterAgain(this.#world.nextSession(tab.ports))
        .catch((error: unknown) => this.#violated(`${name} could not enter again: ${String(error)}`))
    })
  }

  #settled(operation: Operation): void {
    const { label, outcome } = operation
    const told = outcome?.kind === 'value' ? String(outcome.value) : codeOf(outcome?.error)
    this.#world.trace.add(`${label} is ${told}`)
    this.#count(outcome?.kind === 'value' ? 'values' : `errors: ${codeOf(outcome?.error)}`)
  }

  #checkOutcome({ label, expected, maxRetries, outcome, usesActor }: Operation): void {
    if (outcome?.kind === 'value') {
      // A call that "may have run" has been counted by the oracle, and perhaps not by its actor.
      const isUnsure = usesActor && this.counters['errors: actor-unavailable'] !== undefined
      if (expected.kind === 'value' && outcome.value !== expected.value && !isUnsure)
        this.#violated(`T2: ${label} is ${String(outcome.value)}, not ${expected.value}`)
      if (expected.kind === 'throws') this.#violated(`T2: ${label} is ${String(outcome.value)} and should have thrown`)
      return
    }
    const error = outcome?.error
    const code = codeOf(error)
    // What an argument could be run again is the argument's own affair, and checked there.
    const isOfArgument = /argument \d+ of|the arguments of/.test(String(error))
    const happened: Readonly<Record<string, boolean>> = {
      'task-failed': expected.kind === 'throws',
      'worker-crashed': this.#hadCrash && (maxRetries !== -1 || isOfArgument),
      'node-died': this.#hadVerdict,
      'owner-died': this.#hadVerdict,
      'object-lost': this.#hadVerdict,
      'object-reconstruction-failed': this.#hadVerdict,
      'actor-died': usesActor && (this.#hadVerdict || this.#hadCrash),
      'actor-unavailable': usesActor && this.#hadVerdict,
    }
    // A nested task may lose its own child, whose retries are its own; what it throws then is the child's error.
    if (happened[code] !== true) this.#violated(`T2: ${label} failed with ${code}: ${String(error)}`)
  }

  /** T3, for tasks whose runs were counted under a label of their own. */
  #checkRuns(): void {
    const limits = new Map<string, number>()
    for (const { workload } of this.seats)
      for (const { label, maxRetries } of workload?.operations ?? []) limits.set(label, maxRetries)
    for (const [label, runs] of this.#runs) {
      const maxRetries = limits.get(label) ?? (label.includes('@') ? 3 : -1)
      if (maxRetries >= 0 && runs > 1 + maxRetries) this.#violated(`T3: ${label} ran ${runs} times`)
    }
  }

  #fault(): void {
    const { network } = this.#world
    const tabs = this.seats.flatMap((seat) => (seat.tab ? [{ seat, tab: seat.tab }] : []))
    const one = this.#pick(tabs)
    const other = this.#pick(tabs.filter((tab) => tab !== one))
    if (one === undefined || other === undefined) return
    const [a, b] = [one.tab.ports.node, other.tab.ports.node]
    const faults: (() => void)[] = [
      () => this.#cut(a, b, this.#between(50, 2_500)),
      () => {
        this.#count('failed link')
        network.failLinks(a, b)
      },
      () => this.#freeze(one.tab, this.#between(50, 2_000)),
      () => {
        this.#count('signaling restart')
        network.signaling.restart(this.#between(100, 2_000))
      },
    ]
    if (this.#profile === 'crashes' || this.#profile === 'harsh') faults.push(() => this.#crash(one.tab))
    if (this.#profile === 'kills' || this.#profile === 'harsh') faults.push(() => this.#kill(one.seat, one.tab))
    if (this.#profile === 'harsh')
      faults.push(
        () => {
          this.#hadVerdict = true
          this.#cut(a, b, this.#between(4_000, 12_000))
        },
        () => {
          this.#hadVerdict = true
          this.#freeze(one.tab, this.#between(3_000, 9_000))
        },
      )
    this.#pick(faults)?.()
  }

  #cut(from: NodeId, to: NodeId, forMs: number): void {
    this.#count('cut')
    const isBothWays = this.#random.float() < 0.5
    const { clock, network } = this.#world
    network.cut(from, to)
    if (isBothWays) network.cut(to, from)
    clock.after(forMs, () => {
      network.heal(from, to)
      if (isBothWays) network.heal(to, from)
    })
  }

  #freeze(tab: SimNode, forMs: number): void {
    this.#count('freeze')
    tab.ports.clock.freeze(true)
    this.#world.clock.after(forMs, () => tab.ports.clock.freeze(false))
  }

  #crash(tab: SimNode): void {
    const worker = this.#pick([...tab.workers.workers])
    if (worker === undefined || tab.ports.clock.isFrozen) return
    this.#count('crash')
    this.#hadCrash = true
    this.#world.trace.add(`worker ${worker.init.workerId} of ${tab.ports.name} crashes`)
    worker.crash('a fault of the scenario')
  }

  /** The tab is gone, with or without a goodbye, and somebody else comes in its place. */
  #kill(seat: Seat, tab: SimNode): void {
    if (!seat.mayDie || tab.ports.clock.isFrozen) return
    this.#count(this.#random.float() < 0.3 ? 'goodbye' : 'kill')
    this.#hadVerdict = true
    if (this.#random.float() < 0.3) tab.close('closed')
    seat.tab = undefined
    seat.workload = undefined
    this.#world.clock.after(this.#between(0, 5), () => {
      this.#world.kill(tab.ports)
    })
    this.#world.clock.after(this.#between(100, 3_000), () => {
      if (seat.tab === undefined && !this.#isRepaired)
        this.raise(seat).catch((error: unknown) => this.#violated(`no new tab: ${String(error)}`))
    })
  }

  #violated(text: string): void {
    this.violations.push(text)
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[randomInt(this.#random, items.length)]
  }

  #between(min: number, max: number): number {
    return min + this.#random.float() * (max - min)
  }

  #count(name: string): void {
    this.counters[name] = (this.counters[name] ?? 0) + 1
  }
}

/** Of what happened first: a task fails by what its argument died of, or by what its own call came to. */
function codeOf(error: unknown): string {
  if (ShoalError.is(error)) {
    const isOfAnother = error.code === 'task-failed' && ShoalError.is(error.cause)
    return isOfAnother ? codeOf(error.cause) : error.code
  }
  return error instanceof Error ? error.name : typeof error
}
