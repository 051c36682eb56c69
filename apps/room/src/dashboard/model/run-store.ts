import type { TaskEventBatch } from '@shoal/sdk'

/** A worker of a tab: one row of the stream. */
export interface Lane {
  readonly index: number
  readonly nodeId: string
  readonly worker: number
  /** An actor lives in it: it ran a constructor or calls. */
  isActor: boolean
  lastEndMs: number
}

export interface OpenRun {
  readonly lane: number
  readonly name: number
  readonly owner: string
  readonly number: number
  readonly attempt: number
  readonly startMs: number
  readonly blockedMs: number
  readonly fetchedMs: number
  readonly waited: number
}

/** One run, put together from its columns for people. */
export interface RunDetail {
  readonly seq: number
  readonly taskId: string
  readonly name: string
  readonly lane: Lane
  readonly attempt: number
  readonly outcome: Outcome
  readonly waited: Waited
  readonly startMs: number
  readonly endMs: number
  readonly blockedMs: number
  readonly queuedMs: number
  readonly fetchedMs: number
}

export const OUTCOMES = ['running', 'finished', 'failed', 'lost'] as const
export const WAITS = ['none', 'transfer', 'disk', 'memory'] as const
export type Outcome = (typeof OUTCOMES)[number]
export type Waited = (typeof WAITS)[number]

const FIRST_CAPACITY = 1 << 14
/** Some 50 s of 5,000 a second, in about 13 MB. */
export const MOST_RUNS = 1 << 18

/**
 * The newest runs of the room as columns: a ring that grows to its bound, and then writes over the oldest and counts it. Each
 * run keeps its number, so that whoever draws goes on where it was.
 */
export class RunStore {
  readonly names: string[] = []
  readonly owners: string[] = []
  readonly lanes: Lane[] = []
  /** By tab: what it ran when it answered last. */
  readonly open = new Map<string, readonly OpenRun[]>()
  readonly #most: number
  readonly #nameAt = new Map<string, number>()
  readonly #ownerAt = new Map<string, number>()
  readonly #laneAt = new Map<string, Map<number, Lane>>()
  #capacity = FIRST_CAPACITY
  #columns = columnsOf(FIRST_CAPACITY)
  #next = 0
  /** Ended before a tab was first asked, and so seen by nobody. */
  unseen = 0
  /** Ended while this was open, and overwritten in their tab before they were read. */
  dropped = 0
  /** By the clocks' differences, times may be wrong by so much. */
  clockErrorMs = 0
  readonly #known = new Set<string>()

  constructor(most = MOST_RUNS) {
    this.#most = most
    this.#capacity = Math.min(FIRST_CAPACITY, most)
    this.#columns = columnsOf(this.#capacity)
  }

  /** One more than the number of the newest. */
  get next(): number {
    return this.#next
  }

  /** The oldest that is still here. */
  get first(): number {
    return Math.max(0, this.#next - this.#capacity)
  }

  add(batch: TaskEventBatch): void {
    const { nodeId, runs, dropped, clockErrorMs } = batch
    if (this.#known.has(nodeId)) this.dropped += dropped.runs
    else this.unseen += dropped.runs
    this.#known.add(nodeId)
    this.clockErrorMs = Math.max(clockErrorMs, this.clockErrorMs * 0.99)
    const names = batch.names.map((name) => placeOf(this.names, this.#nameAt, name))
    const owners = batch.owners.map((owner) => placeOf(this.owners, this.#ownerAt, owner))
    const open: OpenRun[] = []
    for (let i = 0; i < runs.length; i++) {
      const at = (column: { readonly [place: number]: number }): number => column[i] ?? 0
      const lane = this.#laneOf(nodeId, at(runs.worker))
      if (at(runs.type) !== 0) lane.isActor = true
      const name = names[at(runs.name)] ?? 0
      const owner = owners[at(runs.owner)] ?? 0
      if (at(runs.outcome) === 0) {
        open.push({
          lane: lane.index,
          name,
          owner: this.owners[owner] ?? '',
          number: at(runs.number),
          attempt: at(runs.attempt),
          startMs: at(runs.startMs),
          blockedMs: at(runs.blockedMs),
          fetchedMs: at(runs.fetchedMs),
          waited: at(runs.waited),
        })
        lane.lastEndMs = Math.max(lane.lastEndMs, batch.nowMs)
        continue
      }
      const place = this.#place()
      const { startMs, endMs } = this.#columns
      this.#columns.lane[place] = lane.index
      this.#columns.name[place] = name
      this.#columns.owner[place] = owner
      this.#columns.number[place] = at(runs.number)
      this.#columns.attempt[place] = at(runs.attempt)
      this.#columns.outcome[place] = at(runs.outcome)
      this.#columns.waited[place] = at(runs.waited)
      this.#columns.blockedMs[place] = at(runs.blockedMs)
      this.#columns.queuedMs[place] = at(runs.queuedMs)
      this.#columns.fetchedMs[place] = at(runs.fetchedMs)
      startMs[place] = at(runs.startMs)
      endMs[place] = Math.max(at(runs.startMs), at(runs.endMs))
      if ((endMs[place] ?? 0) > lane.lastEndMs) lane.lastEndMs = endMs[place] ?? 0
      this.#next++
    }
    this.open.set(nodeId, open)
  }

  /** A tab is gone: nothing runs there any more. */
  gone(nodeId: string): void {
    this.open.delete(nodeId)
  }

  /** By which its colour goes; a new name gets the next one. */
  placeOfName(name: string): number {
    return placeOf(this.names, this.#nameAt, name)
  }

  laneOf(seq: number): number {
    return this.#columns.lane[seq % this.#capacity] ?? 0
  }
  nameOf(seq: number): number {
    return this.#columns.name[seq % this.#capacity] ?? 0
  }
  startOf(seq: number): number {
    return this.#columns.startMs[seq % this.#capacity] ?? 0
  }
  endOf(seq: number): number {
    return this.#columns.endMs[seq % this.#capacity] ?? 0
  }
  outcomeOf(seq: number): number {
    return this.#columns.outcome[seq % this.#capacity] ?? 0
  }
  waitedOf(seq: number): number {
    return this.#columns.waited[seq % this.#capacity] ?? 0
  }
  fetchedOf(seq: number): number {
    return this.#columns.fetchedMs[seq % this.#capacity] ?? 0
  }
  blockedOf(seq: number): number {
    return this.#columns.blockedMs[seq % this.#capacity] ?? 0
  }
  attemptOf(seq: number): number {
    return this.#columns.attempt[seq % this.#capacity] ?? 0
  }
  idOf(seq: number): string {
    const place = seq % this.#capacity
    return `${this.owners[this.#columns.owner[place] ?? 0] ?? ''}/${this.#columns.number[place] ?? 0}`
  }

  /** Undefined for one that is not here any more. */
  detail(seq: number): RunDetail | undefined {
    const lane = this.lanes[this.laneOf(seq)]
    if (seq < this.first || seq >= this.#next || lane === undefined) return undefined
    return {
      seq,
      lane,
      taskId: this.idOf(seq),
      name: this.names[this.nameOf(seq)] ?? '',
      attempt: this.attemptOf(seq),
      outcome: OUTCOMES[this.outcomeOf(seq)] ?? 'finished',
      waited: WAITS[this.waitedOf(seq)] ?? 'none',
      startMs: this.startOf(seq),
      endMs: this.endOf(seq),
      blockedMs: this.blockedOf(seq),
      queuedMs: this.#columns.queuedMs[seq % this.#capacity] ?? 0,
      fetchedMs: this.fetchedOf(seq),
    }
  }

  /** The run that was in that worker then; of none, the nearest within `slackMs`. */
  find(lane: number, atMs: number, slackMs: number): number | undefined {
    let [best, bestMs] = [-1, slackMs]
    for (let seq = this.#next - 1; seq >= this.first; seq--) {
      if (this.laneOf(seq) !== lane) continue
      const [start, end] = [this.startOf(seq), this.endOf(seq)]
      if (atMs >= start && atMs <= end) return seq
      const away = Math.max(start - atMs, atMs - end)
      if (away < bestMs) [best, bestMs] = [seq, away]
    }
    return best < 0 ? undefined : best
  }

  /** The next or the one before of the same worker. */
  beside(seq: number, step: 1 | -1): number | undefined {
    const lane = this.laneOf(seq)
    for (let at = seq + step; at >= this.first && at < this.#next; at += step) if (this.laneOf(at) === lane) return at
    return undefined
  }

  #place(): number {
    if (this.#next === this.#capacity && this.#capacity < this.#most) {
      const wider = columnsOf((this.#capacity = Math.min(this.#capacity * 2, this.#most)))
      for (const key of Object.keys(wider) as (keyof Columns)[]) wider[key].set(this.#columns[key])
      this.#columns = wider
    }
    return this.#next % this.#capacity
  }

  #laneOf(nodeId: string, worker: number): Lane {
    let lanes = this.#laneAt.get(nodeId)
    if (lanes === undefined) this.#laneAt.set(nodeId, (lanes = new Map()))
    let lane = lanes.get(worker)
    if (lane === undefined) {
      lane = { index: this.lanes.length, nodeId, worker, isActor: false, lastEndMs: 0 }
      lanes.set(worker, lane)
      this.lanes.push(lane)
    }
    return lane
  }
}

interface Columns {
  readonly lane: Uint32Array
  readonly name: Uint16Array
  readonly owner: Uint16Array
  readonly attempt: Uint16Array
  readonly outcome: Uint8Array
  readonly waited: Uint8Array
  readonly number: Float64Array
  readonly startMs: Float64Array
  readonly endMs: Float64Array
  readonly blockedMs: Float32Array
  readonly queuedMs: Float32Array
  readonly fetchedMs: Float32Array
}

function columnsOf(capacity: number): Columns {
  return {
    lane: new Uint32Array(capacity),
    name: new Uint16Array(capacity),
    owner: new Uint16Array(capacity),
    attempt: new Uint16Array(capacity),
    outcome: new Uint8Array(capacity),
    waited: new Uint8Array(capacity),
    number: new Float64Array(capacity),
    startMs: new Float64Array(capacity),
    endMs: new Float64Array(capacity),
    blockedMs: new Float32Array(capacity),
    queuedMs: new Float32Array(capacity),
    fetchedMs: new Float32Array(capacity),
  }
}

function placeOf(list: string[], places: Map<string, number>, value: string): number {
  let at = places.get(value)
  if (at === undefined) {
    at = list.length
    list.push(value)
    places.set(value, at)
  }
  return at
}
