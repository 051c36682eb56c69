import type { KeyWriter } from '../explorer/key-writer.ts'

/**
 * One state of the model: two owners with their tasks, two executors with their slots, and all messages.
 *
 * A task is `owner * 4 + number`; an attempt is a task and its attempt number, `task * 16 + attempt`.
 */
export interface Market {
  owners: Owner[]
  executors: Executor[]
  /** `owner * 2 + executor`, of the executor's session that the sender knew. */
  toExecutor: (readonly Message[])[]
  toOwner: (readonly Message[])[]
  /** Ghost: runs started, by task. */
  starts: Readonly<Record<number, number>>
  /** Ghost: attempts that were ever started, and those that were given back. */
  started: readonly number[]
  givenBack: readonly number[]
  /** Ghost: attempts that their owner gave up with an executor it took for dead. */
  lost: readonly number[]
  fault: string
  refusalsLeft: number
  recallsLeft: number
  crashesLeft: number
  falseVerdictsLeft: number
}

export interface Owner {
  tasks: readonly Task[]
  /** Credits held, for each executor. */
  credits: readonly number[]
  /** For each executor the session known, twice, plus one when it is held for dead. */
  known: readonly number[]
}

export interface Task {
  readonly state: 'ready' | 'sent' | 'done' | 'failed'
  /** The newest attempt; with `ready` the next one gets a higher number. */
  readonly attempt: number
  /** Where that attempt is, while `sent`. */
  readonly executor: number
  /** Attempts that may have run. */
  readonly charged: number
}

export interface Executor {
  isUp: boolean
  session: number
  /** Credits out, for each owner. */
  granted: readonly number[]
  queue: readonly number[]
  /** The attempt in its slot, 0 when free. */
  running: number
}

export interface Message {
  readonly type: MessageType
  /** An attempt, a number of credits, or the session of `member.session`. */
  readonly value: number
  /** With `member.session` what its sender still has of the receiver's. */
  readonly attempts: readonly number[]
}

export type MessageType = (typeof MESSAGE_TYPES)[number]
const MESSAGE_TYPES = [
  'credit.grant',
  'credit.return',
  'task.submit',
  'task.recall',
  'task.recalled',
  'task.refused',
  'task.result',
  'member.session',
] as const
const TASK_STATES = ['ready', 'sent', 'done', 'failed']

export const OWNERS = [0, 1] as const
export const EXECUTORS = [0, 1] as const
/** A slot and one credit for what is on its way. */
export const CAPACITY = 2

export function attemptOf(owner: number, place: number, attempt: number): number {
  return ((owner * 4 + place) << 4) | attempt
}

export function taskOf(attempt: number): number {
  return attempt >> 4
}

export function ownerOf(attempt: number): number {
  return attempt >> 6
}

export function attemptName(attempt: number): string {
  const task = taskOf(attempt)
  return `${ownerName(task >> 2)}${String((task & 3) + 1)}, attempt ${String(attempt & 15)}`
}

export function ownerName(owner: number): string {
  return owner === 0 ? 'P' : 'Q'
}

export function executorName(executor: number): string {
  return executor === 0 ? 'X' : 'Y'
}

export function linkOf(owner: number, executor: number): number {
  return owner * 2 + executor
}

export function copyMarket(market: Market): Market {
  return {
    ...market,
    owners: market.owners.map((owner) => ({ ...owner })),
    executors: market.executors.map((executor) => ({ ...executor })),
    toExecutor: [...market.toExecutor],
    toOwner: [...market.toOwner],
    fault: '',
  }
}

/** Bit 0 of the view swaps the owners' names, bit 1 the executors'. */
export function writeMarket(market: Market, key: KeyWriter, view: number): void {
  const owners = (view & 1) === 0 ? [0, 1] : [1, 0]
  const executors = (view & 2) === 0 ? [0, 1] : [1, 0]
  const renamed = (attempt: number): number => (attempt === 0 || (view & 1) === 0 ? attempt : attempt ^ (4 << 4))
  const sorted = (attempts: readonly number[]): number[] => attempts.map(renamed).sort((a, b) => a - b)
  key.add(
    market.refusalsLeft | (market.recallsLeft << 4) | (market.crashesLeft << 8) | (market.falseVerdictsLeft << 12),
  )
  key.add(market.fault === '' ? 0 : 1)
  key.addAll(sorted(market.started))
  key.addAll(sorted(market.givenBack))
  key.addAll(sorted(market.lost))
  for (const place of executors) {
    const executor = market.executors[place]
    if (executor === undefined) continue
    key.add(Number(executor.isUp) | (executor.session << 1) | (renamed(executor.running) << 4))
    key.addAll(executor.queue.map(renamed))
  }
  for (const place of owners) {
    const owner = market.owners[place]
    if (owner === undefined) continue
    for (const [number, task] of owner.tasks.entries()) {
      const at = task.state === 'sent' ? executors.indexOf(task.executor) : 0
      key.add(TASK_STATES.indexOf(task.state) | (task.attempt << 2) | (at << 6) | (task.charged << 8))
      key.add(market.starts[place * 4 + number] ?? 0)
    }
    for (const other of executors) {
      key.add((owner.credits[other] ?? 0) | ((owner.known[other] ?? 0) << 4))
      key.add(market.executors[other]?.granted[place] ?? 0)
      for (const links of [market.toExecutor, market.toOwner]) {
        const link = links[linkOf(place, other)] ?? []
        key.add(link.length)
        for (const { type, value, attempts } of link) {
          key.add(MESSAGE_TYPES.indexOf(type))
          key.add(type.startsWith('task.') ? renamed(value) : value)
          key.addAll(attempts.map(renamed))
        }
      }
    }
  }
}
