import type { ActorOracle, ActorSpec, IssuedCall } from './actor-oracle.ts'
import type { ActorWorkload } from './actor-workload.ts'
import { codeOf, isBeyondRecovery, LOSSES } from './ledger-checks.ts'
import type { LedgerRoom } from './ledger-room.ts'

type Room = LedgerRoom<ActorWorkload>

/** T1, and what each call was told. */
export function checkCalls(room: Room, oracle: ActorOracle): void {
  for (const { workload } of room.seats)
    for (const { label, outcome, isCancelled } of workload?.operations ?? []) {
      if (outcome === undefined) room.violated(`T1: ${label} does not end`)
      else if (outcome !== 'done' && !isCancelled) {
        const code = codeOf(outcome.error)
        if (!LOSSES.has(code) || !isBeyondRecovery(room))
          room.violated(`O1: ${label} failed with ${code}: ${String(outcome.error)}`)
      }
    }
  for (const call of oracle.calls.values()) checkCall(room, oracle, call)
}

function checkCall(room: Room, oracle: ActorOracle, call: IssuedCall): void {
  const { caller, n, label, outcome } = call
  const what = `${caller} #${n} of ${label}`
  if (outcome === undefined) {
    if (call.isAlive() && oracle.isPresent(driverOf(caller))) room.violated(`T1: ${what} has no outcome`)
  } else if ('value' in outcome) {
    room.count('values')
    const [serial, id, count] = outcome.value
    const run = oracle.runOf(id)
    if (run === undefined || run.incarnation.serial !== serial || run.caller !== caller || run.n !== n)
      room.violated(`T2: ${what} is told of run ${id} in ${serial}, which is another's`)
    else if (count >= 0 && run.count !== count) room.violated(`T2: ${what} is ${count}, not ${run.count}`)
  } else checkError(room, oracle, call, outcome.error)
}

function checkError(room: Room, oracle: ActorOracle, call: IssuedCall, error: unknown): void {
  const { caller, n, label, retries, mayThrow } = call
  const code = codeOf(error)
  room.count(`errors: ${code}`)
  // What its job's end does to a call is nobody's to be told.
  if (!oracle.isPresent(driverOf(caller))) return
  const spec = oracle.specOf(label)
  const isExpected =
    code === 'actor-died'
      ? mayBeDead(room, oracle, spec)
      : code === 'actor-unavailable'
        ? isUncertain(room) || troublesOf(room, oracle, spec) > retries
        : code === 'task-cancelled'
          ? isCancelled(oracle, caller, n)
          : code === 'task-failed'
            ? mayThrow
            : LOSSES.has(code) && isBeyondRecovery(room)
  if (!isExpected)
    room.violated(`T2: ${caller} #${n} of ${label} with ${retries} retries failed with ${code}: ${String(error)}`)
}

/** Coarser than the rule: whether something has happened by which the actor may be dead. */
export function mayBeDead(room: Room, oracle: ActorOracle, spec: ActorSpec): boolean {
  if (spec.isEnded || spec.isShared || isUncertain(room) || isBeyondRecovery(room)) return true
  if (!spec.isDetached && !oracle.isPresent(spec.driver)) return true
  return troublesOf(room, oracle, spec) > spec.maxRestarts
}

function isUncertain(room: Room): boolean {
  return room.verdictMs.length > 0
}

/** How often the actor may have been lost. */
function troublesOf(room: Room, oracle: ActorOracle, spec: ActorSpec): number {
  return room.deaths.length + oracle.crashes + spec.restartKills
}

function isCancelled({ cancelled }: ActorOracle, caller: string, n: number): boolean {
  if (cancelled.has(`${caller} #${n}`)) return true
  for (const each of cancelled) if (caller.startsWith(each)) return true
  return false
}

function driverOf(caller: string): string {
  return /^\w+\.\d+/.exec(caller)?.[0] ?? ''
}

/** A3: of what lives there is one each, and one of each name. */
export function checkForks(room: Room, oracle: ActorOracle): void {
  const byActor = new Map<string, number[]>()
  const byName = new Map<string, Set<string>>()
  for (const { actor, serial, tab, spec } of oracle.living()) {
    const serials = byActor.get(actor) ?? []
    byActor.set(actor, serials)
    serials.push(serial)
    if (serials.length > 1) room.violated(`A3: ${serials.join(' and ')} of ${actor} live, the last at ${tab}`)
    if (spec.name === undefined) continue
    const actors = byName.get(spec.name) ?? new Set()
    byName.set(spec.name, actors.add(actor))
  }
  for (const [name, actors] of byName)
    // What was its owner's goes with it until somebody else answers for its ledger, and may be another's by then.
    if (actors.size > 1 && !isUncertain(room) && room.deaths.length === 0)
      room.violated(`D3: ${[...actors].join(' and ')} have the name ${name}`)
}

/** When all handles are gone nothing of any actor is. */
export function checkEnded(room: Room, oracle: ActorOracle): void {
  for (const { serial, actor, tab } of oracle.living())
    room.violated(`R1: ${serial} of ${actor} still lives at ${tab} when nobody has a handle`)
}
