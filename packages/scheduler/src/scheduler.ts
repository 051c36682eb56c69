// Long because all decisions of the local scheduler are taken in one function over one state.
import { place } from './place.ts'
import { ReadyQueue } from './ready-queue.ts'
import type { ReadyTask } from './ready-queue.ts'
import { RunTimes } from './run-times.ts'

/** What happened, told to the scheduler. `lane` is a worker that can run tasks, named by the scheduler's own numbers. */
export type SchedulerEvent<K> =
  | { readonly type: 'ready'; readonly task: ReadyTask<K>; readonly milliCpus: number }
  /** A task that was started or sent did not start after all. */
  | { readonly type: 'given-back'; readonly task: ReadyTask<K>; readonly milliCpus: number; readonly lane?: number }
  | { readonly type: 'finished'; readonly lane: number; readonly kind: string; readonly ms: number }
  /** The task in the lane waits for others: its slot is free, its worker is not. */
  | { readonly type: 'blocked'; readonly lane: number; readonly kind: string }
  | { readonly type: 'resumed'; readonly lane: number }
  /** The lane's worker is gone, with all its tasks; or it belongs to an actor from now on. */
  | { readonly type: 'lane-gone'; readonly lane: number }
  | { readonly type: 'sent-ended'; readonly node: string; readonly kind: string; readonly ms: number | undefined }
  | { readonly type: 'granted'; readonly node: string; readonly milliCpus: number; readonly count: number }
  | { readonly type: 'wanted'; readonly node: string; readonly milliCpus: number; readonly queued: number }
  | { readonly type: 'returned'; readonly node: string; readonly milliCpus: number; readonly count: number }
  /** A guest arrived or a lane of a guest ended: its credit is used up. */
  | { readonly type: 'guest'; readonly node: string; readonly task: ReadyTask<K>; readonly milliCpus: number }
  | { readonly type: 'peer'; readonly node: string; readonly slots: number }
  | { readonly type: 'peer-gone'; readonly node: string }
  /** The time that an `idle` effect asked for has passed. */
  | { readonly type: 'idle-passed'; readonly milliCpus: number }
  /** CPUs that an actor keeps for its life, or gives back with it. */
  | { readonly type: 'reserve'; readonly milliCpus: number }
  /** Whether guests are welcome: own tasks run either way. */
  | { readonly type: 'lending'; readonly isOn: boolean }

/** What to do about it, in order. */
export type SchedulerEffect<K> =
  | { readonly type: 'start'; readonly task: ReadyTask<K>; readonly lane: number; readonly milliCpus: number }
  | { readonly type: 'send'; readonly task: ReadyTask<K>; readonly node: string; readonly milliCpus: number }
  /** Tell all peers, or one that just came, how many tasks of the shape wait here. */
  | { readonly type: 'want'; readonly node: string | undefined; readonly milliCpus: number; readonly queued: number }
  | { readonly type: 'grant'; readonly node: string; readonly milliCpus: number; readonly count: number }
  | { readonly type: 'return'; readonly node: string; readonly milliCpus: number; readonly count: number }
  /** Answer with `idle-passed` after that time. */
  | { readonly type: 'idle'; readonly milliCpus: number; readonly afterMs: number }

interface Lane {
  /** The shape of what is in it; whatever comes next when it is empty. */
  milliCpus: number
  tasks: number
  isBlocked: boolean
  isExclusive: boolean
}

interface Shape<K> {
  readonly milliCpus: number
  readonly queue: ReadyQueue<K>
  /** Credits that peers gave us. */
  readonly credits: Map<string, number>
  /** Credits that we gave and that were neither used nor returned. */
  readonly granted: Map<string, number>
  /** Peers with a backlog. */
  readonly wanting: Map<string, number>
  advertised: number
  /** An `idle` effect is out. */
  isIdling: boolean
  /** A credit was spent since the last one. */
  hasSpent: boolean
}

export interface SchedulerOptions {
  readonly self: string
  /** CPUs that this tab lends, in thousandths. */
  readonly milliCpus: number
  /** Workers there may be, suspended ones included. */
  readonly maxLanes: number
}

/** Work kept in a worker behind the running task, so that short tasks need no round trip each. */
const LANE_BUDGET_MS = 4
const LANE_MOST = 256
/** Work promised to others beyond what runs, to cover a round trip between tabs. */
const CREDIT_BUDGET_MS = 12
const CREDIT_MOST = 1024
/** Credits are kept this long without a backlog. */
const IDLE_MS = 50

/**
 * The local scheduler, bottom-up by credits: runs at home what it can, spends credits on the best-placed nodes, keeps
 * the rest of its own queue, and grants credits to peers that have a backlog when it has room. Pure decisions: no clock,
 * no messages; the same events give the same effects.
 * Invariants: S1 what lanes reserve never exceeds the capacity, except by tasks that resumed; S2 a task is sent at most
 * once for each time it is ready; guests are never sent; credits given out are used, returned or void with their peer.
 */
export class Scheduler<K> {
  readonly #options: SchedulerOptions
  readonly #lanes = new Map<number, Lane>()
  readonly #shapes = new Map<number, Shape<K>>()
  readonly #peers = new Map<string, { slots: number; outstanding: number }>()
  readonly #times = new RunTimes()
  /** Kinds of tasks that were seen to wait for others: nothing is queued behind one, and none behind another task. */
  readonly #blocking = new Set<string>()
  #used = 0
  /** Of `#used`, what actors keep: no task will ever leave it. */
  #reserved = 0
  #isLending = true
  #nextLane = 1
  /** The kind of the newest guest: its mean says how many credits cover a round trip. */
  #lastGuestKind = ''
  #effects: SchedulerEffect<K>[] = []

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Own tasks that wait here for a slot or a credit. */
  get queued(): number {
    let count = 0
    for (const shape of this.#shapes.values()) count += shape.queue.ownCount
    return count
  }

  get usedMilliCpus(): number {
    return this.#used
  }

  /** Takes in events and decides once about all of them. */
  step(events: readonly SchedulerEvent<K>[]): SchedulerEffect<K>[] {
    for (const event of events) this.#apply(event)
    do this.#startHere()
    while (this.#spendCredits())
    this.#tellBacklog()
    this.#grantCredits()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** Takes a task out of the queue that has not started; false when it is not there. */
  remove(milliCpus: number, matches: (key: K) => boolean): boolean {
    return this.#shape(milliCpus).queue.remove(matches) !== undefined
  }

  /** Takes out everything that waits here and matches. */
  takeWhere(matches: (key: K) => boolean): K[] {
    const taken: K[] = []
    for (const { queue } of this.#shapes.values())
      for (let task = queue.remove(matches); task !== undefined; task = queue.remove(matches)) taken.push(task.key)
    return taken
  }

  #apply(event: SchedulerEvent<K>): void {
    switch (event.type) {
      case 'ready':
        this.#shape(event.milliCpus).queue.push(event.task)
        return
      case 'given-back':
        if (event.lane !== undefined) this.#leave(event.lane)
        this.#shape(event.milliCpus).queue.unshift(event.task)
        return
      case 'finished':
        this.#times.record(event.kind, event.ms)
        this.#leave(event.lane)
        return
      case 'blocked':
        this.#blocking.add(event.kind)
        this.#block(event.lane, true)
        return
      case 'resumed':
        this.#block(event.lane, false)
        return
      case 'lane-gone': {
        const lane = this.#lanes.get(event.lane)
        if (lane && lane.tasks > 0 && !lane.isBlocked) this.#used -= lane.milliCpus
        this.#lanes.delete(event.lane)
        return
      }
      case 'idle-passed':
        this.#endIdling(event.milliCpus)
        return
      case 'reserve':
        this.#used += event.milliCpus
        this.#reserved += event.milliCpus
        return
      case 'lending':
        this.#isLending = event.isOn
        return
      case 'guest': {
        const shape = this.#shape(event.milliCpus)
        add(shape.granted, event.node, -1)
        shape.queue.push(event.task)
        this.#lastGuestKind = event.task.kind
        return
      }
      default:
        this.#applyPeer(event)
    }
  }

  #applyPeer(
    event: Extract<SchedulerEvent<K>, { node: string }> & { type: Exclude<SchedulerEvent<K>['type'], 'guest'> },
  ): void {
    switch (event.type) {
      case 'sent-ended': {
        const peer = this.#peers.get(event.node)
        if (peer) peer.outstanding = Math.max(0, peer.outstanding - 1)
        if (event.ms !== undefined) this.#times.record(event.kind, event.ms)
        return
      }
      case 'granted':
        add(this.#shape(event.milliCpus).credits, event.node, event.count)
        return
      case 'wanted': {
        const { wanting } = this.#shape(event.milliCpus)
        if (event.queued > 0) wanting.set(event.node, event.queued)
        else wanting.delete(event.node)
        return
      }
      case 'returned':
        add(this.#shape(event.milliCpus).granted, event.node, -event.count)
        return
      case 'peer': {
        const peer = this.#peers.get(event.node)
        if (peer) peer.slots = event.slots
        else this.#greet(event.node, event.slots)
        return
      }
      case 'peer-gone':
        this.#peers.delete(event.node)
        for (const { credits, granted, wanting } of this.#shapes.values())
          for (const table of [credits, granted, wanting]) table.delete(event.node)
    }
  }

  #greet(node: string, slots: number): void {
    this.#peers.set(node, { slots, outstanding: 0 })
    for (const { milliCpus, advertised } of this.#shapes.values())
      if (advertised > 0) this.#effects.push({ type: 'want', node, milliCpus, queued: advertised })
  }

  /** Fills lanes: the deepest ready task first, behind running tasks of the same shape only while they are short. */
  #startHere(): void {
    for (;;) {
      const shape = this.#deepestFitting()
      const task = shape?.queue.peek()
      if (shape === undefined || task === undefined) return
      const lane = this.#laneFor(shape.milliCpus, task)
      if (lane === undefined) return
      shape.queue.shift()
      this.#enter(lane, shape.milliCpus, task)
    }
  }

  #deepestFitting(): Shape<K> | undefined {
    let best: Shape<K> | undefined
    let bestDepth = -1
    for (const shape of this.#shapes.values()) {
      const task = shape.queue.peek()
      if (task === undefined || task.depth <= bestDepth) continue
      if (this.#laneFor(shape.milliCpus, task) === undefined) continue
      if (!task.staysHere && this.#isBetterElsewhere(shape, task)) continue
      best = shape
      bestDepth = task.depth
    }
    return best
  }

  /** A lane with room for the task, or a number for a new one, or undefined. Empty lanes first. */
  #laneFor(milliCpus: number, task: ReadyTask<K>): number | undefined {
    const isExclusive = task.isExclusive || this.#blocking.has(task.kind)
    const canReserve = this.#used + milliCpus <= this.#options.milliCpus
    let shortest: number | undefined
    let shortestTasks = Number.POSITIVE_INFINITY
    for (const [number, lane] of this.#lanes) {
      if (lane.isBlocked) continue
      if (lane.tasks === 0 && canReserve) return number
      if (lane.tasks === 0 || lane.milliCpus !== milliCpus || isExclusive || lane.isExclusive) continue
      if (lane.tasks < shortestTasks) {
        shortest = number
        shortestTasks = lane.tasks
      }
    }
    if (canReserve && this.#lanes.size < this.#options.maxLanes) return this.#nextLane
    const room = this.#times.fitting(task.kind, LANE_BUDGET_MS, 1, LANE_MOST)
    return shortest !== undefined && shortestTasks < room ? shortest : undefined
  }

  #enter(number: number, milliCpus: number, task: ReadyTask<K>): void {
    let lane = this.#lanes.get(number)
    if (lane === undefined) {
      lane = { milliCpus, tasks: 0, isBlocked: false, isExclusive: false }
      this.#lanes.set(number, lane)
      this.#nextLane = number + 1
    }
    if (lane.tasks === 0) {
      lane.milliCpus = milliCpus
      this.#used += milliCpus
    }
    lane.tasks++
    // Nothing waits behind what is not known to be short.
    const meanMs = this.#times.meanMs(task.kind) ?? Number.POSITIVE_INFINITY
    lane.isExclusive = task.isExclusive || this.#blocking.has(task.kind) || meanMs > LANE_BUDGET_MS
    this.#effects.push({ type: 'start', task, lane: number, milliCpus })
  }

  #leave(number: number): void {
    const lane = this.#lanes.get(number)
    if (lane === undefined || lane.tasks === 0) return
    lane.tasks--
    if (lane.tasks > 0) return
    if (!lane.isBlocked) this.#used -= lane.milliCpus
    lane.isBlocked = false
    lane.isExclusive = false
  }

  #block(number: number, isBlocked: boolean): void {
    const lane = this.#lanes.get(number)
    if (lane === undefined || lane.isBlocked === isBlocked || lane.tasks === 0) return
    lane.isBlocked = isBlocked
    // A task that resumes takes its slot back even when that makes one too many for a while, as in Ray.
    this.#used += isBlocked ? -lane.milliCpus : lane.milliCpus
  }

  /**
   * Sends own tasks that no lane has room for to peers who promised to take them. True when home should be looked at
   * again: the task may have been better off with its peer, and the next one is better off here.
   */
  #spendCredits(): boolean {
    for (const shape of this.#shapes.values()) {
      for (let task = shape.queue.peekOwn(); task !== undefined; task = shape.queue.peekOwn()) {
        const node = this.#bestPeer(shape, task)
        if (node === undefined) break
        shape.queue.shiftOwn()
        shape.hasSpent = true
        add(shape.credits, node, -1)
        const peer = this.#peers.get(node)
        if (peer) peer.outstanding++
        this.#effects.push({ type: 'send', task, node, milliCpus: shape.milliCpus })
        if (task.inputs.length > 0) return true
      }
    }
    return false
  }

  #bestPeer(shape: Shape<K>, task: ReadyTask<K>): string | undefined {
    const candidates = []
    for (const [node, count] of shape.credits) {
      const peer = this.#peers.get(node)
      if (count > 0 && peer) candidates.push({ node, queued: peer.outstanding, slots: peer.slots })
    }
    if (candidates.length === 0) return undefined
    return place(candidates, this.#times.meanMs(task.kind) ?? 1, task.inputs)
  }

  /** Large inputs pull a task to where they are, if that node has promised to take it. */
  #isBetterElsewhere(shape: Shape<K>, task: ReadyTask<K>): boolean {
    if (task.inputs.length === 0) return false
    const { self } = this.#options
    const candidates = [{ node: self, queued: 0, slots: 1 }]
    for (const [node, count] of shape.credits) {
      const peer = this.#peers.get(node)
      if (count > 0 && peer) candidates.push({ node, queued: peer.outstanding, slots: peer.slots })
    }
    return place(candidates, this.#times.meanMs(task.kind) ?? 1, task.inputs) !== self
  }

  /** Peers hear of a backlog when it comes, goes, doubles or halves; what is left of credits goes back with its end. */
  #tellBacklog(): void {
    for (const shape of this.#shapes.values()) {
      const { milliCpus, advertised, credits } = shape
      const queued = shape.queue.ownCount
      if (queued > 0) {
        if (queued < 2 * advertised && queued * 2 > advertised) continue
        shape.advertised = queued
        this.#effects.push({ type: 'want', node: undefined, milliCpus, queued })
      } else if ((advertised > 0 || credits.size > 0) && !shape.isIdling) {
        shape.isIdling = true
        this.#effects.push({ type: 'idle', milliCpus, afterMs: IDLE_MS })
      }
    }
  }

  /** A while without a backlog: its end is told, and unspent credits go back, unless some were spent meanwhile. */
  #endIdling(milliCpus: number): void {
    const shape = this.#shape(milliCpus)
    shape.isIdling = false
    if (shape.queue.ownCount > 0) return
    if (shape.hasSpent) {
      // What comes in single tasks, one after another, would pay a round trip for each of them otherwise.
      shape.hasSpent = false
      return
    }
    if (shape.advertised > 0) this.#effects.push({ type: 'want', node: undefined, milliCpus, queued: 0 })
    shape.advertised = 0
    for (const [node, count] of shape.credits) this.#effects.push({ type: 'return', node, milliCpus, count })
    shape.credits.clear()
  }

  /** Promises what is free, and enough beyond it to cover a round trip, evenly to the peers that have a backlog. */
  #grantCredits(): void {
    if (!this.#isLending) return
    for (const shape of this.#shapes.values()) {
      const { milliCpus, wanting, granted, queue } = shape
      if (wanting.size === 0 || queue.ownCount > 0) continue
      const slots = milliCpus === 0 ? 16 : Math.floor((this.#options.milliCpus - this.#reserved) / milliCpus)
      const perSlot = this.#times.fitting(this.#lastGuestKind, CREDIT_BUDGET_MS, 2, CREDIT_MOST)
      const busy = milliCpus === 0 ? 0 : Math.ceil((this.#used - this.#reserved) / milliCpus)
      let promised = queue.guestCount
      for (const count of granted.values()) promised += count
      // Running tasks fill slots; what waits behind them here or is promised fills the window.
      let room = slots * perSlot - promised - (perSlot === 2 ? busy : 0)
      if (room <= 0) continue
      const share = Math.max(1, Math.floor(room / wanting.size))
      for (const [node, queued] of wanting) {
        const held = granted.get(node) ?? 0
        const count = Math.min(share, room, Math.max(0, queued * 2 - held))
        if (count <= 0) continue
        room -= count
        add(granted, node, count)
        this.#effects.push({ type: 'grant', node, milliCpus, count })
      }
    }
  }

  #shape(milliCpus: number): Shape<K> {
    let shape = this.#shapes.get(milliCpus)
    if (shape === undefined) {
      shape = {
        milliCpus,
        queue: new ReadyQueue(),
        credits: new Map(),
        granted: new Map(),
        wanting: new Map(),
        advertised: 0,
        isIdling: false,
        hasSpent: false,
      }
      this.#shapes.set(milliCpus, shape)
    }
    return shape
  }
}

function add(table: Map<string, number>, key: string, change: number): void {
  const value = (table.get(key) ?? 0) + change
  if (value <= 0) table.delete(key)
  else table.set(key, value)
}
