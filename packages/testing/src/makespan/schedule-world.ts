import { must, randomInt, seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'

/** A task of the model: how long it takes on a tab of speed 1, and what it reads. */
export interface ModelTask {
  readonly id: number
  readonly owner: string
  readonly ms: number
  /** 0: it reads nothing. */
  readonly bytes: number
  readonly holder: string
}

export interface ModelNode {
  readonly name: string
  readonly slots: number
  readonly speed: number
}

export interface WorldOptions {
  readonly seed: number
  readonly nodes: number
  /** The first of the nodes: they submit everything, at the start. */
  readonly drivers: number
  readonly tasks: number
  /** Mean of a task; times are heavy-tailed, lognormal with sigma 1.2: one in a hundred takes 8 means or more. */
  readonly meanMs: number
  /** Of every second node. Default 1. */
  readonly otherSpeed?: number
  /** Each task reads one object of so many bytes, which lies with some node. Default 0. */
  readonly inputBytes?: number
  /** Of the logarithm of the times. Default 1.2. */
  readonly sigma?: number
}

const HEAVY_TAIL = 1.2
/** One way between two tabs. */
const LEAST_LATENCY_MS = 2
const MORE_LATENCY_MS = 18
/** What one transfer gets of a home uplink. */
const BYTES_PER_MS = 4_000

/** Tabs, tasks and a network, the same for every scheduler that is compared; and what one of them has made of it. */
export class ScheduleWorld {
  readonly nodes: readonly ModelNode[]
  readonly drivers: readonly ModelNode[]
  readonly tasks: readonly ModelTask[]
  readonly random: Random
  readonly #events = new EventHeap()
  readonly #latencies: Random
  /** When each node's last run ended. */
  readonly lastEnd = new Map<string, number>()
  readonly #ended = new Set<number>()
  #nowMs = 0

  constructor({
    seed,
    nodes,
    drivers,
    tasks,
    meanMs,
    otherSpeed = 1,
    inputBytes = 0,
    sigma = HEAVY_TAIL,
  }: WorldOptions) {
    const random = seededRandom(seed)
    this.random = seededRandom(seed * 7 + 1)
    this.#latencies = seededRandom(seed * 7 + 2)
    this.nodes = Array.from({ length: nodes }, (_, i) => ({
      name: `n${i}`,
      slots: 1 + (i % 4),
      speed: i % 2 === 0 ? 1 : otherSpeed,
    }))
    this.drivers = this.nodes.slice(0, drivers)
    this.tasks = Array.from({ length: tasks }, (_, id) => ({
      id,
      owner: must(this.drivers[id % drivers]).name,
      ms: (meanMs * Math.exp(sigma * normal(random))) / Math.exp((sigma * sigma) / 2),
      bytes: inputBytes,
      holder: must(this.nodes[randomInt(random, nodes)]).name,
    }))
  }

  get nowMs(): number {
    return this.#nowMs
  }

  readonly bytesPerMs = BYTES_PER_MS

  get endedCount(): number {
    return this.#ended.size
  }

  after(ms: number, callback: () => void): void {
    this.#events.push(this.#nowMs + ms, callback)
  }

  latencyMs(): number {
    return LEAST_LATENCY_MS + this.#latencies.float() * MORE_LATENCY_MS
  }

  /** How long a task takes a slot of the node: its input has to come first. */
  runMs({ ms, bytes, holder }: ModelTask, { name, speed }: ModelNode): number {
    return ms / speed + (holder === name ? 0 : bytes / BYTES_PER_MS)
  }

  ended(task: ModelTask, { name }: ModelNode): void {
    if (this.#ended.has(task.id)) throw new Error(`task ${task.id} ran twice`)
    this.#ended.add(task.id)
    this.lastEnd.set(name, this.#nowMs)
  }

  /** Until nothing is to come. @returns when the last task ended, in ms */
  run(): number {
    for (let next = this.#events.pop(); next !== undefined; next = this.#events.pop()) {
      this.#nowMs = next.atMs
      next.callback()
    }
    if (this.#ended.size < this.tasks.length)
      throw new Error(`${this.tasks.length - this.#ended.size} tasks never ended`)
    return Math.max(...this.lastEnd.values())
  }
}

/** Box and Muller's. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float())
}

interface ModelEvent {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** A binary heap, by time and then by when they were set. */
class EventHeap {
  readonly #heap: ModelEvent[] = []
  #order = 0

  push(atMs: number, callback: () => void): void {
    const heap = this.#heap
    const event = { atMs, order: this.#order++, callback }
    let at = heap.push(event) - 1
    for (let above = (at - 1) >> 1; at > 0 && isBefore(event, must(heap[above])); above = (at - 1) >> 1) {
      heap[at] = must(heap[above])
      at = above
    }
    heap[at] = event
  }

  pop(): ModelEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(must(heap[below + 1]), must(heap[below]))) below++
      if (!isBefore(must(heap[below]), last)) break
      heap[at] = must(heap[below])
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: ModelEvent, b: ModelEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
