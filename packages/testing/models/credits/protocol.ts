/**
 * The rules of credits: granted, spent, returned, and what happens to attempts that do not run to their end. The
 * numbers (C1 ...) are those of docs/decisions/020-models.md.
 *
 * Functions here write into a market that the caller has just copied.
 */
import { attemptOf, CAPACITY, linkOf, ownerOf, OWNERS, taskOf } from './market.ts'
import type { Executor, Market, Message, MessageType, Owner, Task } from './market.ts'

export interface Rules {
  readonly maxRetries: number
  /** An attempt that may have run is charged when its executor is lost. */
  readonly charge: boolean
  /** What is about an attempt of a lower number is refused. */
  readonly attempts: boolean
  /** An attempt that is given back leaves the queue: it is started or given back, never both. */
  readonly eitherOr: boolean
  /** Credits end with the session of the executor that granted them. */
  readonly endCredits: boolean
  /** An executor under a new session says which attempts it still has. */
  readonly report: boolean
}

/** C1: what is out, queued and running never exceeds what the executor can take. */
export function mayGrant(executor: Executor): boolean {
  return executor.isUp && load(executor) < CAPACITY
}

export function load({ granted, queue, running }: Executor): number {
  return granted.reduce((sum, credits) => sum + credits, 0) + queue.length + Number(running !== 0)
}

export function grant(market: Market, executor: number, owner: number): void {
  const state = at(market.executors, executor)
  state.granted = changed(state.granted, owner, 1)
  toOwner(market, executor, owner, 'credit.grant', 1)
}

/** C2: a credit is spent by a submit; the attempt's number is new. */
export function submit(market: Market, owner: number, place: number, executor: number): void {
  const state = at(market.owners, owner)
  const task = at(state.tasks, place)
  state.credits = changed(state.credits, executor, -1)
  setTask(state, place, { ...task, state: 'sent', attempt: task.attempt + 1, executor })
  toExecutor(market, owner, executor, 'task.submit', attemptOf(owner, place, task.attempt + 1))
}

/** C2: or returned, when nothing is left to spend it on. */
export function giveBackCredit(market: Market, owner: number, executor: number): void {
  const state = at(market.owners, owner)
  state.credits = changed(state.credits, executor, -1)
  toExecutor(market, owner, executor, 'credit.return', 1)
}

export function recall(market: Market, owner: number, place: number): void {
  const { executor, attempt } = at(at(market.owners, owner).tasks, place)
  toExecutor(market, owner, executor, 'task.recall', attemptOf(owner, place, attempt))
}

export function start(market: Market, executor: number): void {
  const state = at(market.executors, executor)
  const attempt = state.queue[0] ?? 0
  state.queue = state.queue.slice(1)
  state.running = attempt
  const task = taskOf(attempt)
  market.starts = { ...market.starts, [task]: (market.starts[task] ?? 0) + 1 }
  if (market.started.includes(attempt)) market.fault = 'T5: an attempt was started twice'
  if (market.givenBack.includes(attempt)) market.fault = 'T5: an attempt was given back and started'
  market.started = [...market.started, attempt]
}

export function finish(market: Market, executor: number): void {
  const state = at(market.executors, executor)
  toOwner(market, executor, ownerOf(state.running), 'task.result', state.running)
  state.running = 0
}

/** C4: given back unstarted, by the executor's own will or on a recall. */
export function giveBack(market: Market, rules: Rules, executor: number, attempt: number, type: MessageType): void {
  const state = at(market.executors, executor)
  if (rules.eitherOr) state.queue = state.queue.filter((other) => other !== attempt)
  market.givenBack = [...market.givenBack, attempt]
  if (market.started.includes(attempt)) market.fault = 'T5: an attempt was started and given back'
  toOwner(market, executor, ownerOf(attempt), type, attempt)
}

export function executorTakes(market: Market, rules: Rules, executor: number, owner: number, message: Message): void {
  const state = at(market.executors, executor)
  const { type, value } = message
  if (type === 'credit.return') state.granted = changed(state.granted, owner, -value)
  else if (type === 'task.submit') {
    // C3: without a credit of this session there is no room that was promised.
    if ((state.granted[owner] ?? 0) === 0) {
      if (load(state) >= CAPACITY) market.fault = 'S1: more was sent than was promised'
    } else state.granted = changed(state.granted, owner, -1)
    state.queue = [...state.queue, value]
  } else if (type === 'task.recall') {
    // C5: what runs or is gone is not answered; its result or its giving back says it.
    const found = state.queue.find((attempt) =>
      rules.attempts ? attempt === value : taskOf(attempt) === taskOf(value),
    )
    if (found !== undefined) giveBack(market, rules, executor, found, 'task.recalled')
  }
}

export function ownerTakes(market: Market, rules: Rules, owner: number, executor: number, message: Message): void {
  const state = at(market.owners, owner)
  const { type, value, attempts } = message
  if (type === 'member.session') hearSession(market, rules, owner, executor, value, attempts)
  if (type === 'credit.grant') state.credits = changed(state.credits, executor, value)
  if (!type.startsWith('task.')) return
  const place = taskOf(value) & 3
  const task = at(state.tasks, place)
  const isCurrent =
    task.state === 'sent' && ((task.attempt === (value & 15) && task.executor === executor) || !rules.attempts)
  if (!isCurrent) return
  if (type === 'task.result') setTask(state, place, { ...task, state: 'done' })
  // C4: what never started is not charged.
  else setTask(state, place, { ...task, state: 'ready' })
}

/** C6: a verdict ends the credits of that session, and what was sent under it may have run. */
export function recordDeath(market: Market, rules: Rules, owner: number, executor: number): void {
  const state = at(market.owners, owner)
  const known = state.known[executor] ?? 0
  state.known = replaced(state.known, executor, known | 1)
  if (rules.endCredits) state.credits = replaced(state.credits, executor, 0)
  market.toOwner[linkOf(owner, executor)] = []
  for (const [place, task] of state.tasks.entries()) {
    if (task.state !== 'sent' || task.executor !== executor) continue
    market.lost = [...market.lost, attemptOf(owner, place, task.attempt)]
    const charged = task.charged + (rules.charge ? 1 : 0)
    setTask(state, place, { ...task, charged, state: charged > rules.maxRetries ? 'failed' : 'ready' })
  }
}

/** C7: whoever hears of its death goes on under a new session: credits out are void, attempts and results are told. */
export function raiseSession(market: Market, executor: number): void {
  const state = at(market.executors, executor)
  state.session++
  state.granted = state.granted.map(() => 0)
  for (const owner of OWNERS) {
    const link = linkOf(owner, executor)
    market.toExecutor[link] = []
    const isAccuser = at(market.owners, owner).known[executor] === (state.session - 1) * 2 + 1
    // What the old session did not get through is sent again under the new one, credits apart.
    const unheard = isAccuser ? [] : (market.toOwner[link] ?? []).filter(({ type }) => type.startsWith('task.'))
    const attempts = [...state.queue, ...(state.running === 0 ? [] : [state.running])].filter(
      (attempt) => ownerOf(attempt) === owner,
    )
    const settled = unheard.map(({ value }) => value)
    market.toOwner[link] = [
      { type: 'member.session', value: state.session, attempts: [...attempts, ...settled] },
      ...unheard,
    ]
  }
}

/** C7: what the executor does not name never reached it and never will: it goes back uncharged. */
function hearSession(
  market: Market,
  rules: Rules,
  owner: number,
  executor: number,
  session: number,
  attempts: readonly number[],
): void {
  const state = at(market.owners, owner)
  state.known = replaced(state.known, executor, session * 2)
  if (rules.endCredits) state.credits = replaced(state.credits, executor, 0)
  if (!rules.report) return
  for (const [place, task] of state.tasks.entries()) {
    if (task.state !== 'sent' || task.executor !== executor) continue
    if (!attempts.includes(attemptOf(owner, place, task.attempt))) setTask(state, place, { ...task, state: 'ready' })
  }
}

export function crash(market: Market, executor: number): void {
  market.executors[executor] = { isUp: false, session: 0, granted: [0, 0], queue: [], running: 0 }
  for (const owner of OWNERS) market.toExecutor[linkOf(owner, executor)] = []
}

/** What the receiver refuses, since it is of an older session or addressed to one, is not even put on the link. */
function toExecutor(market: Market, owner: number, executor: number, type: MessageType, value: number): void {
  const { isUp, session } = at(market.executors, executor)
  if (!isUp || at(market.owners, owner).known[executor] !== session * 2) return
  const link = linkOf(owner, executor)
  market.toExecutor[link] = [...(market.toExecutor[link] ?? []), { type, value, attempts: [] }]
}

function toOwner(market: Market, executor: number, owner: number, type: MessageType, value: number): void {
  const isRefused = (at(market.owners, owner).known[executor] ?? 0) > at(market.executors, executor).session * 2
  if (isRefused) return
  const link = linkOf(owner, executor)
  market.toOwner[link] = [...(market.toOwner[link] ?? []), { type, value, attempts: [] }]
}

function setTask(owner: Owner, place: number, task: Task): void {
  owner.tasks = owner.tasks.map((old, other) => (other === place ? task : old))
}

function changed(list: readonly number[], place: number, by: number): number[] {
  return list.map((value, other) => (other === place ? value + by : value))
}

function replaced(list: readonly number[], place: number, by: number): number[] {
  return list.map((value, other) => (other === place ? by : value))
}

export function at<T>(list: readonly T[], place: number): T {
  const value = list[place]
  if (value === undefined) throw new RangeError(`nothing at ${String(place)}`)
  return value
}
