// Long because all decisions of the local scheduler are taken in one function over one state.
import { must } from '@shoal/base'
import { formatObjectId, hasLabels, namedNode } from '@shoal/protocol'
import type { NodeLabels, ObjectId, ResourceSet } from '@shoal/protocol'
import { Bundles, roomIn } from './bundles.ts'
import type { BundlePlace, HeldBundle, Pool } from './bundles.ts'
import { Capacity, leastOf } from './capacity.ts'
import type { Demand } from './capacity.ts'
import { place } from './place.ts'
import type { Candidate } from './place.ts'
import { isBefore } from './ready-queue.ts'
import type { Entry, ReadyTask } from './ready-queue.ts'
import { RunTimes } from './run-times.ts'
import type { InfeasibleTasks, SchedulerEffect, SchedulerEvent, SchedulerTimer } from './scheduler-event.ts'
import { add, newShape } from './scheduler-state.ts'
import type { Found, Lane, PeerState, SchedulerOptions, Shape } from './scheduler-state.ts'
import { fittingIn, showShape } from './shape.ts'
import type { WorkShape } from './shape.ts'

/** Work kept in a worker behind the running task, so that short tasks need no round trip each. */
const LANE_BUDGET_MS = 4
const LANE_MOST = 256
/** Work promised to others beyond what runs, to cover a round trip between tabs. */
const CREDIT_BUDGET_MS = 24
const CREDIT_MOST = 1024
/** Credits are kept this long without a backlog. */
const IDLE_MS = 50
/** So long a long task is not put behind another one in a peer, while others may still promise a free slot: a slow link both ways. */
const SETTLE_MS = 50
/** How long SPREAD leaves a free slot empty for the node whose turn it is. */
const SPREAD_MS = 250
/** Before people are told of tasks that no node can take: tabs and their cards come one after another. */
const INFEASIBLE_MS = 5_000
/** Tasks a peer may have at a time whose shape asks for nothing. */
const UNBOUNDED_SLOTS = 16
/** Tasks that are looked at for one whose inputs are where a slot is free, as in delay scheduling (Zaharia et al., EuroSys 2010). */
const LOOK_AHEAD = 128
/** Shapes remembered; those with nothing in them are forgotten past it, and a peer cannot add to them. */
const MANY_SHAPES = 256

/**
 * The local scheduler, bottom-up by credits: runs at home what it can, spends credits on the best-placed nodes, keeps
 * the rest of its own queue, and grants credits to peers that have a backlog when it has room. Pure decisions: no clock,
 * no messages; the same events give the same effects.
 * Invariants: S1 what lanes and actors reserve never exceeds the capacity, of no resource, except CPUs of tasks that
 * resumed; S2 a task is sent at most once for each time it is ready; guests are never sent; credits given out are used,
 * returned or void with their peer.
 */
export class Scheduler<K> {
  readonly #options: SchedulerOptions
  readonly #capacity: Capacity
  /** Of that, what others' work may use. */
  readonly #lent: Capacity
  readonly #lanes = new Map<number, Lane<K>>()
  readonly #shapes = new Map<string, Shape<K>>()
  readonly #peers = new Map<string, PeerState>()
  readonly #bundles = new Bundles()
  readonly #times = new RunTimes()
  /** Its own. */
  #labels: NodeLabels
  /** Kinds of tasks that were seen to wait for others: nothing is queued behind one, and none behind another task. */
  readonly #blocking = new Set<string>()
  #isLending = true
  /** Whether others' work that waits here may start; what runs is not stopped. */
  #othersMayStart = true
  /** Actors or guests have come since it was looked at whether they leave room for each other. */
  #mayBeStuck = false
  #nextLane = 1
  #order = 0
  /** The kind of the newest guest: its mean says how many credits cover a round trip. */
  #lastGuestKind = ''
  /** Of the links that end here, the later ones counting most. */
  #meanRate: number | undefined
  #effects: SchedulerEffect<K>[] = []

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#labels = options.labels ?? []
    this.#capacity = new Capacity(options.resources)
    this.#lent = new Capacity(options.resources)
  }

  /** Own tasks that wait here for a slot or a credit. */
  get queued(): number {
    let count = 0
    for (const shape of this.#shapes.values()) count += shape.queue.ownCount
    return count
  }

  /** Work that peers were sent and whose end is not known. */
  get sent(): number {
    let count = 0
    for (const { outstanding } of this.#peers.values()) count += outstanding
    return count
  }

  /** Shapes of work that are remembered. */
  get shapeCount(): number {
    return this.#shapes.size
  }

  /** What running tasks and actors reserve at this moment. */
  get used(): ResourceSet {
    return this.#capacity.used()
  }

  /** Lanes in which work of others runs at this moment. */
  get othersRunning(): number {
    let count = 0
    for (const { isOthers, isBlocked, tasks } of this.#lanes.values()) if (isOthers && !isBlocked && tasks > 0) count++
    return count
  }

  /** What nobody reserves and no placement group keeps. */
  get free(): ResourceSet {
    return this.#capacity.unused()
  }

  /** Of that, what others may have. */
  get freeForOthers(): ResourceSet {
    return leastOf(this.free, this.#lent.unused())
  }

  /** Whether so much is free now. */
  hasRoom(resources: ResourceSet, isForOthers = false): boolean {
    const fits = (capacity: Capacity): boolean => capacity.fits(capacity.demand(resources))
    return fits(this.#capacity) && (!isForOthers || fits(this.#lent))
  }

  /** The key of the bundle in which a lane's tasks run. */
  bundleOf(lane: number): string | undefined {
    return this.#lanes.get(lane)?.pool.key
  }

  /** What waits for a node that is not there yet. */
  infeasible(): InfeasibleTasks[] {
    const list: InfeasibleTasks[] = []
    for (const shape of this.#shapes.values())
      if (this.#isInfeasible(shape))
        list.push({ shape: showShape(shape.shape), tasks: shape.queue.ownCount + shape.queue.guestCount })
    return list
  }

  /** What waits here, one shape after the other, with how many of its shape come before it. For people who look. */
  *waiting(): Generator<{ readonly task: ReadyTask<K>; readonly ahead: number }> {
    for (const { queue } of this.#shapes.values()) {
      let ahead = 0
      for (const { task } of queue.entries()) yield { task, ahead: ahead++ }
    }
  }

  /** What a shape's tasks may hope for: this node, so many peers, so many credits. For people who look. */
  outlook(shape: WorkShape): { readonly isFeasibleHere: boolean; readonly peers: number; readonly credits: number } {
    const known = this.#shapes.get(shape.key)
    const credits = [...(known?.credits.values() ?? [])].reduce((sum, count) => sum + count, 0)
    const isFeasibleHere = this.#poolsOf(shape).length > 0
    return { isFeasibleHere, peers: known?.fitting.size ?? 0, credits }
  }

  /** Takes in events and decides once about all of them. */
  step(events: readonly SchedulerEvent<K>[]): SchedulerEffect<K>[] {
    for (const event of events) this.#apply(event)
    do this.#startHere()
    while (this.#spendCredits())
    this.#refuseStuck()
    this.#tellBacklog()
    this.#grantCredits()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** Takes out everything that waits here and matches, in the order in which it waits. */
  takeWhere(matches: (key: K) => boolean): K[] {
    const taken: K[] = []
    for (const { queue } of this.#shapes.values())
      for (const task of queue.takeWhere(({ key }) => matches(key))) taken.push(task.key)
    return taken
  }

  #apply(event: SchedulerEvent<K>): void {
    switch (event.type) {
      case 'ready':
        this.#ready(event.task, this.#shape(event.shape))
        return
      case 'given-back':
        if (event.lane !== undefined) this.#leave(event.lane)
        this.#shape(event.shape).queue.unshift(event.task)
        this.#mayBeStuck ||= event.task.isGuest
        return
      case 'left':
        this.#leave(event.lane)
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
        if (lane && lane.tasks > 0) this.#empty(lane)
        this.#lanes.delete(event.lane)
        return
      }
      case 'passed':
        this.#passed(event.timer, event.shape)
        return
      case 'reserve': {
        const { bundle, resources, change } = event
        const capacity = bundle === undefined ? this.#capacity : this.#bundles.capacityOf(bundle)
        capacity?.reserve(resources, change)
        if (event.isOthers && bundle === undefined) this.#lent.reserve(resources, change)
        this.#mayBeStuck = true
        return
      }
      case 'bundle-held':
      case 'bundle-open':
      case 'bundle-dropped':
      case 'group':
        this.#applyGroup(event)
        return
      case 'lending':
        this.#isLending = event.isOn
        if (event.most === undefined) return
        this.#lent.limit(event.most)
        this.#lendAnew()
        return
      case 'others':
        this.#othersMayStart = event.mayStart
        return
      case 'labels':
        this.#relabel(event.labels)
        return
      case 'own':
        this.#grow(event.resources, event.labels)
        return
      case 'guest': {
        const shape = this.#shape(event.shape)
        add(shape.granted, event.node, -1)
        shape.queue.push(event.task, ++this.#order)
        this.#mayBeStuck = true
        this.#lastGuestKind = event.task.kind
        return
      }
      default:
        this.#applyPeer(event)
    }
  }

  /** What was asked for and not there may be there now. */
  #grow(resources: ResourceSet, labels: NodeLabels): void {
    this.#capacity.grow(resources)
    this.#lent.grow(resources)
    this.#lendAnew()
    this.#relabel(labels)
  }

  /** What is lent is more or less than it was. */
  #lendAnew(): void {
    for (const shape of this.#shapes.values()) shape.lent = this.#lentOf(shape.shape)
    this.#mayBeStuck = true
  }

  #lentOf({ bundle, resources }: WorkShape): Demand | undefined {
    return bundle === undefined ? this.#lent.demand(resources) : undefined
  }

  #relabel(labels: NodeLabels): void {
    this.#labels = labels
    for (const shape of this.#shapes.values()) {
      shape.pools = this.#poolsOf(shape.shape)
      this.#preferSelf(shape)
    }
    this.#mayBeStuck = true
  }

  #ready(task: ReadyTask<K>, shape: Shape<K>): void {
    shape.queue.push(task, ++this.#order)
    // Work for a node that is not there ends: what comes after it is told of anew.
    const { labels, bundle } = shape.shape
    if (shape.isTold && (namedNode(labels) !== undefined || bundle !== undefined)) shape.isTold = false
  }

  #applyGroup(event: Extract<SchedulerEvent<K>, { type: `bundle-${string}` | 'group' }>): void {
    switch (event.type) {
      case 'bundle-held':
        this.#bundles.hold(event.bundle)
        this.#setAside(event.bundle, 1)
        this.#mayBeStuck = true
        return
      case 'bundle-open': {
        const bundle = this.#bundles.open(event.key)
        if (bundle !== undefined) this.#findPools(bundle)
        return
      }
      case 'bundle-dropped': {
        const bundle = this.#bundles.drop(event.key)
        if (bundle === undefined) return
        this.#setAside(bundle, -1)
        this.#findPools(bundle)
        this.#mayBeStuck = true
        return
      }
      case 'group':
        this.#place(event.group, event.places)
    }
  }

  #setAside({ group, resources }: HeldBundle, change: 1 | -1): void {
    this.#capacity.reserve(resources, change)
    if (group.owner !== this.#options.self) this.#lent.reserve(resources, change)
  }

  /** A bundle came or went. */
  #findPools({ group }: HeldBundle): void {
    for (const shape of this.#shapesOf(group)) {
      shape.pools = this.#poolsOf(shape.shape)
      if (shape.pools.length === 0) shape.granted.clear()
    }
  }

  #place(group: ObjectId, places: readonly BundlePlace[] | undefined): void {
    this.#bundles.setPlaces(group, places)
    for (const shape of this.#shapesOf(group)) {
      shape.isTold = false
      for (const node of this.#peers.keys()) this.#fit(shape, node)
      // What was promised there is void: it has nothing of the group any more.
      for (const node of shape.credits.keys()) if (!shape.fitting.has(node)) shape.credits.delete(node)
      this.#tellOthers(shape)
    }
  }

  #shapesOf(group: ObjectId): Shape<K>[] {
    const id = formatObjectId(group)
    return [...this.#shapes.values()].filter(
      ({ shape: { bundle } }) => bundle !== undefined && formatObjectId(bundle.group) === id,
    )
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
      case 'granted': {
        const shape = this.#shape(event.shape)
        add(shape.credits, event.node, event.count)
        // One that was on its way when the backlog before this one ended is no answer to this one.
        if (shape.advertised > 0) shape.answered.add(event.node)
        return
      }
      case 'wanted': {
        if (this.#shapes.size >= MANY_SHAPES && !this.#shapes.has(event.shape.key)) this.#forgetShapes()
        if (this.#shapes.size >= MANY_SHAPES && !this.#shapes.has(event.shape.key)) return
        const { wanting } = this.#shape(event.shape)
        if (event.queued > 0) wanting.set(event.node, event.queued)
        else wanting.delete(event.node)
        return
      }
      case 'returned': {
        const shape = this.#shapes.get(event.shape.key)
        if (shape) add(shape.granted, event.node, -event.count)
        return
      }
      case 'peer':
        this.#peer(event.node, event.resources, event.labels ?? [])
        return
      case 'rate': {
        const peer = this.#peers.get(event.node)
        if (peer) peer.bytesPerMs = event.bytesPerMs
        this.#meanRate = ((this.#meanRate ?? event.bytesPerMs) * 4 + event.bytesPerMs) / 5
        return
      }
      case 'peer-gone':
        this.#peers.delete(event.node)
        for (const shape of this.#shapes.values()) {
          const { credits, granted, wanting, fitting, turns, told, answered, preferred } = shape
          for (const table of [credits, granted, wanting, fitting, told, answered]) table.delete(event.node)
          turns.forget(event.node)
          // The last one: now others will do, who have not heard of the backlog.
          if (preferred.delete(event.node) && preferred.size === 0) this.#tellOthers(shape)
        }
    }
  }

  #peer(node: string, resources: ResourceSet | undefined, labels: NodeLabels): void {
    const known = this.#peers.get(node)
    // Most of what changes in a room changes nothing here.
    if (known && (resources === undefined || resources === known.resources)) return
    if (known) {
      known.resources = resources
      known.labels = labels
    } else this.#peers.set(node, { resources, labels, outstanding: 0, bytesPerMs: undefined })
    for (const shape of this.#shapes.values()) {
      this.#fit(shape, node)
      if (shape.advertised > 0 && !shape.told.has(node)) this.#tell(shape, node)
    }
  }

  /** Whoever did not hear how many wait, and may take them now. */
  #tellOthers(shape: Shape<K>): void {
    if (shape.advertised > 0) for (const node of this.#peers.keys()) if (!shape.told.has(node)) this.#tell(shape, node)
  }

  /** What a peer lends says how many tasks of the shape it could run at a time. */
  #fit(of: Shape<K>, node: string): void {
    const { shape, fitting, preferred } = of
    const { hard, soft } = shape.labels
    const { resources = [], labels = [] } = this.#peers.get(node) ?? {}
    const mayRun = resources.length > 0 && hasLabels(hard, node, labels)
    const fits = (): number =>
      shape.bundle === undefined
        ? fittingIn(resources, shape.resources, UNBOUNDED_SLOTS)
        : this.#bundles.fittingAt(node, shape, UNBOUNDED_SLOTS)
    const count = mayRun ? fits() : 0
    if (count > 0) fitting.set(node, count)
    else fitting.delete(node)
    if (soft.length === 0) return
    if (count > 0 && hasLabels(soft, node, labels)) preferred.add(node)
    else if (preferred.delete(node) && preferred.size === 0) this.#tellOthers(of)
  }

  /** Soft labels: as long as there is a node that has them, it waits for that. */
  #isWelcome({ preferred }: Shape<K>, node: string): boolean {
    return preferred.size === 0 || preferred.has(node)
  }

  #poolsOf(shape: WorkShape): readonly Pool[] {
    if (!hasLabels(shape.labels.hard, this.#options.self, this.#labels)) return []
    if (shape.bundle !== undefined) return this.#bundles.poolsOf(shape)
    const demand = this.#capacity.demand(shape.resources)
    return demand.isFeasible ? [{ key: undefined, capacity: this.#capacity, demand }] : []
  }

  /** Fills lanes: the deepest ready task first, behind running tasks of the same shape only while they are short. */
  #startHere(): void {
    for (;;) {
      const found = this.#deepestFitting()
      if (found === undefined) return
      const { shape, lane } = found
      const { task } = found.entry
      if (task.staysHere) shape.queue.shiftBeside(task)
      if (shape.isSpread) shape.turns.took(this.#options.self)
      this.#enter(lane, shape, task.staysHere ? task : this.#takeFor(shape, task, this.#options.self))
    }
  }

  #deepestFitting(): Found<K> | undefined {
    let best: Found<K> | undefined
    for (const shape of this.#shapes.values()) {
      let entry = this.#nextHere(shape, this.#othersMayStart)
      if (entry === undefined || (best !== undefined && !isBefore(entry, best.entry))) continue
      let lane = this.#laneFor(shape, entry.task)
      if (lane === undefined && entry.task.isOthers === true) {
        // What this tab lends is in use; its own job has the rest.
        entry = this.#nextHere(shape, false)
        if (entry === undefined || (best !== undefined && !isBefore(entry, best.entry))) continue
        lane = this.#laneFor(shape, entry.task)
      }
      if (lane !== undefined) best = { shape, entry, lane }
    }
    return best
  }

  /** The shape's next task for this node, whether or not there is a lane for it. */
  #nextHere(shape: Shape<K>, others: boolean): Entry<K> | undefined {
    if (shape.pools.length === 0) return undefined
    const entry = shape.queue.peek(others)
    if (entry === undefined || entry.task.staysHere) return entry
    if (!this.#isWelcome(shape, this.#options.self)) return shape.queue.peekGuest(others)
    if (shape.isSpread)
      return this.#turn(shape, entry.task) === this.#options.self ? entry : shape.queue.peekGuest(others)
    return this.#isBetterElsewhere(shape, entry.task) ? undefined : entry
  }

  /** A lane with room for the task, or a number for a new one, or undefined. Empty lanes first. */
  #laneFor(shape: Shape<K>, task: ReadyTask<K>): number | undefined {
    const isExclusive = task.isExclusive || this.#blocking.has(task.kind)
    const isOthers = task.isOthers === true
    if (isOthers && !this.#othersMayStart) return undefined
    const isLent = !isOthers || shape.lent === undefined || this.#lent.fits(shape.lent)
    const canReserve = isLent && roomIn(shape.pools) !== undefined
    let shortest: number | undefined
    let shortestTasks = Number.POSITIVE_INFINITY
    for (const [number, lane] of this.#lanes) {
      if (lane.isBlocked) continue
      if (lane.tasks === 0 && canReserve) return number
      if (lane.tasks === 0 || lane.shape !== shape || isExclusive || lane.isExclusive) continue
      if (lane.isOthers !== isOthers) continue
      if (lane.tasks < shortestTasks) {
        shortest = number
        shortestTasks = lane.tasks
      }
    }
    if (canReserve && this.#lanes.size < this.#options.maxLanes) return this.#nextLane
    const room = this.#times.fitting(task.kind, LANE_BUDGET_MS, 1, LANE_MOST)
    return shortest !== undefined && shortestTasks < room ? shortest : undefined
  }

  #enter(number: number, shape: Shape<K>, task: ReadyTask<K>): void {
    let lane = this.#lanes.get(number)
    if (lane === undefined || lane.tasks === 0) {
      const pool = must(roomIn(shape.pools))
      pool.capacity.take(pool.demand)
      const isOthers = task.isOthers === true
      const lent = isOthers ? shape.lent : undefined
      if (lent !== undefined) this.#lent.take(lent)
      if (lane === undefined) {
        lane = { shape, pool, tasks: 0, isBlocked: false, isExclusive: false, isOthers, lent }
        this.#lanes.set(number, lane)
        this.#nextLane = number + 1
      }
      lane.shape = shape
      lane.pool = pool
      lane.isOthers = isOthers
      lane.lent = lent
    }
    lane.tasks++
    // Nothing waits behind what is not known to be short.
    const meanMs = this.#times.meanMs(task.kind) ?? Number.POSITIVE_INFINITY
    lane.isExclusive = task.isExclusive || this.#blocking.has(task.kind) || meanMs > LANE_BUDGET_MS
    this.#effects.push({ type: 'start', task, lane: number, shape: shape.shape })
  }

  #leave(number: number): void {
    const lane = this.#lanes.get(number)
    if (lane === undefined || lane.tasks === 0) return
    lane.tasks--
    if (lane.tasks > 0) return
    this.#empty(lane)
    lane.isBlocked = false
    lane.isExclusive = false
  }

  /** Nothing is in the lane any more: gives back what it reserved, of which a waiting task gave back the CPUs before. */
  #empty({ isBlocked, pool: { capacity, demand }, lent }: Lane<K>): void {
    if (isBlocked) capacity.takeCpus(demand)
    capacity.give(demand)
    if (lent === undefined) return
    if (isBlocked) this.#lent.takeCpus(lent)
    this.#lent.give(lent)
  }

  #block(number: number, isBlocked: boolean): void {
    const lane = this.#lanes.get(number)
    if (lane === undefined || lane.isBlocked === isBlocked || lane.tasks === 0) return
    lane.isBlocked = isBlocked
    // A task that resumes takes its CPUs back even when that makes too many for a while, as in Ray.
    const { capacity, demand } = lane.pool
    const change = isBlocked ? 'giveCpus' : 'takeCpus'
    capacity[change](demand)
    if (lane.lent !== undefined) this.#lent[change](lane.lent)
  }

  /**
   * Sends own tasks that no lane has room for to peers who promised to take them. True when home should be looked at
   * again: the task may have been better off with its peer, and the next one is better off here.
   */
  #spendCredits(): boolean {
    for (const shape of this.#shapes.values()) {
      for (let entry = shape.queue.peekOwn(); entry !== undefined; entry = shape.queue.peekOwn()) {
        const { task } = entry
        const node = shape.isSpread ? this.#turn(shape, task) : this.#bestPeer(shape, task)
        if (node === undefined || node === this.#options.self) break
        const taken = this.#takeFor(shape, task, node)
        shape.hasSpent = true
        add(shape.credits, node, -1)
        const peer = this.#peers.get(node)
        if (peer) peer.outstanding++
        this.#effects.push({ type: 'send', task: taken, node, shape: shape.shape })
        if (shape.isSpread) shape.turns.took(node)
        if (shape.isSpread || task.inputs.length > 0) return true
      }
    }
    return false
  }

  /**
   * Takes the first own task, which is to go to a node; or if its inputs are not there one of the next whose inputs are. It
   * is left behind for so many and no more.
   */
  #takeFor(shape: Shape<K>, first: ReadyTask<K>, node: string): ReadyTask<K> {
    const { queue } = shape
    // Of the same kind, since the lane was found for the first one.
    const isThere = ({ inputs, kind, isExclusive }: ReadyTask<K>): boolean =>
      kind === first.kind &&
      isExclusive === first.isExclusive &&
      inputs.length > 0 &&
      inputs.every(({ holders }) => holders.includes(node))
    const mayPass = !shape.isSpread && first.inputs.length > 0 && shape.passedOver < LOOK_AHEAD
    if (mayPass && queue.promoteBeside(first, LOOK_AHEAD, isThere)) shape.passedOver++
    else shape.passedOver = 0
    return queue.shiftBeside(first) ?? first
  }

  /**
   * SPREAD: whose turn it is of those that could take the task now. Whoever has not answered yet is waited for a while;
   * whoever is busy is passed over. Undefined when all have to be waited for.
   */
  #turn(shape: Shape<K>, task: ReadyTask<K>): string | undefined {
    const { self } = this.#options
    const nodes = shape.pools.length > 0 && this.#isWelcome(shape, self) ? [self] : []
    for (const node of this.#peers.keys())
      if ((shape.fitting.has(node) || shape.credits.has(node)) && this.#isWelcome(shape, node)) nodes.push(node)
    for (const node of shape.turns.order(nodes)) {
      if (node === self) {
        if (this.#laneFor(shape, task) !== undefined) return self
      } else if (shape.credits.has(node)) return node
      else if (!shape.answered.has(node)) {
        this.#wait(shape, 'spread', SPREAD_MS)
        return undefined
      }
    }
    return undefined
  }

  #bestPeer(shape: Shape<K>, task: ReadyTask<K>): string | undefined {
    if (shape.credits.size === 0) return undefined
    return place(this.#candidates(shape, task), this.#times.meanMs(task.kind) ?? 1, task.inputs, this.#rate)
  }

  /** Large inputs pull a task to where they are, if that node has promised to take it. */
  #isBetterElsewhere(shape: Shape<K>, task: ReadyTask<K>): boolean {
    if (task.inputs.length === 0) return false
    const { self } = this.#options
    const candidates = [{ node: self, queued: 0, slots: 1 }, ...this.#candidates(shape, task)]
    return place(candidates, this.#times.meanMs(task.kind) ?? 1, task.inputs, this.#rate) !== self
  }

  /** Known of links that end here; others are taken to be like them. */
  readonly #rate = (from: string, to: string): number | undefined => {
    const { self } = this.#options
    const isOwn = from === self || to === self
    return (isOwn ? this.#peers.get(from === self ? to : from)?.bytesPerMs : undefined) ?? this.#meanRate
  }

  #candidates(shape: Shape<K>, { kind }: ReadyTask<K>): Candidate[] {
    const candidates: Candidate[] = []
    const mayQueue = shape.isSettled || (this.#times.meanMs(kind) ?? Number.POSITIVE_INFINITY) <= CREDIT_BUDGET_MS
    for (const node of shape.credits.keys()) {
      const peer = this.#peers.get(node)
      if (peer === undefined || !this.#isWelcome(shape, node)) continue
      const slots = shape.fitting.get(node) ?? 1
      if (mayQueue || peer.outstanding < slots) candidates.push({ node, queued: peer.outstanding, slots })
    }
    return candidates
  }

  /** What actors keep for their lives may leave too little for a guest that is here already: its owner places it anew. */
  #refuseStuck(): void {
    if (!this.#mayBeStuck) return
    this.#mayBeStuck = false
    for (const { shape, pools, queue, lent } of this.#shapes.values()) {
      if (queue.guestCount === 0) continue
      const isStuck = !pools.some(({ capacity, demand }) => capacity.slots(demand, 1) > 0)
      const areOthersStuck = isStuck || (lent !== undefined && this.#lent.slots(lent, 1) === 0)
      if (!areOthersStuck) continue
      for (const task of queue.takeWhere(({ isGuest, isOthers }) => isGuest && (isStuck || isOthers === true)))
        this.#effects.push({ type: 'refuse', task, shape })
    }
  }

  /** Whoever could take such tasks, for all that is known of it, hears how many wait. */
  #tell(of: Shape<K>, node: string): void {
    const { shape, fitting, told, advertised } = of
    const isKnown = shape.bundle !== undefined || this.#peers.get(node)?.resources !== undefined
    if (!told.has(node) && isKnown && !(fitting.has(node) && this.#isWelcome(of, node))) return
    told.add(node)
    this.#effects.push({ type: 'want', node, shape, queued: advertised })
  }

  /** Peers hear of a backlog when it comes, goes, doubles or halves; what is left of credits goes back with its end. */
  #tellBacklog(): void {
    for (const shape of this.#shapes.values()) {
      const { advertised, credits } = shape
      const queued = shape.queue.ownCount
      if (!shape.isTold && this.#isInfeasible(shape)) this.#wait(shape, 'infeasible', INFEASIBLE_MS)
      if (queued > 0) {
        if (!shape.isSettled && !shape.isSpread && this.#peers.size > 0) this.#wait(shape, 'settle', SETTLE_MS)
        if (queued < 2 * advertised && queued * 2 > advertised) continue
        shape.advertised = queued
        for (const node of this.#peers.keys()) this.#tell(shape, node)
      } else if (advertised > 0 || credits.size > 0) this.#wait(shape, 'idle', IDLE_MS)
    }
  }

  #wait(shape: Shape<K>, timer: SchedulerTimer, afterMs: number): void {
    if (shape.timers.has(timer)) return
    shape.timers.add(timer)
    this.#effects.push({ type: 'timer', timer, shape: shape.shape, afterMs })
  }

  #passed(timer: SchedulerTimer, named: WorkShape): void {
    const shape = this.#shape(named)
    shape.timers.delete(timer)
    if (timer === 'idle') this.#endIdling(shape)
    else if (timer === 'settle') shape.isSettled = shape.advertised > 0
    else if (timer === 'spread') for (const node of shape.fitting.keys()) shape.answered.add(node)
    else if (this.#isInfeasible(shape)) {
      const entry = shape.queue.peek()
      shape.isTold = true
      if (entry) this.#effects.push({ type: 'infeasible', task: entry.task, shape: shape.shape })
    }
  }

  /** Work of the shape waits and no known node, this one included, has what it asks for. */
  #isInfeasible({ pools, fitting, queue }: Shape<K>): boolean {
    // What stays here cannot go to those that have it either.
    return pools.length === 0 && (queue.guestCount > 0 || (queue.ownCount > 0 && fitting.size === 0))
  }

  /** A while without a backlog: its end is told, and unspent credits go back, unless some were spent meanwhile. */
  #endIdling(shape: Shape<K>): void {
    if (shape.queue.ownCount > 0) return
    if (shape.hasSpent) {
      // What comes in single tasks, one after another, would pay a round trip for each of them otherwise.
      shape.hasSpent = false
      return
    }
    for (const node of shape.told) this.#effects.push({ type: 'want', node, shape: shape.shape, queued: 0 })
    shape.told.clear()
    shape.advertised = 0
    for (const [node, count] of shape.credits) this.#effects.push({ type: 'return', node, shape: shape.shape, count })
    shape.credits.clear()
    shape.answered.clear()
    shape.isSettled = false
  }

  /** Promises what is free, and enough beyond it to cover a round trip, evenly to the peers that have a backlog. */
  #grantCredits(): void {
    if (!this.#isLending || !this.#othersMayStart) return
    for (const shape of this.#shapes.values()) {
      const { wanting, granted, queue, pools, lent } = shape
      // Two nodes that spread their tasks over each other have a backlog both.
      if (wanting.size === 0 || (queue.ownCount > 0 && !shape.isSpread)) continue
      let slots = 0
      for (const { capacity, demand } of pools) slots += capacity.slots(demand, UNBOUNDED_SLOTS)
      if (lent !== undefined) slots = Math.min(slots, this.#lent.slots(lent, UNBOUNDED_SLOTS))
      const perSlot = this.#times.fitting(this.#lastGuestKind, CREDIT_BUDGET_MS, 2, CREDIT_MOST)
      let promised = queue.guestCount
      for (const count of granted.values()) promised += count
      // Behind a long task, or one of unknown length, one may wait; none is promised a place behind one that is not here yet,
      // since its owner may hear of a free slot elsewhere a moment later.
      let room = slots * (perSlot === 2 ? 1 : perSlot) - promised
      if (room <= 0) continue
      const share = Math.max(1, Math.floor(room / wanting.size))
      for (const [node, queued] of wanting) {
        const held = granted.get(node) ?? 0
        const count = Math.min(share, room, Math.max(0, queued * 2 - held))
        if (count <= 0) continue
        room -= count
        add(granted, node, count)
        this.#effects.push({ type: 'grant', node, shape: shape.shape, count })
      }
    }
  }

  #shape(shape: WorkShape): Shape<K> {
    let known = this.#shapes.get(shape.key)
    if (known === undefined) {
      if (this.#shapes.size >= MANY_SHAPES) this.#forgetShapes()
      known = newShape(shape, this.#poolsOf(shape), this.#lentOf(shape))
      this.#shapes.set(shape.key, known)
      this.#preferSelf(known)
      for (const node of this.#peers.keys()) this.#fit(known, node)
    }
    return known
  }

  #preferSelf({ shape, pools, preferred }: Shape<K>): void {
    const { self } = this.#options
    const { soft } = shape.labels
    if (soft.length > 0 && pools.length > 0 && hasLabels(soft, self, this.#labels)) preferred.add(self)
    else preferred.delete(self)
  }

  /** Those with nothing in them and nobody waiting; a lane keeps its own. */
  #forgetShapes(): void {
    for (const [key, { queue, credits, granted, wanting, timers, advertised }] of this.#shapes) {
      if (queue.ownCount + queue.guestCount + advertised > 0) continue
      if (credits.size + granted.size + wanting.size + timers.size === 0) this.#shapes.delete(key)
    }
  }
}
