import { parseArgs } from 'node:util'
import { LEDGER_SCENARIOS, runLedgerSeeds } from './ledger-cli.ts'
import { runOverlayScenario } from './overlay-scenario.ts'
import type { SimResult } from './overlay-scenario.ts'
import { ROOM_PROFILES, runRoomScenario } from './room-scenario.ts'

/**
 * `npm run sim -- --seeds N --from S --scenario overlay|room|ledgers|actors|all --nodes N --profile P`: runs seeds S .. S+N-1, each twice, since a run that does not repeat
 * finds nothing that could be looked at again (R2). Stops at the first failure and prints its seed and last events.
 * Ledgers and actors have a way of their own, see `runLedgerSeeds`: as many processes as there are cores, or `--jobs N`; each seed once
 * with `--once`.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      nodes: { type: 'string' },
      seed: { type: 'string' },
      from: { type: 'string' },
      scenario: { type: 'string' },
      profile: { type: 'string' },
      jobs: { type: 'string' },
      once: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  })
  const first = number('from', values.from, number('seed', values.seed, 1))
  const count = number('seeds', values.seeds, values.seed === undefined ? 20 : 1)
  const nodes = values.nodes === undefined ? undefined : number('nodes', values.nodes, 3)
  if (nodes !== undefined && (nodes < 4 || nodes > 500)) throw new RangeError('--nodes must be between 4 and 500')
  const say = (text: string, fields: object): void => {
    console.log(values.json === true ? JSON.stringify(fields) : text)
  }
  // Where the nodes are many, only the ledgers' scenario has a use for them.
  const isLarge = values.scenario === undefined && nodes !== undefined && nodes > 32
  const scenario = LEDGER_SCENARIOS.find((name) => name === values.scenario) ?? (isLarge ? 'ledgers' : undefined)
  if (scenario !== undefined)
    return await runLedgerSeeds({
      scenario,
      first,
      count,
      nodes: nodes ?? 8,
      profile: values.profile,
      jobs: values.jobs === undefined ? undefined : Math.max(1, number('jobs', values.jobs, 1)),
      isTwice: values.once !== true,
      say,
    })
  if (nodes !== undefined && nodes > 32)
    throw new RangeError('--nodes is at most 32 but for --scenario ledgers and actors')
  const scenarios = pickScenarios(values.scenario)
  const profile = ROOM_PROFILES.find((known) => known === values.profile)
  if (values.profile !== undefined && profile === undefined)
    throw new RangeError(`--profile must be one of ${ROOM_PROFILES.join(', ')}`)
  const totals: Record<string, number> = {}
  for (let seed = first; seed < first + count; seed++)
    for (const scenario of scenarios) {
      const overlay = { seed, nodes: nodes ?? 3 + (seed % 6) }
      const room = { seed, ...(profile !== undefined && { profile }) }
      const run = (): Promise<SimResult> =>
        scenario === 'overlay' ? runOverlayScenario(overlay) : runRoomScenario(room)
      const result = await run()
      const again = await run()
      const violations = [...result.violations]
      if (result.hash !== again.hash) violations.push(`R2: two runs gave ${result.hash} and ${again.hash}`)
      for (const [name, value] of Object.entries(result.counters)) totals[name] = (totals[name] ?? 0) + value
      if (violations.length > 0) {
        const flags = scenario === 'overlay' ? `--nodes ${overlay.nodes}` : profile ? `--profile ${profile}` : ''
        report({ ...result, violations }, scenario, flags, say)
        return 1
      }
      say(`seed ${seed}: ${scenario}, ${result.events} events, ${result.hash.slice(0, 16)}`, {
        ...(scenario === 'overlay' ? overlay : room),
        scenario,
        events: result.events,
        hash: result.hash,
        ok: true,
      })
    }
  const summary = Object.entries(totals).map(([name, value]) => `${value} ${name}`)
  say(`${count} seeds, each run twice, all invariants held: ${summary.join(', ')}`, { seeds: count, totals, ok: true })
  return 0
}

type Scenario = (typeof SCENARIOS)[number]
const SCENARIOS = ['overlay', 'room'] as const

function pickScenarios(name: string | undefined): readonly Scenario[] {
  if (name === undefined || name === 'all') return SCENARIOS
  const known = SCENARIOS.find((scenario) => scenario === name)
  if (known === undefined)
    throw new RangeError(`--scenario must be one of ${[...SCENARIOS, ...LEDGER_SCENARIOS].join(', ')}, all`)
  return [known]
}

function report(
  result: SimResult,
  scenario: Scenario,
  flags: string,
  say: (text: string, fields: object) => void,
): void {
  const { seed, violations, log } = result
  const text = [
    ...log.slice(-60),
    `seed ${seed} of ${scenario} broke ${violations.length} times:`,
    ...violations.slice(0, 10).map((violation) => `  ${violation}`),
    `again: npm run sim -- --scenario ${scenario} --seed ${seed} ${flags}`,
  ]
  say(text.join('\n'), { seed, scenario, ok: false, violations, log })
}

function number(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${name} must be a whole number, not ${text}`)
  return Number(text)
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof RangeError ? `shoal sim: ${error.message}` : error)
  return 1
})
