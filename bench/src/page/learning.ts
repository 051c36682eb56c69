// Learning: evolution strategies over more and more tabs, beside what as many independent workers do, and gathering that
// does not wait for the slowest beside gathering that does.
import { createEsState, ES_SETTINGS, esPlan, evaluate, mixSeeds, trainEs, trainOver, Xoshiro128 } from '@shoal/rl'
import type { EsFabric, EsSettings, EvaluateResult, RolloutRequest, RolloutResult } from '@shoal/rl'
import { currentSession, get, init, put, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { askAll } from './ask-all.ts'
import { episode, paddedRollouts } from './padded.remote.ts'
import type { RawRollouts } from './raw-rollouts.ts'

/** Never solved and measured once: a run's iterations are the same ones however many tabs there are. */
const PENDULUM: EsSettings = { ...ES_SETTINGS.pendulum, solvedReturn: 1, evaluateEvery: 1_000, evaluateEpisodes: 1 }

/** Milliseconds of an iteration whose tasks, one a pair of candidates, take `leastMs` each or longer. */
export async function paddedIterationMs(iterations: number, leastMs: number): Promise<number> {
  const fabric: EsFabric<ObjectRef<Float32Array>, ObjectRef<RolloutResult>, ObjectRef<EvaluateResult>> = {
    put: (theta) => put(theta),
    rollouts: (theta, request) => paddedRollouts.remote(theta, request, leastMs),
    evaluate: (theta, request) => evaluate.remote(theta, request),
    getRollouts: (ref) => get(ref),
    getEvaluation: (ref) => get(ref),
    async waitAny(refs) {
      const [[first]] = await wait([...refs], { numReturns: 1 })
      if (first === undefined) throw new Error('wait came back empty')
      return first
    },
    nowMs: () => performance.now(),
  }
  const settings = { ...PENDULUM, maxIterations: iterations + 1 }
  let start = 0
  let end = 0
  for await (const { iteration } of trainOver(fabric, { settings, seed: 1, tasks: settings.pairs })) {
    end = performance.now()
    // The first one brings code and noise to every worker.
    if (iteration === 0) start = end
  }
  return (end - start) / iterations
}

export interface EsRate {
  readonly stepsPerSecond: number
  /** What this tab sends and receives in an iteration. */
  readonly bytesPerIteration: number
}

/** Environment steps a second of rollouts that compute, over all tabs of the room, and what they cost on the wire. */
export async function esRate(iterations: number, pairs: number, tasks: number): Promise<EsRate> {
  const settings: EsSettings = { ...PENDULUM, pairs, maxIterations: iterations + 1 }
  let [startedAt, firstSteps, steps, endedAt, sent] = [0, 0, 0, 0, 0]
  for await (const done of trainEs({ settings, seed: 1, tasks })) {
    endedAt = performance.now()
    steps = done.steps
    if (done.iteration > 0) continue
    startedAt = endedAt
    firstSteps = done.steps
    sent = traffic()
  }
  // The counts of links come a few times a second.
  await new Promise((resolve) => setTimeout(resolve, 700))
  return {
    stepsPerSecond: ((steps - firstSteps) / (endedAt - startedAt)) * 1000,
    bytesPerIteration: (traffic() - sent) / iterations,
  }
}

function traffic(): number {
  const { bytesSent = 0, bytesReceived = 0 } = currentSession()?.status() ?? {}
  return bytesSent + bytesReceived
}

/** The same rollouts in bare workers, all at once. */
export async function rawEsStepsPerSecond(workers: number, forMs: number): Promise<number> {
  const { policy, noise, sigma, episodesPerPair } = PENDULUM
  const state = createEsState(PENDULUM, 1)
  const { indices, episodeSeeds } = esPlan(state, PENDULUM)
  const pairs = 2
  const request: RolloutRequest = {
    policy,
    noise,
    sigma,
    episodesPerPair,
    indices: indices.slice(0, pairs),
    episodeSeeds: episodeSeeds.slice(0, pairs),
  }
  const all = Array.from(
    { length: workers },
    () => new Worker(new URL('./raw-rollouts.ts', import.meta.url), { type: 'module' }),
  )
  const rollouts = { theta: state.theta, request }
  await askAll(all, { ...rollouts, forMs: 500 } satisfies RawRollouts)
  const steps = await askAll(all, { ...rollouts, forMs } satisfies RawRollouts)
  for (const worker of all) worker.terminate()
  return (steps / forMs) * 1000
}

export interface GatherTimes {
  /** Milliseconds of all rounds, over all draws. */
  readonly barrier: number
  readonly asReady: number
  /** Of a machine without any overhead, for the same lengths. */
  readonly idealBarrier: number
  readonly idealAsReady: number
}

/** Three rounds of one rollout for each of `slots`, with lengths drawn evenly: a round at a time, and each as soon as there is a slot. */
export async function gatherTimes(slots: number, draws: number, leastMs: number, mostMs: number): Promise<GatherTimes> {
  const rounds = 3
  let [barrier, asReady, idealBarrier, idealAsReady] = [0, 0, 0, 0]
  for (let draw = 0; draw < draws; draw++) {
    const random = new Xoshiro128(mixSeeds(slots, draw))
    const lengths = Array.from({ length: rounds * slots }, () => leastMs + (mostMs - leastMs) * random.nextDouble())
    barrier += await elapsed(async () => {
      for (let at = 0; at < lengths.length; at += slots) await get(episodes(lengths.slice(at, at + slots)))
    })
    asReady += await elapsed(async () => {
      const waiting = lengths.slice()
      let open = episodes(waiting.splice(0, slots))
      while (open.length > 0) {
        const [, rest] = await wait(open)
        open = [...rest, ...episodes(waiting.splice(0, slots - rest.length))]
      }
    })
    for (let at = 0; at < lengths.length; at += slots) idealBarrier += Math.max(...lengths.slice(at, at + slots))
    const free = new Array<number>(slots).fill(0)
    for (const ms of lengths) {
      const first = free.indexOf(Math.min(...free))
      free[first] = (free[first] ?? 0) + ms
    }
    idealAsReady += Math.max(...free)
  }
  return { barrier, asReady, idealBarrier, idealAsReady }
}

function episodes(lengths: readonly number[]): ObjectRef<number>[] {
  return lengths.map((ms) => episode.remote(ms))
}

async function elapsed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Milliseconds since the page was asked for until the first iteration of CartPole is there, this tab alone. */
export async function firstIterationMs(): Promise<number> {
  await init({ workers: 1 })
  for await (const done of trainEs({ settings: ES_SETTINGS.cartpole, seed: 1 })) {
    if (done.iteration === 0) break
  }
  return performance.now()
}
