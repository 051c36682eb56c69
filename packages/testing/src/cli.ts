import { parseArgs } from 'node:util'
import { runOverlayScenario } from './overlay-scenario.ts'
import type { SimResult } from './overlay-scenario.ts'

/**
 * `npm run sim -- --seeds N --nodes N --seed S`: runs seeds S .. S+N-1, each twice, since a run that does not repeat
 * finds nothing that could be looked at again (R2). Stops at the first failure and prints its seed and last events.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      nodes: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
    },
  })
  const first = number('seed', values.seed, 1)
  const count = number('seeds', values.seeds, values.seed === undefined ? 20 : 1)
  const nodes = values.nodes === undefined ? undefined : number('nodes', values.nodes, 3)
  if (nodes !== undefined && (nodes < 2 || nodes > 32)) throw new RangeError('--nodes must be between 2 and 32')
  const say = (text: string, fields: object): void => {
    console.log(values.json === true ? JSON.stringify(fields) : text)
  }
  const totals: Record<string, number> = {}
  for (let seed = first; seed < first + count; seed++) {
    const options = { seed, nodes: nodes ?? 3 + (seed % 6) }
    const result = await runOverlayScenario(options)
    const again = await runOverlayScenario(options)
    const violations = [...result.violations]
    if (result.hash !== again.hash) violations.push(`R2: two runs gave ${result.hash} and ${again.hash}`)
    for (const [name, value] of Object.entries(result.counters)) totals[name] = (totals[name] ?? 0) + value
    if (violations.length > 0) {
      report({ ...result, violations }, options.nodes, say)
      return 1
    }
    say(`seed ${seed}: ${options.nodes} nodes, ${result.events} events, ${result.hash.slice(0, 16)}`, {
      ...options,
      events: result.events,
      hash: result.hash,
      ok: true,
    })
  }
  const summary = Object.entries(totals).map(([name, value]) => `${value} ${name}`)
  say(`${count} seeds, each run twice, all invariants held: ${summary.join(', ')}`, { seeds: count, totals, ok: true })
  return 0
}

function report(result: SimResult, nodes: number, say: (text: string, fields: object) => void): void {
  const { seed, violations, log } = result
  const text = [
    ...log.slice(-60),
    `seed ${seed} broke ${violations.length} times:`,
    ...violations.slice(0, 10).map((violation) => `  ${violation}`),
    `again: npm run sim -- --seed ${seed} --nodes ${nodes}`,
  ]
  say(text.join('\n'), { seed, nodes, ok: false, violations, log })
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
