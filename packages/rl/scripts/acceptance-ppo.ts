/**
 * Full acceptance of PPO's shipped settings: `npx tsx packages/rl/scripts/acceptance-ppo.ts [cartpole|pendulum|acrobot]`, about
 * two minutes on one core. Prints a line a seed and exits 1 when fewer than four of five seeds solve within the steps.
 */
import { PPO_SETTINGS } from '../src/ppo/ppo-settings.ts'
import type { PpoSettingsName } from '../src/ppo/ppo-settings.ts'
import { trainPpoLocally } from '../src/ppo/train-locally.ts'

const SEEDS = [0, 1, 2, 3, 4]
const MAX_STEPS: { readonly [Name in PpoSettingsName]: number } = {
  cartpole: 500_000,
  pendulum: 300_000,
  acrobot: 500_000,
}

function accept(name: PpoSettingsName): boolean {
  let solved = 0
  for (const seed of SEEDS) {
    const startMs = performance.now()
    const run = trainPpoLocally(PPO_SETTINGS[name], seed)
    const isGood = run.solved && run.steps <= MAX_STEPS[name]
    if (isGood) solved += 1
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    const reached = run.meanReturns.at(-1)?.toFixed(1)
    process.stdout.write(
      `${name} seed ${seed}: ${isGood ? 'solved' : 'NOT solved'}, ${run.steps} steps, ${seconds} s, ${reached}\n`,
    )
  }
  return solved >= 4
}

const wanted = process.argv[2]
const names = (Object.keys(MAX_STEPS) as PpoSettingsName[]).filter((name) => wanted === undefined || name === wanted)
if (names.length === 0) throw new RangeError(`no settings named '${wanted}'`)
process.exitCode = names.map(accept).every(Boolean) ? 0 : 1
