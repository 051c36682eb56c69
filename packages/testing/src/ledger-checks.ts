import { ShoalError } from '@shoal/protocol'
import type { LedgerProfile } from './ledger-faults.ts'
import type { LedgerRoom } from './ledger-room.ts'
import type { LedgerOperation, LedgerWorkload } from './ledger-workload.ts'
import { takenBy } from './sim-node.ts'

/** Names what was lost with a tab. */
export const LOSSES = new Set(['owner-died', 'object-lost', 'object-reconstruction-failed', 'node-died'])
/** Verdict, take-over, and the list drawn anew: until then another death takes what the first one left. */
const RECOVERY_MS = 12_000
/** A ledger has so many places, its owner's included. */
const PLACES = 3
/** References of dead nodes are dropped 10 s late, and what was theirs may have been the last of something else. */
const ROUNDS = 16
const ROUND_MS = 3_000

/** M4, G2: what is not as it must be in a quiet room. */
export function disagreements(room: LedgerRoom): string[] {
  return [...memberFaults(room), ...answererFaults(room)]
}

/** M4: when quiet each tab sees all the others, and nobody else. */
function memberFaults(room: LedgerRoom): string[] {
  const present = room.present()
  const faults: string[] = []
  const truth = new Map(present.map(({ tab }) => [tab.ports.node, tab.ports.name]))
  for (const { tab } of present) {
    const seen = new Set(
      tab.node
        .status()
        .members.filter(({ state }) => state === 'connected')
        .map(({ node }) => node),
    )
    for (const [node, name] of truth)
      if (node !== tab.ports.node && !seen.has(node)) faults.push(`M4: ${tab.ports.name} does not see ${name}`)
    for (const node of seen)
      if (!truth.has(node)) faults.push(`M4: ${tab.ports.name} sees ${node.slice(0, 8)}, which is gone`)
  }
  return faults
}

/** G2: exactly one tab answers for each ledger that anybody holds something of, and all know which. */
function answererFaults(room: LedgerRoom): string[] {
  const present = room.present()
  const faults: string[] = []
  const nameOf = (node: string): string =>
    present.find(({ tab }) => tab.ports.node === node)?.tab.ports.name ?? node.slice(0, 8)
  const known = new Map(room.answerers().map(({ owner, nodes }) => [owner, nodes]))
  for (const [owner, nodes] of known)
    if (nodes.length > 1) faults.push(`G2: ${nodes.map(nameOf).join(' and ')} answer for ${nameOf(owner)}`)
  for (const { tab } of present) {
    for (const { owner, epoch, isGathering, isNeeded } of tab.node.ledgers()) {
      if (isGathering) faults.push(`G2: ${tab.ports.name} still gathers the ledger of ${nameOf(owner)}`)
      const { minter } = epoch
      if (!isNeeded) continue
      if (!present.some((seat) => seat.tab.ports.node === minter))
        faults.push(
          `G2: ${tab.ports.name} holds of ${nameOf(owner)}, for which ${nameOf(minter)} answered, and is gone`,
        )
      else if (minter !== owner && known.get(owner)?.includes(minter) !== true)
        faults.push(`G2: ${tab.ports.name} takes ${nameOf(minter)} to answer for ${nameOf(owner)}, and it does not`)
    }
  }
  return faults
}

/** T1, T2 and O1. */
export function checkOutcomes(room: LedgerRoom<LedgerWorkload>, profile: LedgerProfile): void {
  for (const { workload } of room.seats)
    for (const operation of workload?.operations ?? []) {
      const { label, expected, outcome } = operation
      if (outcome === undefined) room.violated(`T1: ${label} has no outcome`)
      else if ('value' in outcome) {
        room.count('values')
        if (outcome.value !== expected) room.violated(`T2: ${label} is ${outcome.value}, not ${expected}`)
      } else checkError(room, profile, operation, outcome.error)
    }
}

function checkError(room: LedgerRoom, profile: LedgerProfile, operation: LedgerOperation, error: unknown): void {
  const code = codeOf(error)
  if (LOSSES.has(code) && isExcusable(room, profile, operation)) room.count(`excused: ${code}`)
  else room.violated(`O1: ${operation.label} failed with ${code}: ${String(error)}`)
}

/**
 * Coarser than the invariant: a large value that no task makes again may go with any death; anything may in a room that
 * gave up the living, or when as many devices died as a ledger has places, before the lists were drawn anew.
 */
function isExcusable(room: LedgerRoom, profile: LedgerProfile, { isFragile }: LedgerOperation): boolean {
  if (profile === 'mild') return false
  if (room.verdictMs.length > 0) return true
  return isFragile ? room.deaths.length > 0 : isBeyondRecovery(room)
}

/** Whether anything may be lost: the living were given up, or more devices died at once than a ledger has places. */
export function isBeyondRecovery(room: LedgerRoom): boolean {
  if (room.verdictMs.length > 0) return true
  return room.deaths.some(({ atMs }) => {
    const near = room.deaths.filter((other) => other.atMs >= atMs && other.atMs <= atMs + RECOVERY_MS)
    return new Set(near.map(({ device }) => device)).size >= PLACES
  })
}

/** T3, for tasks that may not be run again; of the living that were given up, two may run one. */
export function checkRuns(room: LedgerRoom): void {
  if (room.verdictMs.length > 0) return
  for (const [label, count] of room.runs)
    if (label.endsWith(' once') && count > 1) room.violated(`T3: ${label} ran ${count} times`)
}

/** O3, R1: all refs are released, and what tasks left behind is collected. Goes on until `untilMs` at least. */
export async function checkLeft(room: LedgerRoom, untilMs: number): Promise<void> {
  const { clock } = room.world
  const left = (): string[] =>
    room
      .present()
      .flatMap(({ tab }) =>
        Object.entries(tab.node.holdings()).flatMap(([name, count]: [string, number]) =>
          count === 0 || name === 'workers' || name === 'timers' ? [] : [`${tab.ports.name} has ${count} ${name}`],
        ),
      )
  const isOver = (): boolean => clock.now() >= untilMs && left().length === 0
  for (let round = 0; round < ROUNDS && (round < 2 || !isOver()); round++) {
    for (const { tab } of room.present()) {
      tab.collector.collect()
      for (const worker of tab.workers.workers) worker.collector.collect()
    }
    await clock.run(clock.now() + ROUND_MS)
  }
  for (const each of left()) room.violated(`O3: ${each} when all refs are gone`)
  for (const { tab } of room.present()) {
    const taken = takenBy(tab)
    if (taken.length > 0) room.violated(`O3: ${tab.ports.name} still answers for ${taken.length} ledgers of others`)
  }
}

/** Of what happened first: a task fails by what its argument died of. */
export function codeOf(error: unknown): string {
  if (ShoalError.is(error)) {
    const isOfAnother = error.code === 'task-failed' && ShoalError.is(error.cause)
    return isOfAnother ? codeOf(error.cause) : error.code
  }
  return error instanceof Error ? error.name : typeof error
}
