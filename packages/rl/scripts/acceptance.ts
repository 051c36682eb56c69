/**
 * Full acceptance of the shipped settings: `npx tsx packages/rl/scripts/acceptance.ts [cartpole|pendulum]`, one to three
 * minutes on one core. Prints a line a seed and exits 1 when too few seeds solve. A fresh evaluation of 100 episodes, the
 * same for all seeds, stands beside the one that ended the run, since that one was chosen for being good.
 */
import { mean } from '../src/es/mean.ts'
import { runEvaluation } from '../src/es/rollout.ts'
import { ES_SETTINGS } from '../src/es/settings.ts'
import type { EsSettings, EsSettingsName } from '../src/es/settings.ts'
import { trainLocally } from '../src/es/train-locally.ts'

const GOALS: {
  readonly [Name in EsSettingsName]: { readonly seeds: number; readonly share: number; readonly maxSteps: number }
} = {
  cartpole: { seeds: 10, share: 0.9, maxSteps: Number.POSITIVE_INFINITY },
  // Ten seeds would tell 60 % from 80 % badly.
  pendulum: { seeds: 30, share: 0.7, maxSteps: 10_000_000 },
}
const FRESH_EPISODES = Uint32Array.from({ length: 100 }, (_, i) => 1_000_000 + i)

function accept(name: EsSettingsName): boolean {
  const settings: EsSettings = ES_SETTINGS[name]
  const { seeds, share, maxSteps } = GOALS[name]
  let solved = 0
  for (let seed = 0; seed < seeds; seed += 1) {
    const startMs = performance.now()
    const run = trainLocally(settings, seed, maxSteps)
    const seconds = (performance.now() - startMs) / 1000
    const isGood = run.solved && run.steps <= maxSteps
    if (isGood) solved += 1
    const fresh = mean(
      runEvaluation(run.state.theta, { policy: settings.policy, episodeSeeds: FRESH_EPISODES }).returns,
    )
    process.stdout.write(
      `${name} seed ${seed}: ${isGood ? 'solved' : 'NOT solved'}, ${run.iterations} iterations, ${run.steps} steps, ` +
        `${seconds.toFixed(2)} s, return ${run.evalReturn.toFixed(1)}, fresh ${fresh.toFixed(1)}\n`,
    )
  }
  process.stdout.write(`${name}: ${solved} of ${seeds} seeds, ${share * seeds} wanted\n`)
  return solved >= share * seeds
}

const wanted = process.argv[2]
const names = (Object.keys(GOALS) as EsSettingsName[]).filter((name) => wanted === undefined || name === wanted)
if (names.length === 0) throw new RangeError(`no settings named '${wanted}'`)
process.exitCode = names.map(accept).every(Boolean) ? 0 : 1
