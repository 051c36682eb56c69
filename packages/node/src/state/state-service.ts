import { deferred } from '@shoal/base'
import type { Clock, Deferred, Timer } from '@shoal/base'
import { LIMITS, ProtocolError, stateColumns } from '@shoal/protocol'
import type {
  EventCursor,
  NodeId,
  NodeMessage,
  ObjectId,
  StateFilter,
  StateKind,
  StateQuery,
  StateReply,
} from '@shoal/protocol'
import type { RoomMember } from '../room-link.ts'
import type { LocalState } from './local-state.ts'
import { ClockOffsets, EXACT } from './clock-offsets.ts'
import type { ClockOffset } from './clock-offsets.ts'
import { mergeAnswers } from './merge-answers.ts'
import type { Missing, Part, StateRows } from './merge-answers.ts'

/** What a page asks; checked by whoever asks. */
export interface StateQuestion {
  readonly kind: StateKind
  /** One task, actor or object alone. */
  readonly id: ObjectId | undefined
  readonly filters: readonly StateFilter[]
  readonly limit: number
  readonly detail: boolean
  readonly timeoutMs: number
  /** Of task events: where the last answer of each tab ended. */
  readonly since?: Readonly<Record<string, EventCursor>> | undefined
}

export interface StateServiceOptions {
  readonly self: NodeId
  readonly clock: Clock
  readonly local: LocalState
  send(to: NodeId, message: NodeMessage): void
  alive(): readonly NodeId[]
  /** Undefined without a room. */
  members(): readonly RoomMember[] | undefined
  answerer(owner: NodeId): NodeId
}

interface Open {
  readonly question: StateQuestion
  readonly waiting: Set<NodeId>
  readonly parts: Part[]
  readonly silent: NodeId[]
  readonly askedAtMs: number
  readonly done: Deferred<StateRows>
  timer: Timer | undefined
}

/** Questions that one peer may ask at once, and how many more each second. Those that take long count for several. */
const MOST_AT_ONCE = 20
const PER_SECOND = 10
const COST_OF_MS = 0.1

/**
 * Asks every live node of the room for its part of the state, and answers such questions of others, as often as a peer may
 * ask. It knows no rows: LocalState makes them and mergeAnswers puts them together.
 * States of a question: open -> answered by all that live, or timed out; either way it settles.
 */
export class StateService {
  readonly #options: StateServiceOptions
  readonly #open = new Map<number, Open>()
  readonly #allowances = new Map<NodeId, { left: number; atMs: number }>()
  readonly #clocks = new ClockOffsets()
  #next = 1

  constructor(options: StateServiceOptions) {
    this.#options = options
  }

  /** Questions of this tab that are not answered. */
  get openCount(): number {
    return this.#open.size
  }

  ask(question: StateQuestion): Promise<StateRows> {
    const { alive, clock, send } = this.#options
    const query = this.#next++
    const nodes = alive()
    const open: Open = {
      question,
      waiting: new Set(nodes),
      parts: [],
      silent: [],
      askedAtMs: clock.now(),
      done: deferred(),
      timer: undefined,
    }
    this.#open.set(query, open)
    const { kind, id, filters, limit, detail } = question
    for (const node of nodes) {
      const asked = { query, kind, id, filters: [...filters], limit, detail, since: question.since?.[node] }
      send(node, { type: 'state.query', ...asked })
    }
    open.timer = clock.after(question.timeoutMs, () => this.#settle(query, open))
    this.#check(query, open)
    return open.done.promise
  }

  onQuery(from: NodeId, { query, ...question }: StateQuery): void {
    const known: readonly string[] = stateColumns(question.kind)
    for (const { column } of question.filters)
      if (!known.includes(column)) throw new ProtocolError('malformed', `${question.kind} have no column ${column}`)
    this.#options.send(from, { type: 'state.reply', query, ...this.#answerTo(from, question) })
  }

  onReply(from: NodeId, { query, ...reply }: StateReply): void {
    const open = this.#open.get(query)
    if (open?.waiting.delete(from) !== true) return
    const [batch] = reply.answer.type === 'taskEvents' ? reply.answer.rows : []
    if (batch !== undefined) this.#clocks.add(from, batch.nowMs, open.askedAtMs, this.#options.clock.now())
    if (reply.answer.type === open.question.kind) open.parts.push({ from, reply })
    else open.silent.push(from)
    this.#check(query, open)
  }

  /** Who is gone answers no more, and for nothing. */
  peerGone(node: NodeId): void {
    this.#allowances.delete(node)
    this.#clocks.forget(node)
    for (const [query, open] of [...this.#open]) if (open.waiting.delete(node)) this.#check(query, open)
  }

  /** What is open is answered with what has come. */
  close(): void {
    for (const [query, open] of [...this.#open]) this.#settle(query, open)
    this.#options.local.close()
  }

  #answerTo(from: NodeId, question: Omit<StateQuery, 'query'>): Omit<StateReply, 'query'> {
    const { clock, local } = this.#options
    const began = clock.now()
    const allowance = this.#allowances.get(from) ?? { left: MOST_AT_ONCE, atMs: began }
    this.#allowances.set(from, allowance)
    allowance.left = Math.min(MOST_AT_ONCE, allowance.left + ((began - allowance.atMs) * PER_SECOND) / 1000)
    allowance.atMs = began
    if (allowance.left < 1) return { total: 0, matched: 0, forgotten: 0, unseen: 0, answer: { type: 'busy' } }
    const answer = local.answer({ ...question, limit: Math.min(question.limit, LIMITS.stateRows) }, true)
    allowance.left -= 1 + (clock.now() - began) * COST_OF_MS
    return answer
  }

  #check(query: number, open: Open): void {
    if (open.waiting.size === 0) this.#settle(query, open)
  }

  #settle(query: number, open: Open): void {
    if (!this.#open.delete(query)) return
    open.timer?.cancel()
    const { self, local, answerer } = this.#options
    const members = this.#options.members() ?? []
    const { question, parts } = open
    // Now, when the others have spoken: its own rows are as new as theirs.
    const { since, ...asked } = question
    const own: Part = { from: self, reply: local.answer({ ...asked, since: since?.[self] }, false) }
    const nameOf = (node: NodeId): string => (node === self ? 'this tab' : local.nameOf(node))
    const unlinked = members.flatMap(({ node, state }) => (state === 'connected' ? [] : [node]))
    const missing: Missing = new Map([
      ...unlinked.map((node) => [node, 'unlinked'] as const),
      ...open.silent.map((node) => [node, 'busy'] as const),
      ...[...open.waiting].map((node) => [node, 'late'] as const),
    ])
    const [ownRow] = own.reply.answer.type === 'taskEvents' ? own.reply.answer.rows : []
    const clockOf = (node: NodeId): ClockOffset =>
      node === self || ownRow === undefined
        ? EXACT
        : this.#clocks.of(node, ownRow.nowMs - this.#options.clock.now(), this.#options.clock.now())
    const ports = { self, nameOf, answerer, members, clockOf }
    open.done.resolve(mergeAnswers(question, [own, ...parts], missing, question.timeoutMs, ports))
  }
}
