import { describe, expect, test } from 'vitest'
import { explore } from '../explorer/explore.ts'
import { actorModel } from './actor-model.ts'
import type { ActorGuard, ActorOptions } from './actor-model.ts'

const isLarge = process.env.SHOAL_MODELS === 'large'
const LIMIT_MS = isLarge ? 3_600_000 : 240_000

const NOTHING = {
  callsEach: 1,
  checkpointEvery: 1,
  maxTaskRetries: 0,
  crashes: 0,
  falseDeaths: 0,
  staleTakeOvers: 0,
  newLinks: 0,
}

describe("[X3] an actor's restart with two callers", () => {
  const actors: Record<string, ActorOptions> = {
    'a crash, a checkpoint every 2 calls': { ...NOTHING, callsEach: 2, checkpointEvery: 2, crashes: 1 },
    'a false death and a stale successor': { ...NOTHING, falseDeaths: 1, staleTakeOvers: 1 },
    'a false death, then a crash': { ...NOTHING, crashes: 1, falseDeaths: 1 },
    'fresh, at most once, a crash': { ...NOTHING, callsEach: 2, checkpointEvery: 0, crashes: 1, newLinks: 1 },
    'fresh, one retry, a false death': {
      ...NOTHING,
      callsEach: 2,
      checkpointEvery: 0,
      maxTaskRetries: 1,
      falseDeaths: 1,
      newLinks: 1,
    },
  }
  const largeActors: Record<string, ActorOptions> = {
    'a crash and a new session': { ...NOTHING, callsEach: 2, checkpointEvery: 2, crashes: 1, newLinks: 1 },
    'two calls, a false death and a stale successor': {
      ...NOTHING,
      callsEach: 2,
      checkpointEvery: 2,
      falseDeaths: 1,
      staleTakeOvers: 1,
    },
  }
  for (const [name, options] of Object.entries(isLarge ? { ...actors, ...largeActors } : actors)) {
    test(`keeps every promise: ${name}`, { timeout: LIMIT_MS }, () => {
      const found = explore(actorModel(options), { maxStates: 20_000_000 })
      console.log(`${name}: ${String(found.states)} states, ${String(found.depth)} steps deep`)
      expect(found.broken).toBeUndefined()
      expect(found.exhausted).toBe(true)
    })
  }

  test('meets what it is about', { timeout: LIMIT_MS }, () => {
    const found = explore(actorModel({ ...NOTHING, crashes: 1, falseDeaths: 1 }), { maxStates: 1_000_000 })
    for (const [name, states] of Object.entries(found.situations)) expect(states, name).toBeGreaterThan(0)
  })

  const crash = { ...NOTHING, callsEach: 2, checkpointEvery: 2, crashes: 1 }
  const losses: [ActorGuard, ActorOptions, RegExp][] = [
    ['liveTable', { ...NOTHING, checkpointEvery: 0, newLinks: 1 }, /A5|A6/],
    ['table', crash, /A6: a call is twice/],
    ['replies', crash, /T1: .* waits for ever/],
    ['positions', crash, /A6: two replies come from different histories/],
    ['order', crash, /A6: two replies come from different histories/],
    ['fence', { ...NOTHING, falseDeaths: 1 }, /A1/],
    ['pair', { ...NOTHING, falseDeaths: 1, staleTakeOvers: 1 }, /A1/],
    ['storeFence', { ...crash, crashes: 0, falseDeaths: 1 }, /A6/],
    ['gather', crash, /A6/],
    ['keep', crash, /A6: a call that was answered is lost/],
  ]
  for (const [guard, options, loss] of losses) {
    test(`needs the guard "${guard}"`, { timeout: LIMIT_MS }, () => {
      const found = explore(actorModel({ ...options, without: [guard] }), { maxStates: 2_000_000 })
      const trace = found.broken?.trace ?? []
      console.log(
        [`without ${guard}, ${String(trace.length)} steps, ${String(found.states)} states: ${found.broken?.what ?? ''}`]
          .concat(trace)
          .join('\n  '),
      )
      expect(found.broken?.what).toMatch(loss)
    })
  }
})
