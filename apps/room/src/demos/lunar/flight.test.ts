import { EnvRunner } from '@shoal/rl'
import type { Episode, Sample } from '@shoal/rl'
import { HEIGHT, WIDTH } from '@shoal/rl/lunar-lander'
import { describe, expect, it } from 'vitest'
import { episodeLength } from '../episode.ts'
import { FlightLog, STATE_SIZE } from './flight.ts'
import { lunarSettings } from './lunar-run.ts'

const { module } = lunarSettings(1)
const PARAMETERS = new Float32Array(8 * 64 + 64 + 64 * 4 + 4)

function player(seed: number): (steps: number, round: number) => Sample {
  const runner = new EnvRunner({ module, envs: 2, seed, index: 0 })
  return (steps, round) => runner.sample(PARAMETERS, { steps, round, explore: { kind: 'sample' } })
}

describe('FlightLog', () => {
  it('puts flights together that samples cut, whole and in order', () => {
    const [whole, cut] = [player(1), player(1)]
    const log = new FlightLog()
    const wanted = new FlightLog().add({ runner: 0, nodeId: 'a', ...whole(800, 0) })
    // The same round draws the same actions only for the same steps: what is compared is where flights begin and how long they are.
    const flights = Array.from({ length: 20 }, (_, round) =>
      log.add({ runner: 0, nodeId: 'a', ...cut(40, round) }),
    ).flat()
    expect(flights.length).toBeGreaterThan(2)
    for (const flight of flights) {
      const [x, y] = flight.states
      expect(Math.abs(x! - WIDTH / 2)).toBeLessThan(0.5)
      expect(Math.abs(y! - HEIGHT)).toBeLessThan(0.5)
      expect(episodeLength(flight)).toBeGreaterThan(40)
      // Steps of a fiftieth of a second: nothing jumps.
      for (let i = STATE_SIZE; i < flight.states.length; i += STATE_SIZE) {
        expect(Math.abs(flight.states[i]! - flight.states[i - STATE_SIZE]!)).toBeLessThan(0.5)
        expect(Math.abs(flight.states[i + 1]! - flight.states[i + 1 - STATE_SIZE]!)).toBeLessThan(0.5)
      }
    }
    expect(wanted[0]!.states.slice(0, 2)).toEqual(flights[0]!.states.slice(0, 2))
  })

  it('says which engine fired and how it ended', () => {
    const observations = (count: number): Float32Array => new Float32Array(8 * count)
    const piece = (reward: number, ends: Partial<Episode> = {}): Episode => ({
      env: 0,
      length: 4,
      observations: observations(5),
      actions: Float32Array.of(0, 1, 2, 3),
      logProbs: new Float32Array(4),
      rewards: Float32Array.of(0, 0, 0, reward),
      isTerminated: true,
      isTruncated: false,
      ...ends,
    })
    const one = (episode: Episode): unknown => new FlightLog().add({ runner: 0, nodeId: 'a', episodes: [episode] })[0]
    expect(one(piece(100))).toMatchObject({ outcome: 'landed', nodeId: 'a', stateSize: STATE_SIZE })
    expect(one(piece(-100))).toMatchObject({ outcome: 'crashed' })
    expect(one(piece(1, { isTerminated: false, isTruncated: true }))).toMatchObject({ outcome: 'out of time' })
    const [flight] = new FlightLog().add({ runner: 0, nodeId: 'a', episodes: [piece(100)] })
    const engines = [1, 2, 3, 4].map((row) => [...flight!.states.slice(row * STATE_SIZE + 3, (row + 1) * STATE_SIZE)])
    expect(engines).toEqual([
      [0, 0],
      [0, -1],
      [1, 0],
      [0, 1],
    ])
  })

  it('forgets what a lost runner had begun', () => {
    const log = new FlightLog()
    log.add({ runner: 0, nodeId: 'a', ...player(1)(40, 0) })
    // Made again elsewhere, it begins new flights: the first pieces do not follow from the old ones.
    const again = player(2)
    const flights = Array.from({ length: 12 }, (_, round) =>
      log.add({ runner: 0, nodeId: 'b', ...again(40, round + 1) }),
    ).flat()
    const fresh = player(2)
    const alone = new FlightLog()
    const wanted = Array.from({ length: 12 }, (_, round) =>
      alone.add({ runner: 0, nodeId: 'b', ...fresh(40, round + 1) }),
    ).flat()
    expect(flights.length).toBeGreaterThan(0)
    expect(flights).toEqual(wanted)
  })
})
