/**
 * The rules of an actor's restart: what callers keep, what a checkpoint and a reply contain, how the next incarnation
 * rebuilds the order. The numbers (P1 ...) are those of docs/decisions/020-models.md.
 *
 * Functions here write into a cell that the caller has just copied.
 */
import { callOf, callerOf, CALLERS, EMPTY, incarnationName, linkOf, newProcess, numberOf } from './cell.ts'
import type { Caller, Cell, Message } from './cell.ts'

export interface Rules {
  readonly checkpointEvery: number
  /** Recovery as in Ray: constructor again, nothing is replayed. */
  readonly isFresh: boolean
  readonly maxTaskRetries: number
  /** A running process knows the last number of each caller, so that a repeat is no second call. */
  readonly liveTable: boolean
  /** The same table goes into the checkpoint. */
  readonly table: boolean
  /** Replies that are not acknowledged go into the checkpoint. */
  readonly replies: boolean
  /** A reply says its place in the order of executions. */
  readonly positions: boolean
  /** It says who came before it as well, and not only its own place. */
  readonly order: boolean
  /** Callers refuse what an older incarnation sends. */
  readonly fence: boolean
  /** Incarnations are compared as pairs, the epoch first. */
  readonly pair: boolean
  /** The store refuses checkpoints of an older incarnation. */
  readonly storeFence: boolean
  /** Nothing is executed before every caller has told what it keeps. */
  readonly gather: boolean
  /** A caller keeps a call until a checkpoint covers it; else until its reply. */
  readonly keep: boolean
}

/** P1. */
export function makeCall(cell: Cell, caller: number): void {
  const state = at(cell.callers, caller)
  state.made++
  state.outcomes = [...state.outcomes, 0]
  state.retried = [...state.retried, 0]
  toProcess(cell, caller, joinedBy(cell, caller), { type: 'actor.call', call: callOf(caller, state.made) })
}

/** Position in `processes` of the one that a caller talks to: the last that has its incarnation. */
function joinedBy(cell: Cell, caller: number): number {
  const { incarnation } = at(cell.callers, caller)
  return cell.processes.findLastIndex((process) => process.incarnation === incarnation)
}

export function processTakes(cell: Cell, rules: Rules, index: number, message: Message, from: number): void {
  const process = at(cell.processes, index)
  if (message.type === 'actor.kept') {
    process.joined |= 1 << from
    process.kept = [...process.kept, ...message.calls]
    process.known = process.known.map((known, caller) => (caller === from ? message.known : known))
    if (process.joined === 0b11 || !rules.gather) rebuild(cell, rules, index)
  } else if (message.type === 'actor.call') execute(cell, rules, index, message.call)
}

/** P3, P4: a repeat is answered from the table; a new call gets the next position, and its reply says the order. */
function execute(cell: Cell, rules: Rules, index: number, call: number): void {
  const process = at(cell.processes, index)
  const caller = callerOf(call)
  const last = process.table[caller] ?? 0
  if (rules.liveTable && numberOf(call) <= last) {
    if (process.replies.includes(call)) reply(cell, index, call)
    return
  }
  if (!rules.isFresh && rules.table && rules.liveTable && numberOf(call) !== last + 1)
    cell.fault = 'A4: a call was left out'
  process.order = [...process.order, call]
  process.table = process.table.map((number, other) => (other === caller ? numberOf(call) : number))
  process.replies = [...process.replies, call]
  const executions = (cell.executions[call] ?? 0) + 1
  cell.executions = { ...cell.executions, [call]: executions }
  if (rules.isFresh && executions > 1 + rules.maxTaskRetries) cell.fault = 'A5: a call was executed too often'
  if (process.order.indexOf(call) !== process.order.length - 1) cell.fault = 'A6: a call is twice in the order'
  reply(cell, index, call)
  if (!rules.isFresh && process.order.length % rules.checkpointEvery === 0) {
    const { order, table, replies } = process
    process.saving = [...process.saving, { order, table, replies }]
  }
}

function reply(cell: Cell, index: number, call: number): void {
  const { order } = at(cell.processes, index)
  const before = order.slice(0, order.indexOf(call) + 1)
  toCaller(cell, index, callerOf(call), { type: 'actor.reply', call, order: before })
}

/** P5: the store's answer lets the process tell each caller what is covered. */
export function storeTakes(cell: Cell, rules: Rules, index: number): void {
  const process = at(cell.processes, index)
  const [checkpoint, ...rest] = process.saving
  process.saving = rest
  if (checkpoint === undefined) return
  if (rules.storeFence && isOlder(rules, process.incarnation, cell.minted)) return
  cell.store = {
    order: checkpoint.order,
    table: rules.table ? checkpoint.table : EMPTY.table,
    replies: rules.replies ? checkpoint.replies : [],
  }
  if (process.phase === 'dead') return
  for (const caller of CALLERS) {
    toCaller(cell, index, caller, { type: 'actor.covered', number: checkpoint.table[caller] ?? 0 })
  }
}

/** P6: the mint closes the store to all before it; then the checkpoint is read; then the callers are asked. */
export function restart(cell: Cell, rules: Rules, incarnation: number): void {
  cell.minted = incarnation
  const index = cell.processes.length
  cell.processes.push(newProcess(incarnation, rules.isFresh ? EMPTY : cell.store))
  for (const caller of CALLERS) toCaller(cell, index, caller, { type: 'actor.join' })
}

export function callerTakes(cell: Cell, rules: Rules, caller: number, index: number, message: Message): void {
  const state = at(cell.callers, caller)
  const { incarnation } = at(cell.processes, index)
  if (rules.fence && isOlder(rules, incarnation, state.incarnation)) return
  if (message.type === 'actor.join') join(cell, rules, caller, index)
  else if (message.type === 'actor.covered') state.covered = Math.max(state.covered, message.number)
  else if (message.type === 'actor.reply') {
    // Acknowledged in the same step; an acknowledgement that is late only repeats a reply.
    const process = at(cell.processes, index)
    process.replies = process.replies.filter((call) => call !== message.call)
    if (incarnation < state.incarnation)
      cell.fault = `A1: took a reply of ${incarnationName(incarnation)} after a newer one`
    if (state.outcomes[numberOf(message.call) - 1] !== 0) return
    settle(state, numberOf(message.call), 1)
    learn(state, rules, message.call, message.order)
    promise(cell, rules, message.order)
  }
}

/** P7: the caller moves over for good, and tells what it keeps and what it knows of the order. */
function join(cell: Cell, rules: Rules, caller: number, index: number): void {
  const state = at(cell.callers, caller)
  state.incarnation = at(cell.processes, index).incarnation
  const calls: number[] = []
  for (let number = 1; number <= state.made; number++) {
    if (rules.isFresh ? isRetried(state, rules, number) : isKept(state, rules, number))
      calls.push(callOf(caller, number))
  }
  toProcess(cell, caller, index, {
    type: 'actor.kept',
    calls,
    known: rules.positions && !rules.isFresh ? state.known : [],
  })
}

function isKept(state: Caller, rules: Rules, number: number): boolean {
  return rules.keep ? number > state.covered : state.outcomes[number - 1] === 0
}

/** P9: without a checkpoint a call in flight is sent again as often as its retries allow, and else has failed. */
function isRetried(state: Caller, rules: Rules, number: number): boolean {
  if (state.outcomes[number - 1] !== 0) return false
  const retried = state.retried[number - 1] ?? 0
  if (retried >= rules.maxTaskRetries) settle(state, number, 2)
  else state.retried = state.retried.map((count, place) => (place === number - 1 ? count + 1 : count))
  return retried < rules.maxTaskRetries
}

/** P8: what has a place in the order runs in that order, the rest in each caller's; what was done is answered. */
function rebuild(cell: Cell, rules: Rules, index: number): void {
  const process = at(cell.processes, index)
  process.phase = 'running'
  for (const call of process.replies) reply(cell, index, call)
  const { kept, known } = process
  process.kept = []
  process.known = [[], []]
  const longest = Math.max(...known.map((order) => order.length))
  const replayed: number[] = []
  for (let place = process.order.length; place < longest; place++) {
    const call = known.map((order) => order[place] ?? 0).find((it) => it !== 0)
    if (call === undefined) continue
    if (kept.includes(call)) replayed.push(call)
    else cell.fault = 'A6: a call that was answered is lost'
  }
  for (const call of replayed) execute(cell, rules, index, call)
  for (const caller of CALLERS) {
    const calls = kept.filter((call) => callerOf(call) === caller && !replayed.includes(call))
    const link = linkOf(caller, index)
    const first = calls.map((call): Message => ({ type: 'actor.call', call }))
    cell.toProcess[link] = [...first, ...(cell.toProcess[link] ?? [])]
  }
}

/** P2: another session between the same two: both send again what is not settled. */
export function relink(cell: Cell, caller: number): void {
  const index = joinedBy(cell, caller)
  const process = at(cell.processes, index)
  cell.toProcess[linkOf(caller, index)] = []
  cell.toCaller[linkOf(caller, index)] = []
  for (const [place, outcome] of at(cell.callers, caller).outcomes.entries()) {
    if (outcome === 0) toProcess(cell, caller, index, { type: 'actor.call', call: callOf(caller, place + 1) })
  }
  for (const call of process.replies) if (callerOf(call) === caller) reply(cell, index, call)
}

/** What its receiver will refuse whenever it arrives is taken off: equal in all that can follow, and fewer states. */
export function dropDeadLetters(cell: Cell, rules: Rules): void {
  for (const [index, process] of cell.processes.entries()) {
    if (rules.storeFence && isOlder(rules, process.incarnation, cell.minted)) process.saving = []
    for (const caller of CALLERS) {
      if (!rules.fence || !isOlder(rules, process.incarnation, at(cell.callers, caller).incarnation)) continue
      cell.toCaller[linkOf(caller, index)] = []
    }
  }
}

function settle(state: Caller, number: number, outcome: number): void {
  state.outcomes = state.outcomes.map((old, place) => (place === number - 1 ? outcome : old))
}

function learn(state: Caller, rules: Rules, call: number, order: readonly number[]): void {
  if (rules.order) {
    if (order.length > state.known.length) state.known = order
    return
  }
  const known = Array.from(
    { length: Math.max(state.known.length, order.length) },
    (_, place) => state.known[place] ?? 0,
  )
  known[order.length - 1] = call
  state.known = known
}

/** Ghost: replies that were accepted must all come from one history. */
function promise(cell: Cell, rules: Rules, order: readonly number[]): void {
  if (rules.isFresh) return
  const [short, long] = order.length < cell.promised.length ? [order, cell.promised] : [cell.promised, order]
  if (short.some((call, place) => call !== long[place])) cell.fault = 'A6: two replies come from different histories'
  cell.promised = long
}

function isOlder(rules: Rules, incarnation: number, than: number): boolean {
  return rules.pair ? incarnation < than : (incarnation & 7) < (than & 7)
}

function toProcess(cell: Cell, caller: number, index: number, message: Message): void {
  if (cell.processes[index]?.phase === 'dead') return
  const link = linkOf(caller, index)
  cell.toProcess[link] = [...(cell.toProcess[link] ?? []), message]
}

function toCaller(cell: Cell, index: number, caller: number, message: Message): void {
  const link = linkOf(caller, index)
  cell.toCaller[link] = [...(cell.toCaller[link] ?? []), message]
}

export function at<T>(list: readonly T[], index: number): T {
  const value = list[index]
  if (value === undefined) throw new RangeError(`nothing at ${String(index)}`)
  return value
}
