// Long because a model of a whole room of schedulers, its faults and its checks belong together.
import { must, randomInt, seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'
import { CPU, toResourceSet, unitsOf } from '@shoal/protocol'
import type { ResourceSet } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { ReadyTask } from './ready-queue.ts'
import { Scheduler } from './scheduler.ts'
import type { SchedulerEffect, SchedulerEvent, SchedulerTimer } from './scheduler-event.ts'
import { fittingIn, workShape } from './shape.ts'
import type { WorkShape } from './shape.ts'

const SHAPES = [
  { CPU: 0.5 },
  { CPU: 1 },
  { CPU: 2 },
  { CPU: 1, camera: 0.3 },
  { camera: 0.7 },
  { CPU: 0.1, GPU: 1, camera: 0.1 },
  {},
].flatMap((amounts) => {
  const resources = toResourceSet(amounts)
  return [workShape({ resources, strategy: 'DEFAULT' }), workShape({ resources, strategy: 'SPREAD' })]
})
const KINDS = ['short', 'long', 'parent']

interface Task {
  readonly id: number
  readonly owner: string
  readonly shape: WorkShape
  readonly ready: ReadyTask<Task>
  state: 'ready' | 'sent' | 'running' | 'done'
  /** Where the present attempt went. */
  at: string
  /** Starts and sends since it was last ready. */
  moves: number
}

interface Running {
  readonly task: Task
  readonly lane: number
  isBlocked: boolean
}

/** One node: the real scheduler, and beside it what the messages and lanes say should be true. */
class Seat {
  readonly name: string
  readonly capacity: ResourceSet
  readonly scheduler: Scheduler<Task>
  readonly lanes = new Map<number, Running[]>()
  readonly waiting = new Set<Task>()
  /** `peer shape` -> credits that this node holds, and that it gave. */
  readonly credits = new Map<string, number>()
  readonly given = new Map<string, number>()
  readonly backlog = new Map<string, number>()
  readonly maxLanes: number
  /** What runs out for which shape. */
  readonly timers: { readonly timer: SchedulerTimer; readonly shape: WorkShape }[] = []
  /** What actors keep for their lives. */
  readonly held: ResourceSet[] = []
  isLending = true

  constructor(name: string, random: Random) {
    this.name = name
    this.capacity = toResourceSet({
      CPU: 1 + randomInt(random, 3),
      camera: randomInt(random, 4) / 2,
      GPU: randomInt(random, 2),
    })
    this.maxLanes = 4 + randomInt(random, 8)
    this.scheduler = new Scheduler({ self: name, resources: this.capacity, maxLanes: this.maxLanes })
  }

  /** Ten-thousandths of one resource, as the lanes and actors say. */
  used(name: string): number {
    let used = 0
    for (const [first] of this.lanes.values())
      if (first && !(first.isBlocked && name === CPU)) used += unitsOf(first.task.shape.resources, name)
    for (const resources of this.held) used += unitsOf(resources, name)
    return used
  }

  /** Whether the resources are free now. */
  fits(resources: ResourceSet): boolean {
    return resources.every(({ name, units }) => this.used(name) + units <= unitsOf(this.capacity, name))
  }

  /** Whether no end of a task would ever make room for them. */
  isStuck(resources: ResourceSet): boolean {
    return resources.some(({ name, units }) => {
      const held = this.held.reduce((sum, kept) => sum + unitsOf(kept, name), 0)
      return held + units > unitsOf(this.capacity, name)
    })
  }
}

/**
 * A room of schedulers whose messages arrive late but in order, under random submissions, ends, waits, crashes, joins
 * and departures. Every effect is checked against the model when it comes out.
 */
class Room {
  readonly random: Random
  readonly seats: Seat[] = []
  readonly tasks: Task[] = []
  readonly faults: string[] = []
  readonly #wires = new Map<string, (() => void)[]>()
  #joined = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    for (let i = 0; i < 3; i++) this.join()
  }

  join(): void {
    const seat = new Seat(`n${this.#joined++}`, this.random)
    // In the room before anybody greets it: what a greeting says must find it.
    this.seats.push(seat)
    for (const other of this.seats) {
      if (other === seat) continue
      this.step(seat, [{ type: 'peer', node: other.name, resources: other.isLending ? other.capacity : [] }])
      this.step(other, [{ type: 'peer', node: seat.name, resources: seat.capacity }])
    }
  }

  leave(seat: Seat): void {
    this.seats.splice(this.seats.indexOf(seat), 1)
    for (const key of [...this.#wires.keys()])
      if (key.startsWith(`${seat.name}>`) || key.endsWith(`>${seat.name}`)) this.#wires.delete(key)
    for (const other of this.seats) {
      for (const table of [other.credits, other.given, other.backlog])
        for (const key of [...table.keys()]) if (key.startsWith(`${seat.name} `)) table.delete(key)
      this.step(other, [{ type: 'peer-gone', node: seat.name }])
    }
    for (const task of this.tasks) {
      if (task.owner === seat.name) task.state = 'done'
      else if (task.state !== 'done' && task.at === seat.name) this.#ready(task)
    }
  }

  submit(seat: Seat): void {
    const { random } = this
    const kind = must(KINDS[randomInt(random, KINDS.length)])
    const task: Task = {
      id: this.tasks.length,
      owner: seat.name,
      shape: must(SHAPES[randomInt(random, SHAPES.length)]),
      ready: undefined as unknown as ReadyTask<Task>,
      state: 'ready',
      at: '',
      moves: 0,
    }
    const inputs =
      random.float() < 0.2
        ? [{ bytes: randomInt(random, 60e6), holders: [must(this.seats[randomInt(random, this.seats.length)]).name] }]
        : []
    const ready: ReadyTask<Task> = {
      key: task,
      kind,
      staysHere: random.float() < 0.1,
      isGuest: false,
      depth: randomInt(random, 4),
      isExclusive: random.float() < 0.1,
      inputs,
    }
    Object.assign(task, { ready })
    this.tasks.push(task)
    this.#ready(task)
  }

  act(): void {
    const seat = must(this.seats[randomInt(this.random, this.seats.length)])
    const draw = this.random.float()
    const running = [...seat.lanes.values()].flatMap(([first]) => first ?? [])
    const one = running[randomInt(this.random, running.length)]
    if (draw < 0.35) for (let count = 1 + randomInt(this.random, 6); count > 0; count--) this.submit(seat)
    else if (draw < 0.75) this.deliver()
    else if (draw < 0.9 && one !== undefined) this.end(seat, one)
    else if (draw < 0.93 && one !== undefined) this.wait(seat, one)
    else if (draw < 0.94 && one !== undefined) this.keep(seat, one)
    else if (draw < 0.95) this.letGo(seat)
    else if (draw < 0.96 && one !== undefined) this.crash(seat, one.lane)
    else if (draw < 0.97) {
      this.lend(seat, !seat.isLending)
    } else if (draw < 0.972) this.passTime(seat)
    else if (draw < 0.976 && this.seats.length < 5) this.join()
    else if (draw < 0.98 && this.seats.length > 2) this.leave(seat)
  }

  /** One message, the oldest of a random wire. */
  deliver(): boolean {
    const wires = [...this.#wires].filter(([, queue]) => queue.length > 0)
    const [, queue] = wires[randomInt(this.random, wires.length)] ?? []
    queue?.shift()?.()
    return queue !== undefined
  }

  lend(seat: Seat, isOn: boolean): void {
    seat.isLending = isOn
    this.step(seat, [{ type: 'lending', isOn }])
    for (const other of this.seats)
      if (other !== seat)
        this.#send(seat, other.name, (to) =>
          this.step(to, [{ type: 'peer', node: seat.name, resources: isOn ? seat.capacity : [] }]),
        )
  }

  /** The oldest timer of the seat ends; false when none runs. */
  passTime(seat: Seat): boolean {
    const next = seat.timers.shift()
    if (next !== undefined) this.step(seat, [{ type: 'passed', ...next }])
    return next !== undefined
  }

  /** What ran was the birth of an actor, which keeps all but the CPUs for its life. */
  keep(seat: Seat, { task, lane, isBlocked }: Running): void {
    if (isBlocked || seat.lanes.get(lane)?.length !== 1) return
    const resources = task.shape.resources.filter(({ name }) => name !== CPU)
    seat.lanes.delete(lane)
    seat.held.push(resources)
    this.#done(seat, task, 1)
    this.step(seat, [
      { type: 'reserve', resources, change: 1 },
      { type: 'lane-gone', lane },
    ])
  }

  /** An actor ends. */
  letGo(seat: Seat): void {
    const resources = seat.held.shift()
    if (resources) this.step(seat, [{ type: 'reserve', resources, change: -1 }])
  }

  end(seat: Seat, { task, lane, isBlocked }: Running): void {
    const events: SchedulerEvent<Task>[] = []
    if (isBlocked) events.push({ type: 'resumed', lane })
    seat.lanes.get(lane)?.shift()
    const ms = task.ready.kind === 'long' ? 50 : this.random.float() * 2
    events.push({ type: 'finished', lane, kind: task.ready.kind, ms })
    this.#done(seat, task, ms)
    this.step(seat, events)
  }

  /** The running task waits and gives back what is queued behind it, or goes on. */
  wait(seat: Seat, running: Running): void {
    const { task, lane } = running
    if (running.isBlocked) {
      running.isBlocked = false
      this.step(seat, [{ type: 'resumed', lane }])
      return
    }
    running.isBlocked = true
    const events: SchedulerEvent<Task>[] = [{ type: 'blocked', lane, kind: task.ready.kind }]
    for (const behind of seat.lanes.get(lane)?.splice(1) ?? []) events.push(this.#giveBack(seat, behind.task, lane))
    this.step(seat, events)
  }

  crash(seat: Seat, lane: number): void {
    const [first, ...rest] = seat.lanes.get(lane) ?? []
    seat.lanes.delete(lane)
    const events: SchedulerEvent<Task>[] = []
    if (first !== undefined) {
      events.push({ type: 'finished', lane, kind: first.task.ready.kind, ms: 0 })
      this.#done(seat, first.task, 0)
    }
    for (const { task } of rest) events.push(this.#giveBack(seat, task, lane))
    events.push({ type: 'lane-gone', lane })
    this.step(seat, events)
  }

  /** Everything that is on its way arrives and everything that runs ends: all tasks must come to their end. */
  drain(): void {
    for (const seat of this.seats) {
      this.lend(seat, true)
      while (seat.held.length > 0) this.letGo(seat)
    }
    for (let round = 0; round < 100_000; round++) {
      if (this.deliver()) continue
      const busy = this.seats.flatMap((seat) =>
        [...seat.lanes.values()].flatMap(([first]) => (first ? [{ seat, first }] : [])),
      )
      const next = busy[randomInt(this.random, busy.length)]
      if (next === undefined) {
        if (this.seats.some((seat) => this.passTime(seat))) continue
        break
      }
      this.end(next.seat, next.first)
    }
    for (const task of this.tasks)
      if (task.state !== 'done' && this.#seat(task.owner) !== undefined && this.#isFeasible(task))
        this.fault(`S3: task ${task.id} of ${task.owner} never ended: ${task.state} at ${task.at}`)
    for (const seat of this.seats) {
      for (const [key, count] of seat.credits) if (count !== 0) this.fault(`SC4: ${seat.name} kept ${count} of ${key}`)
      for (const [key, count] of seat.given) if (count !== 0) this.fault(`S1: ${seat.name} gave ${count} to ${key}`)
      if (seat.scheduler.used.length > 0) this.fault(`S1: ${JSON.stringify(seat.scheduler.used)} used when all ended`)
      this.#checkInfeasible(seat)
    }
  }

  fault(text: string): void {
    this.faults.push(text)
  }

  step(seat: Seat, events: SchedulerEvent<Task>[]): void {
    const effects = seat.scheduler.step(events)
    for (const effect of effects) this.#carryOut(seat, effect)
    this.#checkIdle(seat)
    for (const { name } of seat.capacity)
      if (unitsOf(seat.scheduler.used, name) !== seat.used(name))
        this.fault(
          `S1: ${seat.name} counts ${JSON.stringify(seat.scheduler.used)}, lanes say ${seat.used(name)} ${name}`,
        )
  }

  #carryOut(seat: Seat, effect: SchedulerEffect<Task>): void {
    switch (effect.type) {
      case 'start': {
        const { task } = effect
        this.#checkDeepest(seat, task.key)
        if (!seat.waiting.delete(task.key)) this.fault(`S2: task ${task.key.id} started without being ready`)
        if (++task.key.moves > 1 && task.key.owner === seat.name) this.fault(`S2: task ${task.key.id} moved twice`)
        const lane = seat.lanes.get(effect.lane) ?? []
        seat.lanes.set(effect.lane, lane)
        const { resources } = task.key.shape
        if (lane.length === 0 && !seat.fits(resources))
          this.fault(`S1: no room for ${task.key.shape.key} at ${seat.name}`)
        lane.push({ task: task.key, lane: effect.lane, isBlocked: false })
        if (seat.lanes.size > seat.maxLanes) this.fault(`SC9: ${seat.lanes.size} lanes`)
        task.key.state = 'running'
        if (lane[0]?.isBlocked) this.fault('SC1: queued behind a task that waits')
        if (lane.length > 1 && lane.some((run) => run.task.ready.isExclusive))
          this.fault('SC2: an exclusive task shares')
        return
      }
      case 'send': {
        const task = effect.task.key
        if (task.owner !== seat.name || task.ready.staysHere) this.fault(`S2: task ${task.id} was passed on`)
        if (++task.moves > 1) this.fault(`S2: task ${task.id} moved twice`)
        if (!seat.waiting.delete(task)) this.fault(`S2: task ${task.id} was sent without being ready`)
        this.#count(seat.credits, effect.node, effect.shape, -1, 'sent without a credit')
        Object.assign(task, { state: 'sent', at: effect.node })
        this.#send(seat, effect.node, (to) => {
          this.#count(to.given, seat.name, effect.shape, -1, 'arrived without a credit')
          to.waiting.add(task)
          const guest = { ...task.ready, staysHere: true, isGuest: true, inputs: [] }
          this.step(to, [{ type: 'guest', node: seat.name, task: guest, shape: effect.shape }])
        })
        return
      }
      case 'grant': {
        if (!seat.isLending) this.fault(`SC6: ${seat.name} grants while lending is off`)
        const wanted = seat.backlog.get(`${effect.node} ${effect.shape.key}`) ?? 0
        if (wanted === 0) this.fault(`SC5: a grant to ${effect.node}, which wants nothing`)
        if (effect.count <= 0 || !Number.isInteger(effect.count)) this.fault(`S1: a grant of ${effect.count}`)
        this.#count(seat.given, effect.node, effect.shape, effect.count, '')
        const given = seat.given.get(`${effect.node} ${effect.shape.key}`) ?? 0
        if (given > 2 * wanted) this.fault(`SC5: ${given} credits for a backlog of ${wanted}`)
        this.#send(seat, effect.node, (to) => {
          this.#count(to.credits, seat.name, effect.shape, effect.count, '')
          const { shape, count } = effect
          this.step(to, [{ type: 'granted', node: seat.name, shape, count }])
        })
        return
      }
      case 'return':
        this.#count(seat.credits, effect.node, effect.shape, -effect.count, 'returned what it did not hold')
        this.#send(seat, effect.node, (to) => {
          this.#count(to.given, seat.name, effect.shape, -effect.count, 'got back what it did not give')
          const { shape, count } = effect
          this.step(to, [{ type: 'returned', node: seat.name, shape, count }])
        })
        return
      case 'timer': {
        const { timer, shape } = effect
        if (seat.timers.some((other) => other.timer === timer && other.shape.key === shape.key))
          this.fault(`SC4: two ${timer} times of one shape`)
        seat.timers.push({ timer, shape })
        return
      }
      case 'refuse':
        this.#refuse(seat, effect.task.key)
        return
      case 'infeasible':
        if (this.seats.some((other) => fittingIn(other.capacity, effect.shape.resources, 1) > 0 && other === seat))
          this.fault(`SC11: ${effect.shape.key} would fit at ${seat.name}`)
        return
      case 'want':
        for (const other of this.seats)
          if (effect.node === other.name)
            this.#send(seat, other.name, (to) => {
              to.backlog.set(`${seat.name} ${effect.shape.key}`, effect.queued)
              const { shape, queued } = effect
              this.step(to, [{ type: 'wanted', node: seat.name, shape, queued }])
            })
    }
  }

  /** S3, as seen from outside: a free slot with a free lane, or a credit, beside a task that waits. */
  #checkIdle(seat: Seat): void {
    const idle = [...seat.lanes.values()].filter((lane) => lane.length === 0).length
    const hasLane = idle > 0 || seat.lanes.size < seat.maxLanes
    const facts = new Map<
      WorkShape,
      { readonly fits: boolean; readonly isStuck: boolean; readonly hasCredit: boolean }
    >()
    for (const task of seat.waiting) {
      const { shape } = task
      let now = facts.get(shape)
      if (now === undefined) {
        const hasCredit = this.seats.some(({ name }) => (seat.credits.get(`${name} ${shape.key}`) ?? 0) > 0)
        now = { fits: seat.fits(shape.resources), isStuck: seat.isStuck(shape.resources), hasCredit }
        facts.set(shape, now)
      }
      const mayLeave = task.owner === seat.name && !task.ready.staysHere
      if (task.owner !== seat.name && now.isStuck) this.fault(`SC13: task ${task.id} is kept at ${seat.name}`)
      // A task of SPREAD waits for whose turn it is.
      if (shape.strategy === 'SPREAD' && mayLeave && this.seats.length > 1) continue
      if (hasLane && now.fits) this.fault(`S3: task ${task.id} of ${shape.key} waits at ${seat.name}`)
      // It may wait for a promise of a free slot.
      const isSettling = seat.timers.some(({ timer, shape: of }) => timer === 'settle' && of === shape)
      if (mayLeave && now.hasCredit && !isSettling) this.fault(`S3: task ${task.id} waits beside a credit`)
    }
  }

  #checkDeepest(seat: Seat, started: Task): void {
    for (const task of seat.waiting) {
      const mayGo = task.ready.inputs.length > 0 || task.shape.strategy === 'SPREAD'
      if (task.shape === started.shape && task.ready.depth > started.ready.depth && !mayGo)
        this.fault(`S4: task ${started.id} of depth ${started.ready.depth} before ${task.id} of ${task.ready.depth}`)
    }
  }

  #ready(task: Task): void {
    const seat = this.#seat(task.owner)
    if (seat === undefined) return
    Object.assign(task, { state: 'ready', moves: 0, at: seat.name })
    seat.waiting.add(task)
    this.step(seat, [{ type: 'ready', task: task.ready, shape: task.shape }])
  }

  /** A guest goes back to its owner unstarted, which has it ready once more. */
  #refuse(seat: Seat, task: Task): void {
    if (task.owner === seat.name || !seat.isStuck(task.shape.resources)) this.fault(`SC13: task ${task.id} is refused`)
    if (!seat.waiting.delete(task)) this.fault(`S2: task ${task.id} is refused and did not wait`)
    this.#send(seat, task.owner, (to) => {
      this.step(to, [{ type: 'sent-ended', node: seat.name, kind: '', ms: undefined }])
      this.#ready(task)
    })
  }

  /** Some node that is here could take it, its own if it may not leave. */
  #isFeasible(task: Task): boolean {
    return this.seats.some(
      (seat) =>
        (seat.name === task.owner || !task.ready.staysHere) && fittingIn(seat.capacity, task.shape.resources, 1) > 0,
    )
  }

  #checkInfeasible(seat: Seat): void {
    const waiting = seat.waiting.size
    const told = seat.scheduler.infeasible().reduce((sum, { tasks }) => sum + tasks, 0)
    if (told !== waiting) this.fault(`SC11: ${seat.name} tells of ${told} infeasible tasks, ${waiting} wait`)
  }

  #giveBack(seat: Seat, task: Task, lane: number): SchedulerEvent<Task> {
    Object.assign(task, { state: 'ready', moves: 0 })
    seat.waiting.add(task)
    const isGuest = task.owner !== seat.name
    const { ready, shape } = task
    const given = isGuest ? { ...ready, staysHere: true, isGuest, inputs: [] } : { ...ready, inputs: [] }
    return { type: 'given-back', task: given, shape, lane }
  }

  #done(seat: Seat, task: Task, ms: number): void {
    if (task.owner === seat.name) {
      task.state = 'done'
      return
    }
    this.#send(seat, task.owner, (to) => {
      task.state = 'done'
      this.step(to, [{ type: 'sent-ended', node: seat.name, kind: task.ready.kind, ms }])
    })
  }

  #send(from: Seat, to: string, deliver: (seat: Seat) => void): void {
    const key = `${from.name}>${to}`
    const wire = this.#wires.get(key) ?? []
    this.#wires.set(key, wire)
    wire.push(() => {
      const seat = this.#seat(to)
      if (seat !== undefined) deliver(seat)
    })
  }

  #seat(name: string): Seat | undefined {
    return this.seats.find((seat) => seat.name === name)
  }

  #count(table: Map<string, number>, node: string, shape: WorkShape, change: number, what: string): void {
    const key = `${node} ${shape.key}`
    const count = (table.get(key) ?? 0) + change
    table.set(key, count)
    if (count < 0) this.fault(`S1: ${what} (${key})`)
  }
}

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1)

describe('a room of schedulers', () => {
  it(
    '[S1] [S2] [S3] [S4] [SC4] [SC5] [SC6] [SC9] [SC10] [SC11] [SC13] keeps every rule under random events',
    { timeout: 60_000 },
    () => {
      const faults: string[] = []
      for (const seed of SEEDS) {
        const room = new Room(seed)
        for (let i = 0; i < 400 && room.faults.length === 0; i++) room.act()
        if (room.faults.length === 0) room.drain()
        faults.push(...room.faults.slice(0, 3).map((fault) => `seed ${seed}: ${fault}`))
      }
      expect(faults.slice(0, 20)).toEqual([])
    },
  )

  it('[S3] spreads a backlog: with credits, tasks run on every node', () => {
    const room = new Room(5)
    const owner = must(room.seats[0])
    for (let i = 0; i < 200; i++) room.submit(owner)
    const places = new Set<string>()
    for (let i = 0; i < 200; i++) {
      room.deliver()
      for (const seat of room.seats) for (const lane of seat.lanes.values()) if (lane.length > 0) places.add(seat.name)
    }
    expect(places.size).toBe(3)
    room.drain()
    expect(room.faults).toEqual([])
  })
})
