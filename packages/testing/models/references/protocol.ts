/**
 * The rules by which references are handed over, counted and taken over. This is what issue 4's code does; the numbers
 * (R1 ...) are those of docs/decisions/020-models.md.
 *
 * Functions here write into a room that the caller has just copied. They know nothing of faults or of time.
 *
 * Long because the rules call each other in circles, and one who checks them wants them on one page.
 * Long because these rules call each other, and are read and checked as one.
 */
import { listEntry, packed, sessionInList, sessionOf, unpacked } from './messages.ts'
import type { MessageType } from './messages.ts'
import { authorityTo, bit, CRASHED, isAliveTo, minterOf, nodeAt, NODES, places, tokensTo } from './room.ts'
import type { NodeState, Room } from './room.ts'

/** Each guard can be switched off by itself, to see what it is there for. */
export interface Guards {
  /** A sender keeps its own token until the hand-over is confirmed. */
  readonly pins: boolean
  /** Answers name the tokens they are about; else they only say how many. */
  readonly numbers: boolean
  /** Nothing of an older session is accepted, from it or addressed to it. */
  readonly sessions: boolean
  /** An answerer and its answers of another epoch than one's own are refused. */
  readonly epochs: boolean
  /** A confirmation moves its receiver to the epoch under which the token was counted. */
  readonly confirmedEpoch: boolean
  /** Nothing is freed before every node has reported or is gone for good. */
  readonly gather: boolean
  /** What a dead session had ends only in an epoch minted for it, whose gather lists it and which all living answered. */
  readonly listedFirst: boolean
  /** It is listed late: who lives has said so by then. */
  readonly patience: boolean
  /** A receiver remembers a hand-over after the token's end. */
  readonly memory: boolean
}

export const ALL_GUARDS: Guards = {
  pins: true,
  numbers: true,
  sessions: true,
  epochs: true,
  confirmedEpoch: true,
  gather: true,
  listedFirst: true,
  patience: true,
  memory: true,
}

/** R1, R2: a new hand-over; the sender counts it itself where it is the one who answers. */
export function hand(room: Room, guards: Guards, node: number, to: number): void {
  const token = room.senders.length
  room.senders = [...room.senders, node]
  room.receivers = [...room.receivers, to]
  room.handOversLeft--
  const state = nodeAt(room, node)
  if (guards.pins) state.pins |= bit(token)
  if (state.answers) state.counted |= bit(token)
  send(room, guards, node, to, state.answers ? 'ref.handCounted' : 'ref.hand', bit(token))
}

/** R2: a repeat is never counted by its sender, since the token may have come and gone. */
function repeatHandOvers(room: Room, guards: Guards, node: number, to: number): void {
  for (const token of places(nodeAt(room, node).pins & tokensTo(room, to))) {
    send(room, guards, node, to, 'ref.hand', bit(token))
  }
}

/** R5: the user's code has let go. */
export function drop(room: Room, guards: Guards, node: number): void {
  nodeAt(room, node).holds = false
  release(room, guards, node)
}

/** R5: with the last pin and the user gone, all tokens end, by name. What was never counted is confirmed first. */
export function release(room: Room, guards: Guards, node: number): void {
  const state = nodeAt(room, node)
  if (state.holds || state.pins !== 0 || state.tokens === 0) return
  const ended = state.tokens
  confirm(room, guards, node, state.unconfirmed)
  state.tokens = 0
  if (state.answers) state.counted &= ~ended
  else sendToMinter(room, guards, node, 'ref.release', ended)
}

export function mayTakeOver(room: Room, node: number): boolean {
  return authorityTo(room, node) === node && !nodeAt(room, node).answers
}

/** R8: mint a higher epoch, start from one's own tokens, ask everybody. */
export function takeOver(room: Room, guards: Guards, node: number, listed = 0): void {
  const state = nodeAt(room, node)
  state.epoch++
  while (minterOf(state.epoch) !== node) state.epoch++
  state.answers = true
  state.reported = bit(node)
  state.counted = state.tokens
  state.listed = listed
  confirm(room, guards, node, state.unconfirmed)
  for (const other of NODES) if (other !== node) gather(room, guards, node, other)
  endListed(room, guards, node)
}

function gather(room: Room, guards: Guards, node: number, from: number): void {
  const state = nodeAt(room, node)
  const list = places(state.listed).map((dead) => listEntry(dead, (state.known[dead] ?? 0) >> 1))
  send(
    room,
    guards,
    node,
    from,
    'ledger.gather',
    list.reduce((all, entry) => all | entry, 0),
  )
}

/** R11. */
export function mayFree(room: Room, guards: Guards, node: number): boolean {
  const state = nodeAt(room, node)
  return state.answers && state.counted === 0 && (state.reported === 0b111 || !guards.gather)
}

/** R12: a node that hears of its own death goes on under a new session and leaves its office. */
export function raiseSession(room: Room, guards: Guards, node: number): void {
  const state = nodeAt(room, node)
  state.session++
  room.doomed &= ~bit(node)
  state.known = state.known.map((known, other) => (other === node ? state.session * 2 : known))
  retire(room, node)
  for (const other of NODES) {
    if (other === node) continue
    const link = node * NODES.length + other
    room.lateLinks[link] = [...(room.lateLinks[link] ?? []), ...(room.links[link] ?? [])]
    room.links[link] = []
    if (guards.sessions) {
      forgetOld(room, other, node)
      if (!isAliveTo(nodeAt(room, other), node)) forget(room, node, other)
    }
    if (nodeAt(room, other).phase === CRASHED) continue
    // Told even to those it holds for dead: two nodes may accuse each other.
    push(room, node, other, 'member.session', sessionOf(node, state.session))
    repeatHandOvers(room, guards, node, other)
  }
}

/** R13: a verdict ends what is on its way from that session and older ones, and says the epoch to who answers now. */
export function recordDeath(room: Room, guards: Guards, node: number, dead: number, session: number): void {
  const state = nodeAt(room, node)
  state.known = state.known.map((known, other) => (other === dead ? session * 2 + 1 : known))
  if (guards.sessions) {
    room.lateLinks[dead * NODES.length + node] = []
    // A newer session that is already announced, and what follows the announcement, is another matter.
    if (nodeAt(room, dead).session === session) forget(room, dead, node)
  }
  tellEpoch(room, guards, node)
  endListed(room, guards, node)
}

export function mayEndReferencesOf(room: Room, guards: Guards, node: number, dead: number): boolean {
  const state = nodeAt(room, node)
  if (!state.answers || isAliveTo(state, dead)) return false
  if (guards.listedFirst) return (state.listed & bit(dead)) === 0
  return (state.reported & bit(dead)) === 0 || (state.counted & tokensTo(room, dead)) !== 0
}

/** R14: one who is gone for good is listed in an epoch of its own. */
export function endReferencesOf(room: Room, guards: Guards, node: number, dead: number): void {
  if (guards.listedFirst) takeOver(room, guards, node, nodeAt(room, node).listed | bit(dead))
  else end(room, guards, node, dead)
}

/** R14: the listed end once every living node has reported, and so refuses what they still may have sent. */
function endListed(room: Room, guards: Guards, node: number): void {
  const state = nodeAt(room, node)
  const isAwaited = (other: number): boolean => isAliveTo(state, other) && (state.reported & bit(other)) === 0
  if (!state.answers || !guards.listedFirst || NODES.some(isAwaited)) return
  for (const dead of places(state.listed & ~state.reported)) end(room, guards, node, dead)
}

/** R14: everybody is told, since what was handed to the dead is pinned until then. */
function end(room: Room, guards: Guards, node: number, dead: number): void {
  const state = nodeAt(room, node)
  state.counted &= ~tokensTo(room, dead)
  state.reported |= bit(dead)
  for (const other of NODES) send(room, guards, node, other, 'ledger.ended', bit(dead))
  giveUpPins(room, guards, node, dead)
}

function giveUpPins(room: Room, guards: Guards, node: number, dead: number): void {
  const pins = nodeAt(room, node).pins & tokensTo(room, dead)
  nodeAt(room, node).pins &= ~pins
  // Ghost: handed to one who had been away longer than the room waits.
  if (guards.patience) room.excused |= pins
  release(room, guards, node)
}

export function receive(room: Room, guards: Guards, node: number, from: number, number: number): void {
  const { type, epoch, set } = unpacked(number)
  const state = nodeAt(room, node)
  const isNews = type === 'member.session' && hearSession(room, guards, node, set >> 3, set & 7)
  // R7: whatever the message, a higher epoch is accepted first. Its gather is on its way.
  if (epoch > state.epoch && (guards.confirmedEpoch || type !== 'ref.confirm')) acceptEpoch(room, node, epoch)
  const isOfMyEpoch = epoch === state.epoch || !guards.epochs
  switch (type) {
    case 'member.session':
      if (isNews) welcome(room, guards, node, set >> 3)
      break
    case 'ref.hand':
    case 'ref.handCounted':
      takeToken(room, guards, node, from, set, type === 'ref.handCounted' && isOfMyEpoch)
      break
    case 'ref.confirm':
      // R4: the one hand-over that is named, and only that.
      state.pins &= guards.numbers ? ~set : ~lowest(state.pins & tokensTo(room, from), 1)
      release(room, guards, node)
      break
    case 'ref.register':
      if (state.answers && isOfMyEpoch) count(room, guards, node, from, set)
      break
    case 'ref.registered': {
      const amount = places(set).length
      const named = guards.numbers ? set & state.unconfirmed : lowest(state.unconfirmed, amount)
      if (isOfMyEpoch) confirm(room, guards, node, named)
      break
    }
    case 'ref.release':
      if (state.answers && isOfMyEpoch) state.counted &= ~set
      break
    case 'ledger.gather':
      if (!isOfMyEpoch) break
      hearOfDeaths(room, guards, node, from, set)
      send(room, guards, node, from, 'ledger.report', state.tokens)
      break
    case 'ledger.report':
      if (!state.answers || !isOfMyEpoch) break
      state.reported |= bit(from)
      count(room, guards, node, from, set)
      // It may have been away when these were ended.
      if ((state.listed & state.reported) !== 0) {
        send(room, guards, node, from, 'ledger.ended', state.listed & state.reported)
      }
      endListed(room, guards, node)
      break
    case 'ledger.ended':
      for (const dead of places(set)) {
        if (isOfMyEpoch && !isAliveTo(state, dead)) giveUpPins(room, guards, node, dead)
      }
      break
    case 'ledger.epoch':
      break
  }
}

/**
 * R10: who reports to a gather refuses from then on whatever the listed dead still send. Who knows a listed node under a
 * newer session says so first: it is not dead.
 */
function hearOfDeaths(room: Room, guards: Guards, node: number, from: number, list: number): void {
  for (const dead of NODES) {
    const session = sessionInList(list, dead)
    if (dead === node || session === undefined) continue
    const known = nodeAt(room, node).known[dead] ?? 0
    if (known <= session * 2) recordDeath(room, guards, node, dead, session)
    else if (known > session * 2 + 1) send(room, guards, node, from, 'member.session', sessionOf(dead, known >> 1))
  }
}

/** R3: taken once; confirmed when the one who answers has counted it, which may be known already. */
function takeToken(room: Room, guards: Guards, node: number, from: number, token: number, isCounted: boolean): void {
  const state = nodeAt(room, node)
  const isRepeat = (room.seen & token) !== 0 && (guards.memory || (state.tokens & token) !== 0)
  if (isRepeat) {
    if ((state.unconfirmed & token) === 0) send(room, guards, node, from, 'ref.confirm', token)
    return
  }
  room.seen |= token
  if ((room.doomed & bit(node)) !== 0) room.excused |= token
  state.tokens |= token
  state.holds = true
  if (state.answers) state.counted |= token
  else if (!isCounted) {
    state.unconfirmed |= token
    sendToMinter(room, guards, node, 'ref.register', token)
    return
  }
  send(room, guards, node, from, 'ref.confirm', token)
}

/** R3: answered by the numbers of what was counted, so that a repeat confirms nothing else. */
function count(room: Room, guards: Guards, node: number, from: number, set: number): void {
  nodeAt(room, node).counted |= set
  if (set !== 0) send(room, guards, node, from, 'ref.registered', set)
}

function confirm(room: Room, guards: Guards, node: number, set: number): void {
  nodeAt(room, node).unconfirmed &= ~set
  for (const token of places(set)) send(room, guards, node, room.senders[token] ?? 0, 'ref.confirm', bit(token))
}

/** R7. */
function acceptEpoch(room: Room, node: number, epoch: number): void {
  retire(room, node)
  nodeAt(room, node).epoch = epoch
}

function retire(room: Room, node: number): void {
  const state = nodeAt(room, node)
  state.answers = false
  state.reported = 0
  state.counted = 0
  state.listed = 0
}

/** @returns whether it was news; a session never goes down, and none that died comes back */
function hearSession(room: Room, guards: Guards, node: number, from: number, session: number): boolean {
  const state = nodeAt(room, node)
  if (from === node || (state.known[from] ?? 0) >= session * 2) return false
  state.known = state.known.map((known, other) => (other === from ? session * 2 : known))
  if (guards.sessions && nodeAt(room, from).session === session) room.lateLinks[from * NODES.length + node] = []
  return true
}

/** R12: what the older session may have missed is sent again, and what is counted for it is asked for again. */
function welcome(room: Room, guards: Guards, node: number, back: number): void {
  const state = nodeAt(room, node)
  if (state.answers) {
    state.reported &= ~bit(back)
    state.counted &= ~tokensTo(room, back)
    state.listed &= ~bit(back)
    gather(room, guards, node, back)
  }
  repeatHandOvers(room, guards, node, back)
  tellEpoch(room, guards, node)
}

/** R9: who answers in my view and did not mint the epoch I know is told of it, so that it mints a higher one. */
function tellEpoch(room: Room, guards: Guards, node: number): void {
  const authority = authorityTo(room, node)
  if (authority === node || authority === minterOf(nodeAt(room, node).epoch)) return
  send(room, guards, node, authority, 'ledger.epoch', 0)
}

/** R6: the one who answers is the one who minted the epoch, whatever the own view says. */
function sendToMinter(room: Room, guards: Guards, node: number, type: MessageType, set: number): void {
  send(room, guards, node, minterOf(nodeAt(room, node).epoch), type, set)
}

/** Nothing is sent to a session that is held for dead; what a receiver is sure to refuse is not even put on the link. */
function send(room: Room, guards: Guards, node: number, to: number, type: MessageType, set: number): void {
  const state = nodeAt(room, node)
  const other = nodeAt(room, to)
  if (to === node || !isAliveTo(state, to) || other.phase === CRASHED) return
  const isRefused = state.known[to] !== other.session * 2 || (other.known[node] ?? 0) > state.session * 2
  if (isRefused && guards.sessions) return
  push(room, node, to, type, set)
}

function push(room: Room, node: number, to: number, type: MessageType, set: number): void {
  const link = node * NODES.length + to
  room.links[link] = [...(room.links[link] ?? []), packed({ type, epoch: nodeAt(room, node).epoch, set })]
}

function forget(room: Room, from: number, to: number): void {
  room.links[from * NODES.length + to] = []
  room.lateLinks[from * NODES.length + to] = []
}

/** What was addressed to the older session; that somebody has a new session is addressed to the node. */
function forgetOld(room: Room, from: number, to: number): void {
  const link = from * NODES.length + to
  room.links[link] = (room.links[link] ?? []).filter((message) => unpacked(message).type === 'member.session')
  room.lateLinks[link] = []
}

/**
 * Takes off the links what will change nothing whenever it arrives: answers and counts of an epoch that their receiver
 * has left, or answers for no more, since it never enters one again. Equal in all that can follow, and far fewer states.
 */
export function dropDeadLetters(room: Room, guards: Guards): void {
  for (let link = 0; link < room.links.length; link++) {
    const messages = room.links[link]
    if (messages === undefined || messages.length === 0) continue
    const to = nodeAt(room, link % NODES.length)
    if (messages.some((message) => isDeadLetter(to, guards, message))) {
      room.links[link] = messages.filter((message) => !isDeadLetter(to, guards, message))
    }
  }
}

function isDeadLetter(to: NodeState, guards: Guards, message: number): boolean {
  const { type, epoch, set } = unpacked(message)
  if (epoch > to.epoch) return false
  switch (type) {
    case 'ledger.epoch':
      return true
    case 'ref.confirm':
      return guards.numbers && (set & to.pins) === 0
    case 'ref.registered':
      return (guards.numbers && (set & to.unconfirmed) === 0) || (guards.epochs && epoch < to.epoch)
    case 'ledger.gather':
    case 'ledger.ended':
      return guards.epochs && epoch < to.epoch
    case 'ref.register':
    case 'ref.release':
    case 'ledger.report':
      return guards.epochs && (epoch < to.epoch || !to.answers)
    default:
      return false
  }
}

function lowest(set: number, amount: number): number {
  return places(set)
    .slice(0, amount)
    .reduce((all, place) => all | bit(place), 0)
}
