/**
 * Model (a): references with take-over. Who may do what when: the protocol's own steps, the user's, and the faults.
 *
 * Time is not in it. What the design says with seconds stands in `mayDropReferencesOf`, as an order of events.
 */
import type { Model, Step, StepKind } from '../explorer/model.ts'
import { messageWords, unpacked } from './messages.ts'
import {
  ALL_GUARDS,
  drop,
  dropDeadLetters,
  endReferencesOf,
  hand,
  mayEndReferencesOf,
  mayFree,
  mayTakeOver,
  raiseSession,
  receive,
  recordDeath,
  takeOver,
} from './protocol.ts'
import type { Guards } from './protocol.ts'
import {
  copyRoom,
  CRASHED,
  FROZEN,
  isAliveTo,
  minterOf,
  newRoom,
  NOBODY,
  nodeAt,
  nodeName,
  NODES,
  OWNER,
  places,
  tokensFrom,
  tokensTo,
  UP,
  writeRoom,
} from './room.ts'
import type { Room } from './room.ts'

export interface ReferencesOptions {
  readonly handOvers: number
  readonly freezes: number
  readonly crashes: number
  readonly falseVerdicts: number
  /** The owner has handed the reference to the first successor and dropped its own: saves four steps of a search. */
  readonly isHeldBySuccessor?: boolean
  /** Guards that are switched off. */
  readonly without?: readonly (keyof Guards)[]
}

export function referencesModel(options: ReferencesOptions): Model<Room> {
  const guards: Guards = { ...ALL_GUARDS, ...Object.fromEntries((options.without ?? []).map((name) => [name, false])) }
  return {
    initial: firstRoom(options),
    views: 1,
    writeKey: (room, key) => {
      writeRoom(room, key)
    },
    steps: (room) => (room.freedBy === NOBODY ? [...deliveries(room, guards), ...ownSteps(room, guards)] : []),
    broken: lostReference,
    brokenWhenSettled: splitAuthority,
    brokenWhenOver: (room) =>
      room.freedBy === NOBODY ? 'every reference is gone, and the object is never freed' : undefined,
    situations: {
      freed: (room) => room.freedBy !== NOBODY,
      'freed by a successor': (room) => room.freedBy > 0,
      'owner took its ledger back': (room) => nodeAt(room, 0).answers && nodeAt(room, 0).epoch > 0,
      'two nodes answer at once': (room) => room.nodes.filter((node) => node.answers).length > 1,
      'hand-over on its way while another gathers': (room) =>
        room.nodes.some((node) => node.answers && node.reported !== 0b111) && handOversOnTheirWay(room) !== 0,
      'reference dropped that its holder still has': (room) =>
        room.nodes.some((node) => node.phase === UP && (node.tokens & room.excused) !== 0),
    },
  }
}

function firstRoom(options: ReferencesOptions): Room {
  const room = newRoom({
    handOversLeft: options.handOvers,
    freezesLeft: options.freezes,
    crashesLeft: options.crashes,
    falseVerdictsLeft: options.falseVerdicts,
  })
  if (options.isHeldBySuccessor !== true) return room
  const successor = 1
  hand(room, ALL_GUARDS, OWNER, successor)
  room.handOversLeft = options.handOvers
  for (const [from, to] of [
    [OWNER, successor],
    [successor, OWNER],
  ] as const) {
    const link = from * NODES.length + to
    for (const message of room.links[link] ?? []) receive(room, ALL_GUARDS, to, from, message)
    room.links[link] = []
  }
  drop(room, ALL_GUARDS, OWNER)
  return room
}

function step(
  room: Room,
  guards: Guards,
  kind: StepKind,
  words: () => string,
  change: (next: Room) => void,
): Step<Room> {
  const next = copyRoom(room)
  change(next)
  dropDeadLetters(next, guards)
  excuseNoMore(next)
  return { kind, words, next }
}

/** Ghost: what an answerer of the newest epoch counts once every report is in, nobody may lose any more. */
function excuseNoMore(room: Room): void {
  if (room.excused === 0) return
  const newest = Math.max(...room.nodes.map((node) => node.epoch))
  for (const node of room.nodes) {
    if (node.answers && node.reported === 0b111 && node.epoch === newest) room.excused &= ~node.counted
  }
}

/** On each link the first message of the present session, or the first of an older one. */
function deliveries(room: Room, guards: Guards): Step<Room>[] {
  const steps: Step<Room>[] = []
  for (const from of NODES) {
    for (const to of NODES) {
      if (nodeAt(room, to).phase !== UP) continue
      const link = from * NODES.length + to
      for (const kind of ['links', 'lateLinks'] as const) {
        const message = room[kind][link]?.[0]
        if (message === undefined) continue
        const words = (): string => {
          const late = kind === 'lateLinks' ? ', sent in an older session' : ''
          return `${nodeName(to)} gets ${messageWords(unpacked(message))} from ${nodeName(from)}${late}`
        }
        steps.push(
          step(room, guards, 'protocol', words, (next) => {
            next[kind][link] = (next[kind][link] ?? []).slice(1)
            receive(next, guards, to, from, message)
          }),
        )
      }
    }
  }
  return steps
}

function ownSteps(room: Room, guards: Guards): Step<Room>[] {
  const steps: Step<Room>[] = []
  const add = (kind: StepKind, words: () => string, change: (next: Room) => void): void => {
    steps.push(step(room, guards, kind, words, change))
  }
  for (const node of NODES) {
    const state = nodeAt(room, node)
    const name = nodeName(node)
    if (state.phase === FROZEN)
      add(
        'protocol',
        () => `${name} thaws`,
        (next) => (nodeAt(next, node).phase = UP),
      )
    if (state.phase !== UP) continue
    if (mayFree(room, guards, node))
      add(
        'protocol',
        () => `${name} frees the object`,
        (next) => (next.freedBy = node),
      )
    if (mayTakeOver(room, node)) {
      add(
        'protocol',
        () => `${name} takes the ledger over`,
        (next) => takeOver(next, guards, node),
      )
    }
    if (isAccused(room, node)) {
      add(
        'protocol',
        () => `${name} hears of its death`,
        (next) => raiseSession(next, guards, node),
      )
    }
    if (state.holds) {
      add(
        'user',
        () => `${name}'s user drops the reference`,
        (next) => drop(next, guards, node),
      )
    }
    for (const other of NODES) if (other !== node) steps.push(...stepsTowards(room, guards, node, other))
  }
  return steps
}

function stepsTowards(room: Room, guards: Guards, node: number, other: number): Step<Room>[] {
  const steps: Step<Room>[] = []
  const state = nodeAt(room, node)
  const names = [nodeName(node), nodeName(other)] as const
  if (isAliveTo(state, other)) {
    if (state.holds && room.handOversLeft > 0) {
      steps.push(
        step(
          room,
          guards,
          'chance',
          () => `${names[0]} hands the reference to ${names[1]}`,
          (next) => {
            const isOnExcuse = (state.tokens & ~next.excused) === 0
            hand(next, guards, node, other)
            if (isOnExcuse) next.excused |= 1 << (next.senders.length - 1)
          },
        ),
      )
    }
    // Who did not hear of a newer session yet has nothing new to say about the older one.
    if (state.known[other] === nodeAt(room, other).session * 2) {
      steps.push(...verdicts(room, guards, node, other))
    }
    return steps
  }
  const isUp = nodeAt(room, other).phase === UP
  // The room's patience of 10 s, as an order: a node that is up has said so by then.
  if ((!isUp || !guards.patience) && mayEndReferencesOf(room, guards, node, other)) {
    steps.push(
      step(
        room,
        guards,
        'protocol',
        () => `${names[0]} lists dead ${names[1]} in a new epoch, to end its references`,
        (next) => {
          if (!isUp) {
            next.excused |= tokensTo(next, other) | (tokensFrom(next, other) & ~next.seen)
            next.doomed |= 1 << other
          }
          endReferencesOf(next, guards, node, other)
        },
      ),
    )
  }
  return steps
}

/**
 * A node freezes or crashes in the same step in which somebody first takes it for dead. Before that it only does
 * nothing, which the order of steps contains already.
 */
function verdicts(room: Room, guards: Guards, node: number, other: number): Step<Room>[] {
  const steps: Step<Room>[] = []
  const names = [nodeName(node), nodeName(other)] as const
  const add = (kind: StepKind, reason: string, change: (next: Room) => void): void => {
    steps.push(
      step(
        room,
        guards,
        kind,
        () => `${names[0]} takes ${names[1]} for dead${reason}`,
        (next) => {
          change(next)
          recordDeath(next, guards, node, other, nodeAt(next, other).session)
        },
      ),
    )
  }
  if (nodeAt(room, other).phase !== UP) {
    add('protocol', ' too', () => undefined)
    return steps
  }
  if (room.falseVerdictsLeft > 0) add('chance', ', wrongly', (next) => next.falseVerdictsLeft--)
  if (room.crashesLeft > 0) {
    add('chance', ': it crashed', (next) => {
      crash(next, other)
    })
  }
  if (room.freezesLeft > 0) {
    add('chance', ': it froze', (next) => {
      next.freezesLeft--
      nodeAt(next, other).phase = FROZEN
    })
  }
  return steps
}

function crash(room: Room, node: number): void {
  room.crashesLeft--
  const state = nodeAt(room, node)
  Object.assign(state, { phase: CRASHED, answers: false, reported: 0, listed: 0, counted: 0, holds: false, tokens: 0 })
  Object.assign(state, { unconfirmed: 0, pins: 0, known: [0, 0, 0], epoch: 0 })
  for (const other of NODES) {
    room.links[other * NODES.length + node] = []
    room.lateLinks[other * NODES.length + node] = []
  }
}

function isAccused(room: Room, node: number): boolean {
  const session = nodeAt(room, node).session
  return room.nodes.some((other) => other.phase === UP && other.known[node] === session * 2 + 1)
}

/** Hand-overs that a node which has not crashed will still get. */
function handOversOnTheirWay(room: Room): number {
  let tokens = 0
  for (const links of [room.links, room.lateLinks]) {
    for (let link = 0; link < links.length; link++) {
      if (nodeAt(room, link % NODES.length).phase === CRASHED) continue
      for (const message of links[link] ?? []) {
        const { type, set } = unpacked(message)
        if (type === 'ref.hand' || type === 'ref.handCounted') tokens |= set
      }
    }
  }
  return tokens
}

/** O1, O2: the object was freed and somebody has a reference, or is about to get one. */
function lostReference(room: Room): string | undefined {
  if (room.freedBy === NOBODY) return undefined
  for (const node of NODES) {
    const state = nodeAt(room, node)
    if (state.phase !== CRASHED && (state.tokens & ~room.excused) !== 0) {
      return `${nodeName(node)} holds a reference to the object that ${nodeName(room.freedBy)} has freed`
    }
  }
  const lost = handOversOnTheirWay(room) & ~room.seen & ~room.excused
  return lost === 0 ? undefined : `hand-over h${String(places(lost)[0])} is on its way and the object is freed`
}

/** G1 to G3 at rest: all that are up know one epoch; who minted it answers, and has gathered. */
function splitAuthority(room: Room): string | undefined {
  if (room.freedBy !== NOBODY) return undefined
  const up = room.nodes.filter((node) => node.phase === UP)
  const epoch = Math.max(...up.map((node) => node.epoch))
  const minter = nodeAt(room, minterOf(epoch))
  if (up.some((node) => node.epoch !== epoch)) return 'nodes know different epochs'
  if (minter.phase !== UP || !minter.answers) return 'nobody answers for the ledger'
  if (minter.reported !== 0b111) return 'who answers waits for a report for ever'
  return undefined
}
