/**
 * Full acceptance of the shipped settings of PPO and DQN: `npx tsx packages/rl/scripts/acceptance-learners.ts [NAME]`, about
 * fifteen minutes on one core, most of them LunarLander's. Prints a line a seed and exits 1 when fewer than four of five
 * seeds solve within the steps.
 */
import '../src/envs/lunar-lander/lunar-lander.ts'
import { DQN_SETTINGS } from '../src/dqn/dqn-settings.ts'
import { trainDqnLocally } from '../src/dqn/train-locally.ts'
import { PPO_SETTINGS } from '../src/ppo/ppo-settings.ts'
import { trainPpoLocally } from '../src/ppo/train-locally.ts'

interface Run {
  readonly solved: boolean
  readonly steps: number
  readonly meanReturns: readonly number[]
}

interface Goal {
  readonly train: (seed: number) => Run
  readonly maxSteps: number
}

const SEEDS = [0, 1, 2, 3, 4]
const GOALS: Readonly<Record<string, Goal>> = {
  'ppo-cartpole': { train: (seed) => trainPpoLocally(PPO_SETTINGS.cartpole, seed), maxSteps: 500_000 },
  'ppo-pendulum': { train: (seed) => trainPpoLocally(PPO_SETTINGS.pendulum, seed), maxSteps: 300_000 },
  'ppo-acrobot': { train: (seed) => trainPpoLocally(PPO_SETTINGS.acrobot, seed), maxSteps: 500_000 },
  'ppo-lunar-lander': { train: (seed) => trainPpoLocally(PPO_SETTINGS.lunarLander, seed), maxSteps: 1_500_000 },
  'dqn-cartpole': { train: (seed) => trainDqnLocally(DQN_SETTINGS.cartpole, seed), maxSteps: 100_000 },
}

function accept([name, { train, maxSteps }]: readonly [string, Goal]): boolean {
  let solved = 0
  for (const seed of SEEDS) {
    const startMs = performance.now()
    const run = train(seed)
    const isGood = run.solved && run.steps <= maxSteps
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
const chosen = Object.entries(GOALS).filter(([name]) => wanted === undefined || name === wanted)
if (chosen.length === 0) throw new RangeError(`no goal '${wanted}'; there are ${Object.keys(GOALS).join(', ')}`)
process.exitCode = chosen.map(accept).every(Boolean) ? 0 : 1
