import type { KeyWriter } from '../explorer/key-writer.ts'

/**
 * One state of the model: an actor with every process it had, its checkpoint store, two callers and all messages.
 *
 * The actor's state is the list of the calls it executed, so that two states agree exactly when their histories do. A
 * call is `caller * 8 + number`, numbers from 1. An incarnation is `epoch * 8 + number`.
 */
export interface Cell {
  callers: Caller[]
  /** In the order in which they were started. */
  processes: Process[]
  store: Checkpoint
  /** The newest incarnation that an authority minted; the store takes nothing of an older one. */
  minted: number
  /** `caller * 4 + process`: messages between them, both ways. */
  toProcess: (readonly Message[])[]
  toCaller: (readonly Message[])[]
  /** Ghost: the longest history that a reply which somebody accepted was computed from. */
  promised: readonly number[]
  /** Ghost: how often each call was executed, by its number. */
  executions: Readonly<Record<number, number>>
  /** Ghost: what went wrong in the step before. */
  fault: string
  crashesLeft: number
  falseDeathsLeft: number
  staleTakeOversLeft: number
  newLinksLeft: number
}

export interface Caller {
  /** Calls made so far, numbered from 1. */
  made: number
  /** Outcome by call number: 0 none yet, 1 a value, 2 an error. */
  outcomes: readonly number[]
  /** Calls up to this number are covered by a checkpoint and not kept any more. */
  covered: number
  /** What it learnt of the order of executions: a call by position, 0 where it does not know. */
  known: readonly number[]
  /** The newest incarnation it joined. */
  incarnation: number
  /** Times that each call was sent to a new incarnation, for recovery without a checkpoint. */
  retried: readonly number[]
}

export interface Checkpoint {
  readonly order: readonly number[]
  /** The last call number of each caller. */
  readonly table: readonly number[]
  /** Calls whose replies are not acknowledged. */
  readonly replies: readonly number[]
}

export interface Process extends Checkpoint {
  incarnation: number
  phase: 'joining' | 'running' | 'dead'
  order: readonly number[]
  table: readonly number[]
  replies: readonly number[]
  /** While joining: the callers that told what they keep, and what. */
  joined: number
  kept: readonly number[]
  known: readonly (readonly number[])[]
  /** Checkpoints on their way to the store. */
  saving: readonly Checkpoint[]
}

export type Message =
  | { readonly type: 'actor.call'; readonly call: number }
  | { readonly type: 'actor.kept'; readonly calls: readonly number[]; readonly known: readonly number[] }
  | { readonly type: 'actor.reply'; readonly call: number; readonly order: readonly number[] }
  | { readonly type: 'actor.covered'; readonly number: number }
  | { readonly type: 'actor.join' }

export const CALLERS = [0, 1] as const
export const EMPTY: Checkpoint = { order: [], table: [0, 0], replies: [] }

export function callOf(caller: number, number: number): number {
  return caller * 8 + number
}

export function callerOf(call: number): number {
  return call >> 3
}

export function numberOf(call: number): number {
  return call & 7
}

export function linkOf(caller: number, process: number): number {
  return caller * 4 + process
}

export function callName(call: number): string {
  return `${callerName(callerOf(call))}${String(numberOf(call))}`
}

export function callerName(caller: number): string {
  return caller === 0 ? 'P' : 'Q'
}

export function incarnationName(incarnation: number): string {
  return `(${String(incarnation >> 3)},${String(incarnation & 7)})`
}

export function newProcess(incarnation: number, from: Checkpoint): Process {
  return { ...from, incarnation, phase: 'joining', joined: 0, kept: [], known: [[], []], saving: [] }
}

export function copyCell(cell: Cell): Cell {
  return {
    ...cell,
    callers: cell.callers.map((caller) => ({ ...caller })),
    processes: cell.processes.map((process) => ({ ...process })),
    toProcess: [...cell.toProcess],
    toCaller: [...cell.toCaller],
    fault: '',
  }
}

const MESSAGE_TYPES = ['actor.call', 'actor.kept', 'actor.reply', 'actor.covered', 'actor.join']
const PHASES = ['joining', 'running', 'dead']

/** In the view 1 the callers have changed names. */
export function writeCell(cell: Cell, key: KeyWriter, view: number): void {
  const renamed = (call: number): number => (view === 0 || call === 0 ? call : call ^ 8)
  const places = view === 0 ? [0, 1] : [1, 0]
  const writeCalls = (calls: readonly number[]): void => {
    key.add(calls.length)
    for (const call of calls) key.add(renamed(call))
  }
  const writeCheckpoint = (checkpoint: Checkpoint): void => {
    writeCalls(checkpoint.order)
    for (const caller of places) key.add(checkpoint.table[caller] ?? 0)
    writeCalls(checkpoint.replies)
  }
  key.add(cell.crashesLeft | (cell.falseDeathsLeft << 4) | (cell.staleTakeOversLeft << 8) | (cell.newLinksLeft << 12))
  key.add(cell.minted | (cell.fault === '' ? 0 : 1 << 16))
  writeCalls(cell.promised)
  writeCheckpoint(cell.store)
  key.add(cell.processes.length)
  for (const process of cell.processes) {
    key.add(process.incarnation | (PHASES.indexOf(process.phase) << 8))
    writeCheckpoint(process)
    writeCalls(process.kept)
    key.add(process.saving.length)
    for (const checkpoint of process.saving) writeCheckpoint(checkpoint)
  }
  for (const place of places) {
    const caller = cell.callers[place]
    if (caller === undefined) continue
    key.add(caller.made | (caller.covered << 4) | (caller.incarnation << 8))
    key.addAll(caller.outcomes)
    writeCalls(caller.known)
    key.addAll(caller.retried)
    for (let number = 1; number <= caller.made; number++) key.add(cell.executions[callOf(place, number)] ?? 0)
    for (const [index, process] of cell.processes.entries()) {
      key.add((process.joined >> place) & 1)
      writeCalls(process.known[place] ?? [])
      for (const links of [cell.toProcess, cell.toCaller]) {
        const link = links[linkOf(place, index)] ?? []
        key.add(link.length)
        for (const message of link) writeMessage(message, key, writeCalls)
      }
    }
  }
}

function writeMessage(message: Message, key: KeyWriter, writeCalls: (calls: readonly number[]) => void): void {
  key.add(MESSAGE_TYPES.indexOf(message.type))
  if ('call' in message) writeCalls([message.call])
  if ('number' in message) key.add(message.number)
  if ('order' in message) writeCalls(message.order)
  if ('calls' in message) {
    writeCalls(message.calls)
    writeCalls(message.known)
  }
}
