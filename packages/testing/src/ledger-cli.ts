import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ACTOR_SOMETIMES, runActorScenario } from './actor-scenario.ts'
import { faultsOf, LEDGER_PROFILES } from './ledger-faults.ts'
import type { Fault, LedgerProfile } from './ledger-faults.ts'
import { runLedgerScenario } from './ledger-scenario.ts'
import type { LedgerScenarioOptions } from './ledger-scenario.ts'
import type { SimResult } from './overlay-scenario.ts'

export const LEDGER_SCENARIOS = ['ledgers', 'actors'] as const
export type LedgerScenarioName = (typeof LEDGER_SCENARIOS)[number]

const RUNS: Readonly<Record<LedgerScenarioName, (options: LedgerScenarioOptions) => Promise<SimResult>>> = {
  ledgers: runLedgerScenario,
  actors: runActorScenario,
}

export interface LedgerSeeds {
  readonly scenario: LedgerScenarioName
  readonly first: number
  readonly count: number
  readonly nodes: number
  readonly profile: string | undefined
  /** Processes. Default: one for each core. */
  readonly jobs?: number | undefined
  /** Whether each seed runs twice, and must do the same (R2). */
  readonly isTwice: boolean
  say(text: string, fields: object): void
}

/** X2: what has to come up in a thousand seeds. */
const IN_ANY_ROOM = [
  'successor dies while gathering',
  'owner thaws while gathering',
  'owner and successor die within 1 s',
  'dies before what it handed on is registered',
  'all tabs of a device die',
  'healed with two answerers',
  'verdict on a slow node',
]
const SOMETIMES: Readonly<Record<LedgerScenarioName, readonly string[]>> = {
  ledgers: IN_ANY_ROOM,
  actors: [...IN_ANY_ROOM, ...ACTOR_SOMETIMES],
}

/** Nearly all that a room makes is garbage at once, and the other cores have seeds of their own. */
const NODE_FLAGS = ['--min-semi-space-size=64', '--max-semi-space-size=64', '--single-threaded-gc']
const BUSY_MS = [8_000, 5_000, 3_000]
/** A failing seed's log, as much as a person reads. */
const LINES = 60

interface Said {
  readonly seed: number
  readonly violations: readonly string[]
  readonly counters: Readonly<Record<string, number>>
}

/**
 * Runs seeds of rooms of whole tabs in several processes, to the end: a failing seed does not stop the
 * others. The first one that failed is then made as short as it gets, and how to keep it is said.
 */
export async function runLedgerSeeds(options: LedgerSeeds): Promise<number> {
  const { scenario, first, count, nodes, isTwice, say } = options
  const jobs = options.jobs ?? availableParallelism()
  const profile = LEDGER_PROFILES.find((known) => known === options.profile)
  if (options.profile !== undefined && profile === undefined)
    throw new RangeError(`--profile must be one of ${LEDGER_PROFILES.join(', ')}`)
  const totals: Record<string, number> = {}
  const failed: Said[] = []
  const note = (said: Said): void => {
    for (const [name, value] of Object.entries(said.counters)) totals[name] = (totals[name] ?? 0) + value
    const isFine = said.violations.length === 0
    say(`seed ${said.seed}: ${isFine ? 'fine' : said.violations.slice(0, 3).join('; ')}`, said)
    if (!isFine) failed.push(said)
  }
  const parts = Array.from({ length: Math.min(jobs, count) }, (_, at) => at)
  await Promise.all(
    parts.map((at) =>
      runPart({ scenario, first: first + at, end: first + count, step: parts.length, nodes, profile, isTwice }, note),
    ),
  )
  const zero = SOMETIMES[scenario].filter((name) => (totals[name] ?? 0) === 0)
  const shown = Object.entries(totals).map(([name, value]) => `${value} ${name}`)
  say(
    `${count} seeds of ${nodes} nodes${isTwice ? ', each run twice' : ''}: ${failed.length} failed. ${shown.join(', ')}`,
    {
      totals,
      failed: failed.length,
    },
  )
  say(zero.length === 0 ? 'everything that has to come up came up' : `never came up: ${zero.join(', ')}`, { zero })
  const [worst] = failed.sort((a, b) => a.seed - b.seed)
  if (worst === undefined) return 0
  const short = await shorten(scenario, { seed: worst.seed, nodes, ...(profile !== undefined && { profile }) })
  const { seed, busyMs, without } = short.options
  const kept = JSON.stringify({ seed, nodes: short.options.nodes, ...(profile && { profile }), busyMs, without })
  say(
    [
      ...short.result.log.slice(-LINES),
      `seed ${seed} of ${scenario} broke ${worst.violations.length} times; the shortest run that still fails:`,
      ...short.result.violations.slice(0, 10).map((violation) => `  ${violation}`),
      `again: npm run sim -- --scenario ${scenario} --seed ${seed} --nodes ${nodes}${profile ? ` --profile ${profile}` : ''}`,
      `to keep it, add to REGRESSIONS in packages/testing/src/${scenario.slice(0, -1)}-scenario.sim.test.ts: ${kept}`,
    ].join('\n'),
    { ...short.options, violations: short.result.violations, log: short.result.log },
  )
  return 1
}

/** Leaves out one kind of fault after another, and time, for as long as the run still fails. */
export async function shorten(
  scenario: LedgerScenarioName,
  options: LedgerScenarioOptions,
): Promise<{ readonly options: LedgerScenarioOptions; readonly result: SimResult }> {
  const run = RUNS[scenario]
  let best = { options, result: await run(options) }
  const attempt = async (next: LedgerScenarioOptions): Promise<void> => {
    const result = await run(next)
    if (result.violations.length > 0) best = { options: next, result }
  }
  const profile = options.profile ?? LEDGER_PROFILES[options.seed % LEDGER_PROFILES.length] ?? 'harsh'
  const fewer = (fault: Fault): readonly Fault[] => [...(best.options.without ?? []), fault]
  for (const fault of faultsOf(profile)) await attempt({ ...best.options, without: fewer(fault) })
  for (const busyMs of BUSY_MS) await attempt({ ...best.options, busyMs })
  return best
}

interface Part {
  readonly scenario: LedgerScenarioName
  readonly first: number
  readonly end: number
  readonly step: number
  readonly nodes: number
  readonly profile: LedgerProfile | undefined
  readonly isTwice: boolean
}

/** A process of its own for every so many-th seed; it says one line of JSON a seed. */
function runPart(part: Part, note: (said: Said) => void): Promise<void> {
  const script = new URL('./ledger-part.ts', import.meta.url)
  const flags = [...NODE_FLAGS, ...process.execArgv]
  const child = spawn(process.execPath, [...flags, fileURLToPath(script), JSON.stringify(part)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).on('line', (line) => note(JSON.parse(line) as Said))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`a process of seeds ended with ${code}`))
    })
  })
}

export async function runSeeds(
  { scenario, first, end, step, nodes, profile, isTwice }: Part,
  note: (said: Said) => void,
): Promise<void> {
  for (let seed = first; seed < end; seed += step) {
    const options = { seed, nodes, ...(profile !== undefined && { profile }) }
    const { hash, violations, counters } = await RUNS[scenario](options)
    const again = isTwice ? (await RUNS[scenario](options)).hash : hash
    const r2 = hash === again ? [] : [`R2: two runs gave ${hash} and ${again}`]
    note({ seed, violations: [...violations, ...r2], counters })
  }
}
