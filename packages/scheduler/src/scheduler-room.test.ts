// Long because a model of a whole room of schedulers, its faults and its checks belong together.
import { must, randomInt, seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import type { ReadyTask } from './ready-queue.ts'
import { Scheduler } from './scheduler.ts'
import type { SchedulerEffect, SchedulerEvent } from './scheduler.ts'

const SHAPES = [500, 1000, 2000]
const KINDS = ['short', 'long', 'parent']

interface Task {
  readonly id: number
  readonly owner: string
  readonly milliCpus: number
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
  readonly capacity: number
  readonly scheduler: Scheduler<Task>
  readonly lanes = new Map<number, Running[]>()
  readonly waiting = new Set<Task>()
  /** `peer shape` -> credits that this node holds, and that it gave. */
  readonly held = new Map<string, number>()
  readonly given = new Map<string, number>()
  readonly backlog = new Map<string, number>()
  readonly maxLanes: number
  /** Shapes whose idle time runs. */
  readonly idling: number[] = []
  isLending = true

  constructor(name: string, random: Random) {
    this.name = name
    this.capacity = 1000 * (1 + randomInt(random, 3))
    this.maxLanes = 4 + randomInt(random, 8)
    this.scheduler = new Scheduler({ self: name, milliCpus: this.capacity, maxLanes: this.maxLanes })
  }

  get used(): number {
    let used = 0
    for (const [first] of this.lanes.values()) if (first && !first.isBlocked) used += first.task.milliCpus
    return used
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
    for (const other of this.seats) {
      this.step(other, [{ type: 'peer', node: seat.name, slots: seat.capacity / 1000 }])
      this.step(seat, [{ type: 'peer', node: other.name, slots: other.capacity / 1000 }])
    }
    this.seats.push(seat)
  }

  leave(seat: Seat): void {
    this.seats.splice(this.seats.indexOf(seat), 1)
    for (const key of [...this.#wires.keys()])
      if (key.startsWith(`${seat.name}>`) || key.endsWith(`>${seat.name}`)) this.#wires.delete(key)
    for (const other of this.seats) {
      for (const table of [other.held, other.given, other.backlog])
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
      milliCpus: Math.min(seat.capacity, must(SHAPES[randomInt(random, SHAPES.length)])),
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
    else if (draw < 0.95 && one !== undefined) this.wait(seat, one)
    else if (draw < 0.96 && one !== undefined) this.crash(seat, one.lane)
    else if (draw < 0.97) {
      seat.isLending = !seat.isLending
      this.step(seat, [{ type: 'lending', isOn: seat.isLending }])
    } else if (draw < 0.972) this.passIdle(seat)
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

  /** The oldest idle time of the seat ends; false when none runs. */
  passIdle(seat: Seat): boolean {
    const milliCpus = seat.idling.shift()
    if (milliCpus !== undefined) this.step(seat, [{ type: 'idle-passed', milliCpus }])
    return milliCpus !== undefined
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
      seat.isLending = true
      this.step(seat, [{ type: 'lending', isOn: true }])
    }
    for (let round = 0; round < 100_000; round++) {
      if (this.deliver()) continue
      const busy = this.seats.flatMap((seat) =>
        [...seat.lanes.values()].flatMap(([first]) => (first ? [{ seat, first }] : [])),
      )
      const next = busy[randomInt(this.random, busy.length)]
      if (next === undefined) {
        if (this.seats.some((seat) => this.passIdle(seat))) continue
        break
      }
      this.end(next.seat, next.first)
    }
    for (const task of this.tasks)
      if (task.state !== 'done' && this.#seat(task.owner) !== undefined)
        this.fault(`S3: task ${task.id} of ${task.owner} never ended: ${task.state} at ${task.at}`)
    for (const seat of this.seats) {
      for (const [key, count] of seat.held) if (count !== 0) this.fault(`SC4: ${seat.name} kept ${count} of ${key}`)
      for (const [key, count] of seat.given) if (count !== 0) this.fault(`S1: ${seat.name} gave ${count} to ${key}`)
      if (seat.scheduler.usedMilliCpus !== 0) this.fault(`S1: ${seat.scheduler.usedMilliCpus} used when all ended`)
    }
  }

  fault(text: string): void {
    this.faults.push(text)
  }

  step(seat: Seat, events: SchedulerEvent<Task>[]): void {
    const effects = seat.scheduler.step(events)
    for (const effect of effects) this.#carryOut(seat, effect)
    this.#checkIdle(seat)
    if (seat.scheduler.usedMilliCpus !== seat.used)
      this.fault(`S1: ${seat.name} counts ${seat.scheduler.usedMilliCpus} used, lanes say ${seat.used}`)
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
        const before = seat.used
        lane.push({ task: task.key, lane: effect.lane, isBlocked: false })
        if (seat.used > before && seat.used > seat.capacity) this.fault(`S1: ${seat.name} uses ${seat.used}`)
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
        this.#count(seat.held, effect.node, effect.milliCpus, -1, 'sent without a credit')
        Object.assign(task, { state: 'sent', at: effect.node })
        this.#send(seat, effect.node, (to) => {
          this.#count(to.given, seat.name, effect.milliCpus, -1, 'arrived without a credit')
          to.waiting.add(task)
          const guest = { ...task.ready, staysHere: true, inputs: [] }
          this.step(to, [{ type: 'guest', node: seat.name, task: guest, milliCpus: effect.milliCpus }])
        })
        return
      }
      case 'grant': {
        if (!seat.isLending) this.fault(`SC6: ${seat.name} grants while lending is off`)
        const wanted = seat.backlog.get(`${effect.node} ${effect.milliCpus}`) ?? 0
        if (wanted === 0) this.fault(`SC5: a grant to ${effect.node}, which wants nothing`)
        if (effect.count <= 0 || !Number.isInteger(effect.count)) this.fault(`S1: a grant of ${effect.count}`)
        this.#count(seat.given, effect.node, effect.milliCpus, effect.count, '')
        const given = seat.given.get(`${effect.node} ${effect.milliCpus}`) ?? 0
        if (given > 2 * wanted) this.fault(`SC5: ${given} credits for a backlog of ${wanted}`)
        this.#send(seat, effect.node, (to) => {
          this.#count(to.held, seat.name, effect.milliCpus, effect.count, '')
          const { milliCpus, count } = effect
          this.step(to, [{ type: 'granted', node: seat.name, milliCpus, count }])
        })
        return
      }
      case 'return':
        this.#count(seat.held, effect.node, effect.milliCpus, -effect.count, 'returned what it did not hold')
        this.#send(seat, effect.node, (to) => {
          this.#count(to.given, seat.name, effect.milliCpus, -effect.count, 'got back what it did not give')
          const { milliCpus, count } = effect
          this.step(to, [{ type: 'returned', node: seat.name, milliCpus, count }])
        })
        return
      case 'idle':
        if (seat.idling.includes(effect.milliCpus)) this.fault('SC4: two idle times of one shape')
        seat.idling.push(effect.milliCpus)
        return
      case 'want':
        for (const other of this.seats)
          if (other !== seat && (effect.node === undefined || effect.node === other.name))
            this.#send(seat, other.name, (to) => {
              to.backlog.set(`${seat.name} ${effect.milliCpus}`, effect.queued)
              const { milliCpus, queued } = effect
              this.step(to, [{ type: 'wanted', node: seat.name, milliCpus, queued }])
            })
    }
  }

  /** S3, as seen from outside: a free slot with a free lane, or a credit, beside a task that waits. */
  #checkIdle(seat: Seat): void {
    const idle = [...seat.lanes.values()].filter((lane) => lane.length === 0).length
    const hasLane = idle > 0 || seat.lanes.size < seat.maxLanes
    for (const task of seat.waiting) {
      if (hasLane && seat.used + task.milliCpus <= seat.capacity)
        this.fault(`S3: task ${task.id} of ${task.milliCpus} waits at ${seat.name}, ${seat.used}/${seat.capacity} used`)
      if (task.owner !== seat.name || task.ready.staysHere) continue
      for (const [key, count] of seat.held)
        if (count > 0 && key.endsWith(` ${task.milliCpus}`)) this.fault(`S3: task ${task.id} waits beside a credit`)
    }
  }

  #checkDeepest(seat: Seat, started: Task): void {
    for (const task of seat.waiting) {
      const mayGo = task.ready.inputs.length > 0
      if (task.milliCpus === started.milliCpus && task.ready.depth > started.ready.depth && !mayGo)
        this.fault(`S4: task ${started.id} of depth ${started.ready.depth} before ${task.id} of ${task.ready.depth}`)
    }
  }

  #ready(task: Task): void {
    const seat = this.#seat(task.owner)
    if (seat === undefined) return
    Object.assign(task, { state: 'ready', moves: 0, at: seat.name })
    seat.waiting.add(task)
    this.step(seat, [{ type: 'ready', task: task.ready, milliCpus: task.milliCpus }])
  }

  #giveBack(seat: Seat, task: Task, lane: number): SchedulerEvent<Task> {
    Object.assign(task, { state: 'ready', moves: 0 })
    seat.waiting.add(task)
    const isGuest = task.owner !== seat.name
    const { ready, milliCpus } = task
    const given = isGuest ? { ...ready, staysHere: true, inputs: [] } : { ...ready, inputs: [] }
    return { type: 'given-back', task: given, milliCpus, lane }
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

  #count(table: Map<string, number>, node: string, milliCpus: number, change: number, what: string): void {
    const key = `${node} ${milliCpus}`
    const count = (table.get(key) ?? 0) + change
    table.set(key, count)
    if (count < 0) this.fault(`S1: ${what} (${key})`)
  }
}

const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1)

describe('a room of schedulers', () => {
  it('[S1] [S2] [S3] [S4] [SC4] [SC5] [SC6] [SC9] keeps every rule under random events', () => {
    const faults: string[] = []
    for (const seed of SEEDS) {
      const room = new Room(seed)
      for (let i = 0; i < 400 && room.faults.length === 0; i++) room.act()
      if (room.faults.length === 0) room.drain()
      faults.push(...room.faults.slice(0, 3).map((fault) => `seed ${seed}: ${fault}`))
    }
    expect(faults.slice(0, 20)).toEqual([])
  })

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
