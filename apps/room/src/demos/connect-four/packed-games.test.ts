import { ConnectFour, encodeGames, PolicyValueNet, selfPlay } from '@shoal/rl'
import { expect, it } from 'vitest'
import { mirrorGames, packGames, unpackGames } from './packed-games.ts'
import { FOUR_SETTINGS } from './four-settings.ts'

const played = await (() => {
  const network = new PolicyValueNet(FOUR_SETTINGS.network, 3)
  const weights = Float32Array.from({ length: network.parameterCount }, (_, i) => Math.sin(i) / 10)
  return selfPlay((games) => network.evaluate(weights, games), {
    ...FOUR_SETTINGS.selfPlay,
    games: 3,
    simulations: 8,
    seed: 5,
  })
})()

it('gives back exactly what was packed, in an eighth of the bytes', () => {
  const packed = packGames(played)
  expect(unpackGames(packed)).toEqual(played)
  const bytes = packed.stones.byteLength + packed.policies.byteLength + packed.outcomes.byteLength
  expect(bytes).toBeLessThan((played.inputs.byteLength + played.policies.byteLength + played.outcomes.byteLength) / 8)
})

it('refuses what does not fit together', () => {
  const packed = packGames(played)
  expect(() => unpackGames({ ...packed, positions: packed.positions + 1 })).toThrow(RangeError)
  expect(() => unpackGames({ ...packed, outcomes: new Int8Array(1) })).toThrow(RangeError)
})

it('mirrors stones and policies alike, and twice is once', () => {
  const left = new ConnectFour([0, 1, 0, 2])
  const right = new ConnectFour([6, 5, 6, 4])
  const one = { positions: 1, outcomes: Float32Array.of(1), ends: [1, 0, 0] } as const
  const mirrored = mirrorGames({ ...one, inputs: encodeGames([left]), policies: Float32Array.of(1, 2, 3, 4, 5, 6, 7) })
  expect(mirrored).toEqual({
    ...one,
    inputs: encodeGames([right]),
    policies: Float32Array.of(7, 6, 5, 4, 3, 2, 1),
  })
  expect(mirrorGames(mirrorGames(played))).toEqual(played)
})
