import { must, randomInt } from '@shoal/base'
import type { NodeGuards } from '@shoal/node'
import { checkLeft, checkOutcomes, checkRuns, disagreements } from './ledger-checks.ts'
import { LEDGER_PROFILES, LedgerFaults } from './ledger-faults.ts'
import type { Fault, LedgerProfile } from './ledger-faults.ts'
import { LedgerRoom } from './ledger-room.ts'
import type { LedgerRoomOptions, SeatWork } from './ledger-room.ts'
import { LedgerWorkload } from './ledger-workload.ts'
import type { LedgerOperation, LedgerWorkloadOptions } from './ledger-workload.ts'
import type { SimResult } from './overlay-scenario.ts'
import { SimWorld } from './sim-world.ts'

export interface LedgerScenarioOptions {
  readonly seed: number
  /** Whole tabs. Default 8. */
  readonly nodes?: number
  /** Default: by the seed. */
  readonly profile?: LedgerProfile
  /** Simulated time in which work is submitted and faults happen. Default 12 s. */
  readonly busyMs?: number
  /** Faults that do not happen. */
  readonly without?: readonly Fault[]
  /** X1: what is switched off. */
  readonly guards?: Partial<NodeGuards>
}

const GATHER_MS = 4_000
/** Until everything that was submitted must have its outcome: a verdict takes 5 s, a path is given up after 15. */
const QUIET_MS = 60_000
/** Until views agree, after everything has settled; they are looked at so often, and again at the end. */
const AGREE_MS = 15_000
const LOOK_MS = 250
/** After the last fault: until then every timer that it may have left has fired, of which the 15 s of a path are the longest. */
const CALM_MS = 20_000
const SETTLE_MS = 3_000
/** Mean pause between two pieces of work of a driver. */
const PACE_MS = 250

/**
 * Whole tabs that own what others hold: see `LedgerWorkload` for the work and `LedgerFaults` for what goes wrong. Then
 * repair, quiet, everything is read once more, released, and nothing may be left.
 */
export async function runLedgerScenario(options: LedgerScenarioOptions): Promise<SimResult> {
  const { seed } = options
  const profile = options.profile ?? profileOf(seed)
  const world = new SimWorld({ seed, network: networkOf(seed) })
  const { clock } = world
  const { lineage, towers } = lineageOf(seed)
  const room = new LedgerRoom<LedgerWorkload>(world, {
    nodes: options.nodes ?? 8,
    guards: options.guards ?? {},
    ...(lineage !== undefined && { lineage }),
    work: (inRoom, seat, { api, ports: { name } }) =>
      new LedgerWorkload({
        name,
        api,
        random: world.random.fork(`work of ${name}`),
        now: () => clock.now(),
        home: seat.name,
        towers,
        places: () => inRoom.places(),
        settled: (operation) => world.trace.add(outcomeOf(operation)),
      }),
  })
  return runCourse(room, options, {
    quietMs: QUIET_MS,
    again: (workload) => workload.readAll(),
    check: () => {
      checkOutcomes(room, profile)
      checkRuns(room)
    },
    checkLeft: async (calmMs) => {
      await checkLeft(room, calmMs)
      for (const fault of disagreements(room)) room.violated(`${fault}, at the end`)
    },
  })
}

/** A driver's work in such a room. */
type CourseWork = SeatWork & { readonly isSettled: boolean; step(): void; releaseAll(): void }

/** What is particular to one scenario. */
interface Course<W> {
  /** Until everything that was submitted must have its outcome. */
  readonly quietMs: number
  /** Asks for everything once more, after the repair. */
  again(workload: W): void
  /** Once all of that has its outcome. */
  check(): void
  /** After all was released; what faults left is over at `calmMs`. */
  checkLeft(calmMs: number): Promise<void>
}

/** Gathers, works while things go wrong, is repaired, quiet, and asked and let go once more. */
export async function runCourse<W extends CourseWork>(
  room: LedgerRoom<W>,
  { seed, profile, busyMs, without }: LedgerScenarioOptions,
  course: Course<W>,
): Promise<SimResult> {
  const { world } = room
  const { clock } = world
  await Promise.all(room.seats.map((seat) => room.raise(seat)))
  await clock.run(GATHER_MS)
  const until = GATHER_MS + (busyMs ?? 12_000)
  startWork(room, until)
  new LedgerFaults(room, profile ?? profileOf(seed), without ?? []).start(until)
  await clock.run(until)
  await room.repair()
  const calmMs = clock.now() + CALM_MS
  const isSettled = (): boolean => room.seats.every(({ workload }) => workload === undefined || workload.isSettled)
  await clock.runUntil(isSettled, course.quietMs)
  await agree(room)
  for (const { workload } of room.seats) if (workload !== undefined) course.again(workload)
  await clock.runUntil(isSettled, course.quietMs)
  course.check()
  for (const { workload } of room.seats) workload?.releaseAll()
  await course.checkLeft(calmMs)
  for (const { tab } of room.present()) tab.close('left')
  await clock.run(clock.now() + SETTLE_MS)
  return {
    seed,
    hash: world.trace.hash(),
    events: clock.firedCount,
    violations: [...room.violations, ...world.leaks()],
    counters: room.counters,
    log: world.trace.tail(200),
  }
}

export function profileOf(seed: number): LedgerProfile {
  return must(LEDGER_PROFILES[seed % LEDGER_PROFILES.length])
}

async function agree(room: LedgerRoom): Promise<void> {
  const { clock } = room.world
  const until = clock.now() + AGREE_MS
  while (clock.now() < until && disagreements(room).length > 0) await clock.run(clock.now() + LOOK_MS)
  for (const fault of disagreements(room)) room.violated(fault)
}

/** Drivers take steps at random, while they are not frozen. */
function startWork(room: LedgerRoom<SeatWork & { step(): void }>, untilMs: number): void {
  const { clock } = room.world
  const random = room.world.random.fork('pace')
  const step = (): void => {
    if (clock.now() >= untilMs) return
    const drivers = room.present().filter(({ workload }) => workload !== undefined)
    for (const { tab, workload } of drivers)
      if (!tab.ports.clock.isFrozen) for (let n = randomInt(random, 3); n > 0; n--) workload?.step()
    clock.after(random.float() * 2 * PACE_MS, step)
  }
  step()
}

/** In two rooms of five chains of large values are made, and in one of the two they are cut. */
function lineageOf(seed: number): {
  readonly lineage?: LedgerRoomOptions<LedgerWorkload>['lineage']
  readonly towers: LedgerWorkloadOptions['towers']
} {
  if (seed % 5 !== 0 && seed % 5 !== 3) return { towers: undefined }
  const isCut = seed % 5 === 0
  return { towers: { isFragile: isCut }, ...(isCut && { lineage: { depth: 3, bytes: 1e9 } }) }
}

function outcomeOf({ label, outcome }: LedgerOperation): string {
  return `${label} is ${outcome !== undefined && 'value' in outcome ? outcome.value : 'an error'}`
}

/** Some rooms are all in one house, some are not. */
export function networkOf(seed: number): { latency: { minMs: number; maxMs: number }; bytesPerSecond: number } {
  return {
    latency: { minMs: 0.5, maxMs: must([5, 20, 80][seed % 3]) },
    bytesPerSecond: must([4e6, 1e6][seed % 2]),
  }
}
