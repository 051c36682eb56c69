import type { KeyWriter } from '../explorer/key-writer.ts'

/**
 * One state of the model: three nodes, one object, the ledger that its references are counted in, and every message on
 * its way. Node 0 made the object and owns it; the succession list is [0, 1, 2].
 *
 * A token is one life of a reference at one node: token 0 is the owner's first, each hand-over makes the next. Sets of
 * tokens and of nodes are bits of a number.
 */
export interface Room {
  nodes: NodeState[]
  /** `from * 3 + to`: messages of the sender's present session, first sent first. */
  links: (readonly number[])[]
  /** The same for older sessions of the sender: other paths, so they come between the newer ones as they please. */
  lateLinks: (readonly number[])[]
  /** Who sent each token, and to whom. */
  senders: readonly number[]
  receivers: readonly number[]
  /** Tokens whose hand-over arrived, kept by the receiver after the token's end: a repeat is no new reference. */
  seen: number
  /** Ghost: tokens of a node that was away longer than the room waits. Their loss is no fault of the protocol. */
  excused: number
  /** Ghost: nodes whose present session was away too long and does not know it. What they get shares their loss. */
  doomed: number
  /** Ghost: who freed the object. */
  freedBy: number
  handOversLeft: number
  freezesLeft: number
  crashesLeft: number
  falseVerdictsLeft: number
}

export type Phase = typeof UP | typeof FROZEN | typeof CRASHED
export const UP = 0
export const FROZEN = 1
export const CRASHED = 2

export interface NodeState {
  phase: Phase
  session: number
  /** For each node the newest session heard of, twice, plus one when that session is held for dead. */
  known: readonly number[]
  /** The newest epoch of the ledger heard of; `epoch % 3` minted it. */
  epoch: number
  /** It minted `epoch`, gathers and answers for the ledger. */
  answers: boolean
  /** While it answers: the nodes that reported, or whose references were ended. */
  reported: number
  /** While it answers: the dead that its gather listed. */
  listed: number
  /** While it answers: the tokens it counts. */
  counted: number
  /** The user's code has the reference. */
  holds: boolean
  /** Received and not yet released. */
  tokens: number
  /** Those of them whose hand-over it has not confirmed yet. */
  unconfirmed: number
  /** Hand-overs it sent that are not confirmed yet. */
  pins: number
}

export const NODES = [0, 1, 2] as const
export const OWNER = 0
export const NOBODY = -1
const NAMES = ['A', 'B', 'C']

export function nodeName(node: number): string {
  return NAMES[node] ?? '?'
}

export function bit(place: number): number {
  return 1 << place
}

/** The places of a set, lowest first. */
export function places(set: number): number[] {
  const found: number[] = []
  for (let place = 0; set >> place !== 0; place++) if (((set >> place) & 1) === 1) found.push(place)
  return found
}

export function nodeAt(room: Room, node: number): NodeState {
  const state = room.nodes[node]
  if (state === undefined) throw new RangeError(`no node ${String(node)}`)
  return state
}

export function newRoom(
  budget: Pick<Room, 'handOversLeft' | 'freezesLeft' | 'crashesLeft' | 'falseVerdictsLeft'>,
): Room {
  const nodes = NODES.map((node) => ({
    phase: UP as Phase,
    session: 0,
    known: [0, 0, 0],
    epoch: 0,
    answers: node === OWNER,
    reported: node === OWNER ? 0b111 : 0,
    listed: 0,
    counted: node === OWNER ? 1 : 0,
    holds: node === OWNER,
    tokens: node === OWNER ? 1 : 0,
    unconfirmed: 0,
    pins: 0,
  }))
  const empty = Array.from({ length: 9 }, () => [])
  return {
    nodes,
    links: empty,
    lateLinks: [...empty],
    senders: [OWNER],
    receivers: [OWNER],
    seen: 1,
    excused: 0,
    doomed: 0,
    freedBy: NOBODY,
    ...budget,
  }
}

/** A copy whose nodes and lists of links may be written; the lists of messages and numbers are replaced, never written. */
export function copyRoom(room: Room): Room {
  return {
    ...room,
    nodes: room.nodes.map((node) => ({ ...node })),
    links: [...room.links],
    lateLinks: [...room.lateLinks],
  }
}

export function tokensTo(room: Room, node: number): number {
  let tokens = 0
  for (const [token, receiver] of room.receivers.entries()) if (receiver === node) tokens |= bit(token)
  return tokens
}

export function tokensFrom(room: Room, node: number): number {
  let tokens = 0
  for (const [token, sender] of room.senders.entries()) if (sender === node && token > 0) tokens |= bit(token)
  return tokens
}

export function isAliveTo(state: NodeState, node: number): boolean {
  return ((state.known[node] ?? 0) & 1) === 0
}

/** Who answers for the ledger in a node's view: the first of the succession list that it takes to be alive. */
export function authorityTo(room: Room, node: number): number {
  const state = nodeAt(room, node)
  return NODES.find((other) => other === node || isAliveTo(state, other)) ?? node
}

export function minterOf(epoch: number): number {
  return epoch % NODES.length
}

export function writeRoom(room: Room, key: KeyWriter): void {
  for (const node of room.nodes) {
    key.add(
      node.phase |
        (Number(node.answers) << 2) |
        (Number(node.holds) << 3) |
        (node.session << 4) |
        (node.epoch << 8) |
        ((node.known[0] ?? 0) << 16) |
        ((node.known[1] ?? 0) << 20) |
        ((node.known[2] ?? 0) << 24),
    )
    key.add(
      node.tokens |
        (node.unconfirmed << 6) |
        (node.pins << 12) |
        (node.counted << 18) |
        (node.reported << 24) |
        (node.listed << 27),
    )
  }
  for (const link of room.links) key.addAll(link)
  for (const link of room.lateLinks) key.addAll(link)
  for (let token = 1; token < room.senders.length; token++) {
    key.add(((room.senders[token] ?? 0) << 2) | (room.receivers[token] ?? 0))
  }
  key.add(
    room.senders.length | (room.seen << 4) | (room.excused << 10) | ((room.freedBy + 1) << 16) | (room.doomed << 20),
  )
  key.add(room.handOversLeft | (room.freezesLeft << 4) | (room.crashesLeft << 8) | (room.falseVerdictsLeft << 12))
}
