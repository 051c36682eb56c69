/**
 * Model (c): two owners spend credits of two executors; attempts are refused, recalled, lost and run again.
 *
 * Owners do not die here (their take-over is model (a)), and which executor is best is not asked: any will do.
 */
import type { Model, Step, StepKind } from '../explorer/model.ts'
import {
  attemptName,
  CAPACITY,
  copyMarket,
  EXECUTORS,
  executorName,
  linkOf,
  ownerName,
  OWNERS,
  writeMarket,
} from './market.ts'
import type { Executor, Market, Message } from './market.ts'
import {
  at,
  crash,
  executorTakes,
  finish,
  giveBack,
  giveBackCredit,
  grant,
  mayGrant,
  ownerTakes,
  raiseSession,
  recall,
  recordDeath,
  start,
  submit,
} from './protocol.ts'
import type { Rules } from './protocol.ts'

export type CreditsGuard = Exclude<keyof Rules, 'maxRetries'>

export interface CreditsOptions {
  /** Tasks of each owner. */
  readonly tasks: readonly [number, number]
  readonly maxRetries: number
  readonly refusals: number
  readonly recalls: number
  readonly crashes: number
  readonly falseVerdicts: number
  readonly without?: readonly CreditsGuard[]
}

export function creditsModel(options: CreditsOptions): Model<Market> {
  const guards = { charge: true, attempts: true, eitherOr: true, endCredits: true, report: true }
  for (const guard of options.without ?? []) guards[guard] = false
  const rules: Rules = { ...guards, maxRetries: options.maxRetries }
  return {
    initial: newMarket(options),
    // Owners are alike when they have as many tasks.
    views: options.tasks[0] === options.tasks[1] ? 4 : 1,
    writeKey: writeMarket,
    steps: (market) => [
      ...OWNERS.flatMap((owner) => ownerSteps(market, rules, owner)),
      ...EXECUTORS.flatMap((executor) => executorSteps(market, rules, executor)),
    ],
    broken: (market) => (market.fault === '' ? brokenCount(market, rules) : market.fault),
    brokenWhenOver: (market) => wrongEnd(market, options),
    situations: {
      'an attempt was given back': (market) => market.givenBack.length > 0,
      'a task was sent again': (market) => market.owners.some(({ tasks }) => tasks.some(({ attempt }) => attempt > 1)),
      'an old attempt runs beside a new one': (market) =>
        market.executors.some(({ running }) => running !== 0 && isSuperseded(market, running)),
    },
  }
}

function newMarket(options: CreditsOptions): Market {
  const task = { state: 'ready', attempt: 0, executor: 0, charged: 0 } as const
  const links = Array.from({ length: 4 }, () => [])
  return {
    owners: options.tasks.map((count) => ({
      tasks: Array.from({ length: count }, () => task),
      credits: [0, 0],
      known: [0, 0],
    })),
    executors: EXECUTORS.map((): Executor => ({ isUp: true, session: 0, granted: [0, 0], queue: [], running: 0 })),
    toExecutor: links,
    toOwner: [...links],
    starts: {},
    started: [],
    givenBack: [],
    lost: [],
    fault: '',
    refusalsLeft: options.refusals,
    recallsLeft: options.recalls,
    crashesLeft: options.crashes,
    falseVerdictsLeft: options.falseVerdicts,
  }
}

function step(market: Market, kind: StepKind, words: () => string, change: (next: Market) => void): Step<Market> {
  const next = copyMarket(market)
  change(next)
  return { kind, words, next }
}

function ownerSteps(market: Market, rules: Rules, owner: number): Step<Market>[] {
  const steps: Step<Market>[] = []
  const state = at(market.owners, owner)
  const name = ownerName(owner)
  const add = (kind: StepKind, words: () => string, change: (next: Market) => void): void => {
    steps.push(step(market, kind, words, change))
  }
  const ready = state.tasks.findIndex((task) => task.state === 'ready')
  for (const executor of EXECUTORS) {
    const other = executorName(executor)
    const link = linkOf(owner, executor)
    const message = market.toOwner[link]?.[0]
    if (message !== undefined) {
      add(
        'protocol',
        () => `${name} gets ${inWords(message)} from ${other}`,
        (next) => {
          next.toOwner[link] = (next.toOwner[link] ?? []).slice(1)
          ownerTakes(next, rules, owner, executor, message)
        },
      )
    }
    if ((state.credits[executor] ?? 0) > 0) {
      if (ready === -1)
        add(
          'protocol',
          () => `${name} returns a credit to ${other}`,
          (next) => giveBackCredit(next, owner, executor),
        )
      else
        add(
          'protocol',
          () => `${name} sends ${name}${String(ready + 1)} to ${other}`,
          (next) => submit(next, owner, ready, executor),
        )
    }
    const isDown = !at(market.executors, executor).isUp
    const isHeardOf = state.known[executor] === at(market.executors, executor).session * 2
    if (isDown ? isAlive(state.known[executor]) : isHeardOf && market.falseVerdictsLeft > 0) {
      add(
        isDown ? 'protocol' : 'chance',
        () => `${name} takes ${other} for dead${isDown ? '' : ', wrongly'}`,
        (next) => {
          if (!isDown) next.falseVerdictsLeft--
          recordDeath(next, rules, owner, executor)
        },
      )
    }
  }
  if (market.recallsLeft > 0) {
    for (const [place, task] of state.tasks.entries()) {
      if (task.state !== 'sent') continue
      add(
        'chance',
        () => `${name} recalls ${name}${String(place + 1)}`,
        (next) => {
          next.recallsLeft--
          recall(next, owner, place)
        },
      )
    }
  }
  return steps
}

function executorSteps(market: Market, rules: Rules, executor: number): Step<Market>[] {
  const steps: Step<Market>[] = []
  const state = at(market.executors, executor)
  if (!state.isUp) return steps
  const name = executorName(executor)
  const add = (kind: StepKind, words: () => string, change: (next: Market) => void): void => {
    steps.push(step(market, kind, words, change))
  }
  for (const owner of OWNERS) {
    const link = linkOf(owner, executor)
    const message = market.toExecutor[link]?.[0]
    if (message !== undefined) {
      add(
        'protocol',
        () => `${name} gets ${inWords(message)} from ${ownerName(owner)}`,
        (next) => {
          next.toExecutor[link] = (next.toExecutor[link] ?? []).slice(1)
          executorTakes(next, rules, executor, owner, message)
        },
      )
    }
    const wants = at(market.owners, owner).tasks.some((task) => task.state === 'ready')
    if (wants && mayGrant(state) && (state.granted[owner] ?? 0) === 0) {
      add(
        'protocol',
        () => `${name} grants ${ownerName(owner)} a credit`,
        (next) => grant(next, executor, owner),
      )
    }
  }
  const first = state.queue[0]
  if (first !== undefined && state.running === 0) {
    add(
      'protocol',
      () => `${name} starts ${attemptName(first)}`,
      (next) => start(next, executor),
    )
  }
  if (first !== undefined && market.refusalsLeft > 0) {
    add(
      'chance',
      () => `${name} refuses ${attemptName(first)}`,
      (next) => {
        next.refusalsLeft--
        giveBack(next, rules, executor, first, 'task.refused')
      },
    )
  }
  if (state.running !== 0)
    add(
      'protocol',
      () => `${name} ends ${attemptName(state.running)}`,
      (next) => finish(next, executor),
    )
  if (market.owners.some(({ known }) => known[executor] === state.session * 2 + 1)) {
    add(
      'protocol',
      () => `${name} hears of its death`,
      (next) => raiseSession(next, executor),
    )
  }
  if (market.crashesLeft > 0) {
    add(
      'chance',
      () => `${name} crashes`,
      (next) => {
        next.crashesLeft--
        crash(next, executor)
      },
    )
  }
  return steps
}

function isAlive(known = 0): boolean {
  return (known & 1) === 0
}

function isSuperseded(market: Market, attempt: number): boolean {
  const task = at(at(market.owners, attempt >> 6).tasks, (attempt >> 4) & 3)
  return task.attempt > (attempt & 15)
}

function isNamed(market: Market, attempt: number, executor: number): boolean {
  const task = at(at(market.owners, attempt >> 6).tasks, (attempt >> 4) & 3)
  return task.state === 'sent' && task.attempt === (attempt & 15) && task.executor === executor
}

/** S1, T3, T5 in every state. */
function brokenCount(market: Market, rules: Rules): string | undefined {
  if (Object.values(market.starts).some((starts) => starts > 1 + rules.maxRetries)) return 'T3: a task ran too often'
  for (const [executor, state] of market.executors.entries()) {
    const { granted, queue, running } = state
    if (!state.isUp) continue
    const load = granted.reduce((sum, credits) => sum + credits, 0) + queue.length + Number(running !== 0)
    for (const attempt of [...queue, running]) {
      if (attempt !== 0 && !market.lost.includes(attempt) && !isNamed(market, attempt, executor)) {
        return `T5: ${executorName(executor)} has ${attemptName(attempt)}, and its owner does not know`
      }
    }
    if (load > CAPACITY) return `S1: ${executorName(executor)} took more than it has room for`
    for (const owner of OWNERS) {
      const { credits, known } = at(market.owners, owner)
      if (known[executor] === state.session * 2 && (credits[executor] ?? 0) > (granted[owner] ?? 0)) {
        return `S1: ${ownerName(owner)} holds credits that ${executorName(executor)} has not granted`
      }
    }
  }
  return undefined
}

/** T1, T2 and no stuck credit at the end. */
function wrongEnd(market: Market, options: CreditsOptions): string | undefined {
  for (const [owner, { tasks, credits }] of market.owners.entries()) {
    for (const [place, { state, charged }] of tasks.entries()) {
      const name = `${ownerName(owner)}${String(place + 1)}`
      const canRun = market.executors.some(({ isUp }) => isUp)
      if ((state === 'ready' && canRun) || state === 'sent') return `T1: ${name} waits for ever`
      if (state === 'failed' && charged <= options.maxRetries) return `T2: ${name} failed with retries left`
    }
    if (credits.some((count, executor) => count > 0 && at(market.executors, executor).isUp))
      return 'a credit is never returned'
  }
  for (const { isUp, granted } of market.executors) {
    if (isUp && granted.some((credits) => credits !== 0)) return 'a credit is never ended'
  }
  return undefined
}

function inWords({ type, value, attempts }: Message): string {
  if (type === 'member.session')
    return `${type}(${String(value)}; has ${attempts.map(attemptName).join('; ') || 'nothing'})`
  return type.startsWith('task.') ? `${type}(${attemptName(value)})` : `${type}(${String(value)})`
}
