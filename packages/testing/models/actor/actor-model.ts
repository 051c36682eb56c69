/**
 * Model (b): an actor, two callers, checkpoints, and restarts at any point, also while the old process lives on.
 *
 * A replay is one step; the actor's calls to others, arguments and the store's own failures are not in it.
 */
import type { Model, Step, StepKind } from '../explorer/model.ts'
import {
  callName,
  callerName,
  CALLERS,
  copyCell,
  EMPTY,
  incarnationName,
  linkOf,
  newProcess,
  writeCell,
} from './cell.ts'
import type { Cell, Message } from './cell.ts'
import { at, callerTakes, dropDeadLetters, makeCall, processTakes, relink, restart, storeTakes } from './protocol.ts'
import type { Rules } from './protocol.ts'

export type ActorGuard = Exclude<keyof Rules, 'checkpointEvery' | 'isFresh' | 'maxTaskRetries'>

export interface ActorOptions {
  readonly callsEach: number
  /** 0: recovery as in Ray, the constructor again and nothing replayed. */
  readonly checkpointEvery: number
  readonly maxTaskRetries: number
  readonly crashes: number
  /** Restarts while the old process lives, unknown to whoever restarts it. */
  readonly falseDeaths: number
  /** Restarts by a successor that does not know the newest incarnation. */
  readonly staleTakeOvers: number
  /** New sessions between a caller and the process. */
  readonly newLinks: number
  readonly without?: readonly ActorGuard[]
}

export function actorModel(options: ActorOptions): Model<Cell> {
  const rules = rulesOf(options)
  return {
    initial: newCell(options),
    views: 2,
    writeKey: writeCell,
    steps: (cell) => [...callerSteps(cell, rules, options), ...processSteps(cell, rules)],
    broken: (cell) => (cell.fault === '' ? undefined : cell.fault),
    brokenWhenOver: (cell) => wrongEnd(cell, rules),
    situations: {
      'a restart from a checkpoint': (cell) =>
        cell.processes.some(({ phase, order }) => phase === 'joining' && order.length > 0),
      'two processes run at once': (cell) => cell.processes.filter(({ phase }) => phase === 'running').length > 1,
      'a caller joined, the other did not': (cell) =>
        at(cell.callers, 0).incarnation !== at(cell.callers, 1).incarnation,
    },
  }
}

function rulesOf(options: ActorOptions): Rules {
  const guards: Record<ActorGuard, boolean> = {
    liveTable: true,
    table: true,
    replies: true,
    positions: true,
    order: true,
    fence: true,
    pair: true,
    storeFence: true,
    gather: true,
    keep: true,
  }
  for (const guard of options.without ?? []) guards[guard] = false
  const isFresh = options.checkpointEvery === 0
  return { ...guards, isFresh, checkpointEvery: options.checkpointEvery, maxTaskRetries: options.maxTaskRetries }
}

function newCell(options: ActorOptions): Cell {
  const links = Array.from({ length: CALLERS.length * 4 }, () => [])
  return {
    callers: CALLERS.map(() => ({ made: 0, outcomes: [], covered: 0, known: [], incarnation: 0, retried: [] })),
    processes: [{ ...newProcess(0, EMPTY), phase: 'running' }],
    store: EMPTY,
    minted: 0,
    toProcess: links,
    toCaller: [...links],
    promised: [],
    executions: {},
    fault: '',
    crashesLeft: options.crashes,
    falseDeathsLeft: options.falseDeaths,
    staleTakeOversLeft: options.staleTakeOvers,
    newLinksLeft: options.newLinks,
  }
}

function step(cell: Cell, rules: Rules, kind: StepKind, words: () => string, change: (next: Cell) => void): Step<Cell> {
  const next = copyCell(cell)
  change(next)
  dropDeadLetters(next, rules)
  return { kind, words, next }
}

function callerSteps(cell: Cell, rules: Rules, options: ActorOptions): Step<Cell>[] {
  const steps: Step<Cell>[] = []
  for (const caller of CALLERS) {
    const state = at(cell.callers, caller)
    const name = callerName(caller)
    if (state.made < options.callsEach) {
      steps.push(
        step(
          cell,
          rules,
          'user',
          () => `${name} calls ${name}${String(state.made + 1)}`,
          (next) => makeCall(next, caller),
        ),
      )
    }
    for (const [index, process] of cell.processes.entries()) {
      const link = linkOf(caller, index)
      const message = cell.toCaller[link]?.[0]
      if (message === undefined) continue
      const words = (): string => `${name} gets ${inWords(message)} from ${incarnationName(process.incarnation)}`
      steps.push(
        step(cell, rules, 'protocol', words, (next) => {
          next.toCaller[link] = (next.toCaller[link] ?? []).slice(1)
          callerTakes(next, rules, caller, index, message)
        }),
      )
    }
    const joined = cell.processes.find(({ incarnation }) => incarnation === state.incarnation)
    if (cell.newLinksLeft > 0 && joined?.phase === 'running') {
      steps.push(
        step(
          cell,
          rules,
          'chance',
          () => `${name} and ${incarnationName(joined.incarnation)} get a new session`,
          (next) => {
            next.newLinksLeft--
            relink(next, caller)
          },
        ),
      )
    }
  }
  return steps
}

function processSteps(cell: Cell, rules: Rules): Step<Cell>[] {
  const steps: Step<Cell>[] = []
  const newest = cell.processes.length - 1
  for (const [index, process] of cell.processes.entries()) {
    const name = incarnationName(process.incarnation)
    if (process.saving.length > 0) {
      steps.push(
        step(
          cell,
          rules,
          'protocol',
          () => `the store gets a checkpoint of ${name}`,
          (next) => storeTakes(next, rules, index),
        ),
      )
    }
    if (process.phase === 'dead') continue
    for (const caller of CALLERS) {
      const link = linkOf(caller, index)
      const message = cell.toProcess[link]?.[0]
      if (message === undefined || (process.phase === 'joining' && message.type !== 'actor.kept')) continue
      const words = (): string => `${name} gets ${inWords(message)} from ${callerName(caller)}`
      steps.push(
        step(cell, rules, 'protocol', words, (next) => {
          next.toProcess[link] = (next.toProcess[link] ?? []).slice(1)
          processTakes(next, rules, index, message, caller)
        }),
      )
    }
    if (index < newest)
      steps.push(
        step(
          cell,
          rules,
          'protocol',
          () => `${name} is stopped`,
          (next) => end(next, index),
        ),
      )
  }
  const last = at(cell.processes, newest)
  const name = incarnationName(last.incarnation)
  const add = (kind: StepKind, reason: string, incarnation: number, change: (next: Cell) => void): void => {
    steps.push(
      step(
        cell,
        rules,
        kind,
        () => `${name} ${reason}: ${incarnationName(incarnation)} is started`,
        (next) => {
          change(next)
          restart(next, rules, incarnation)
        },
      ),
    )
  }
  // The process dies in the step in which another is started: until then it only does nothing.
  if (cell.crashesLeft > 0) {
    add('chance', 'crashes', last.incarnation + 1, (next) => {
      next.crashesLeft--
      end(next, newest)
    })
  }
  if (cell.falseDeathsLeft > 0) {
    add('chance', 'is taken for dead, wrongly', last.incarnation + 1, (next) => next.falseDeathsLeft--)
    if (cell.staleTakeOversLeft > 0) {
      const reason = 'is unknown to a successor that takes over'
      add('chance', reason, ((last.incarnation >> 3) + 1) * 8 + (last.incarnation & 7), (next) => {
        next.falseDeathsLeft--
        next.staleTakeOversLeft--
      })
    }
  }
  return steps
}

function end(cell: Cell, index: number): void {
  const process = at(cell.processes, index)
  Object.assign(process, { ...EMPTY, phase: 'dead', joined: 0, kept: [], known: [[], []] })
  for (const caller of CALLERS) cell.toProcess[linkOf(caller, index)] = []
}

/** T1, A6: each call has an outcome, and the survivor's history holds each once and every reply in its place. */
function wrongEnd(cell: Cell, rules: Rules): string | undefined {
  for (const [caller, { outcomes }] of cell.callers.entries()) {
    const waiting = outcomes.indexOf(0)
    if (waiting !== -1) return `T1: ${callerName(caller)}${String(waiting + 1)} waits for ever`
  }
  if (rules.isFresh) return undefined
  const { order } = at(cell.processes, cell.processes.length - 1)
  if (cell.promised.some((call, place) => order[place] !== call)) return 'A6: the survivor contradicts a reply'
  const made = cell.callers.reduce((sum, caller) => sum + caller.made, 0)
  return order.length === made ? undefined : 'A6: a call is missing in the survivor'
}

function inWords(message: Message): string {
  switch (message.type) {
    case 'actor.reply':
      return `the reply of ${callName(message.call)} (order ${message.order.map(callName).join(' ')})`
    case 'actor.kept': {
      const known = message.known.map((call) => (call === 0 ? '?' : callName(call))).join(' ')
      return `actor.kept(${message.calls.map(callName).join(' ')}; order ${known || 'unknown'})`
    }
    case 'actor.covered':
      return `actor.covered(${String(message.number)})`
    case 'actor.join':
      return message.type
    default:
      return `${message.type}(${callName(message.call)})`
  }
}
