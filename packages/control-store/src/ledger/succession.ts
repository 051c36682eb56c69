import type { LedgerEpoch, NodeId, Succession } from '@shoal/protocol'
import { byRendezvous } from '../rendezvous.ts'

/** Successors that a ledger has beside its owner. */
export const SUCCESSORS = 2

/** Negative when `a` is older than `b`. */
export function compareEpochs(a: LedgerEpoch, b: LedgerEpoch): number {
  if (a.number !== b.number) return a.number - b.number
  return a.minter < b.minter ? -1 : a.minter > b.minter ? 1 : 0
}

/** Whether `next` is to be believed instead of `known`: of a higher epoch, or a later list of the same one. */
export function isNewer(next: Succession, known: Succession): boolean {
  const order = compareEpochs(next.epoch, known.epoch)
  return order > 0 || (order === 0 && next.version > known.version)
}

/** A ledger that nobody has said anything about: its owner answers for it. */
export function firstSuccession(owner: NodeId): Succession {
  return { owner, epoch: { number: 0, minter: owner }, version: 0, successors: [], heir: undefined }
}

/**
 * Who ought to answer for a ledger: the first live node of its list, before its successors the owner, or the tab that has
 * it since the owner's page was reloaded; when all of them are gone, the live node that the owner's rendezvous hash puts
 * first, so that equal views never disagree (G1).
 */
export function authorityOf(
  { owner, successors, heir }: Succession,
  isAlive: (node: NodeId) => boolean,
  everyone: readonly NodeId[],
): NodeId | undefined {
  const first = heir?.node ?? owner
  if (isAlive(first)) return first
  return successors.find((node) => isAlive(node)) ?? byRendezvous(owner, everyone)[0]
}

export interface Candidate {
  readonly node: NodeId
  /** Equal for tabs that die together; undefined: unknown. */
  readonly device: string | undefined
}

/**
 * A ledger's successors: those it has stay as long as they live, since each change moves the ledger; free places go to the
 * candidates that the owner's rendezvous hash puts first, other devices than the answerer's and the successors' before
 * others.
 */
export function drawSuccessors(
  owner: NodeId,
  answerer: Candidate,
  present: readonly NodeId[],
  candidates: readonly Candidate[],
): NodeId[] {
  const known = new Map(candidates.map((candidate) => [candidate.node, candidate]))
  known.delete(answerer.node)
  const drawn = present.filter((node) => known.has(node)).slice(0, SUCCESSORS)
  const order = byRendezvous(owner, known.keys())
  while (drawn.length < SUCCESSORS) {
    const devices = new Set([answerer.device, ...drawn.map((node) => known.get(node)?.device)])
    const free = order.filter((node) => !drawn.includes(node))
    const next = free.find((node) => isElsewhere(known.get(node)?.device, devices)) ?? free[0]
    if (next === undefined) break
    drawn.push(next)
  }
  return drawn
}

function isElsewhere(device: string | undefined, taken: ReadonlySet<string | undefined>): boolean {
  return device !== undefined && !taken.has(device)
}
