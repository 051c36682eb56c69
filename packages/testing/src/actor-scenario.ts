import { must } from '@shoal/base'
import { checkCalls, checkEnded, checkForks, mayBeDead } from './actor-checks.ts'
import { ActorOracle } from './actor-oracle.ts'
import type { ActorSpec } from './actor-oracle.ts'
import { ActorWorkload } from './actor-workload.ts'
import { checkLeft } from './ledger-checks.ts'
import { LedgerRoom } from './ledger-room.ts'
import { networkOf, runCourse } from './ledger-scenario.ts'
import type { LedgerScenarioOptions } from './ledger-scenario.ts'
import type { SimResult } from './overlay-scenario.ts'
import { SimWorld } from './sim-world.ts'

/** X2: what has to come up in a thousand seeds. */
export const ACTOR_SOMETIMES = [
  'made again',
  'call made again',
  'name race',
  'detached survives its driver',
  'killed to restart',
  'stream read',
  'outlives its owner',
  'made again when its owner is gone',
  'killed while it is made again',
]

const QUIET_MS = 90_000
const SETTLE_MS = 3_000
const NAMES_MS = 60_000

/**
 * Rooms of actors: see `ActorWorkload` for the work, `LedgerFaults` for what goes wrong and `ActorOracle` for what is
 * checked meanwhile. Then repair, quiet, everything is called once more, released, and nothing may be left.
 */
export async function runActorScenario(options: LedgerScenarioOptions): Promise<SimResult> {
  const { seed } = options
  const world = new SimWorld({ seed, network: networkOf(seed) })
  const { clock } = world
  const room: LedgerRoom<ActorWorkload> = new LedgerRoom<ActorWorkload>(world, {
    nodes: options.nodes ?? 6,
    guards: options.guards ?? {},
    isCollected: false,
    work: (inRoom, seat, { api, ports: { name } }) =>
      new ActorWorkload({
        name,
        api,
        oracle,
        random: world.random.fork(`work of ${name}`),
        home: seat.name,
        isPresent: () => oracle.isPresent(name),
        places: () => inRoom.places(),
        count: (what) => inRoom.count(what),
        note: (text) => world.trace.add(`${name}: ${text}`),
        after: (ms, callback) => void clock.after(ms, callback),
      }),
    globals: (name) => ({ workerGlobals: oracle.globalsOf(name) }),
  })
  const oracle: ActorOracle = new ActorOracle(room)
  return runCourse(room, options, {
    quietMs: QUIET_MS,
    again: (workload) => workload.callAll(),
    check: () => {
      checkCalls(room, oracle)
      checkForks(room, oracle)
    },
    checkLeft: async (calmMs) => {
      await endDetached(room, oracle)
      await checkLeft(room, calmMs)
      checkEnded(room, oracle)
    },
  })
}

/** Detached actors are there until they are killed, and then their names are free. */
async function endDetached(room: LedgerRoom<ActorWorkload>, oracle: ActorOracle): Promise<void> {
  const { clock } = room.world
  const workload = must(room.seats[0]?.workload)
  const specs = [...oracle.specs.values()].filter(({ isDetached, isEnded }) => isDetached && !isEnded)
  const end = async (): Promise<readonly ActorSpec[]> => {
    let missing: readonly ActorSpec[] | undefined
    void workload.endDetached(specs).then((found) => (missing = found))
    if (!(await clock.runUntil(() => missing !== undefined, NAMES_MS)))
      room.violated('T1: a name is looked for in vain')
    return missing ?? specs
  }
  let missing = await end()
  for (const spec of missing)
    if (spec.isHeard && !mayBeDead(room, oracle, spec)) room.violated(`SA14: nobody finds the detached ${spec.label}`)
  const named = specs.length - missing.length
  for (const spec of specs) spec.isEnded = true
  await clock.run(clock.now() + SETTLE_MS)
  missing = await end()
  if (missing.length < specs.length)
    room.violated(`D3: of ${named} names of actors that were killed ${specs.length - missing.length} are still theirs`)
}
