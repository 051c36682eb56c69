import { afterEach, beforeEach, expect, it } from 'vitest'
import { ALPHA_ZERO_SETTINGS } from '@shoal/rl'
import { createTestRoom } from '@shoal/sdk/testing'
import type { SoftwareGpu, TestRoom } from '@shoal/sdk/testing'
import { sweep } from './hyper-parameter-sweep.ts'
import type { Trial } from './hyper-parameter-sweep.ts'
import { multiply } from './gpu-product.ts'
import { processPictures } from './image-batch.ts'
import type { Picture } from './image-batch.ts'
import { learnConnectFour } from './learn-connect-four.ts'
import type { Round } from './learn-connect-four.ts'
import { estimatePi } from './monte-carlo.ts'
import { searchFiles } from './text-search.ts'
import type { FoundFile } from './text-search.ts'

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 2, workers: 2, mustReleaseRefs: true, seed: 1 })
})

afterEach(async () => {
  await room.close()
})

it('estimates pi better with each task', async () => {
  const points: number[] = []
  const { pi, margin } = await estimatePi(10, 20_000, (estimate) => points.push(estimate.points))
  expect(points).toEqual(
    Array.from({ length: points.length }, (_, i) => points[i]).sort((a, b) => Number(a) - Number(b)),
  )
  expect(points.at(-1)).toBe(200_000)
  expect(margin).toBeLessThan(0.01)
  expect(Math.abs(pi - Math.PI)).toBeLessThan(2 * margin)
})

it('stops the worst learning rates early and finishes with the best', async () => {
  const seen: Trial[] = []
  const rates = [1e-4, 1e-3, 0.01, 0.05, 0.2, 5]
  const trials = await sweep(rates, 4, 50, (trial) => seen.push(trial))
  expect(trials).toHaveLength(rates.length)
  expect(trials[0]).toMatchObject({ rate: 0.2, state: 'finished', round: 4 })
  expect(trials.find(({ rate }) => rate === 5)).toMatchObject({ state: 'stopped', round: 1 })
  expect(seen.length).toBeLessThan(rates.length * 4)
  expect(trials.filter(({ state }) => state === 'stopped').length).toBeGreaterThanOrEqual(3)
})

it('turns pictures grey and soft, each once', async () => {
  const pictures = Array.from({ length: 5 }, (_, n): Picture => {
    const pixels = new Uint8ClampedArray(8 * 6 * 4)
    for (let i = 0; i < 8 * 6; i++) pixels.set([i % 8 < 4 ? 255 : 0, 40 * n, 0, 255], 4 * i)
    return { width: 8, height: 6, pixels }
  })
  const done = new Map<number, Picture>()
  await processPictures(pictures, 1, (index, picture) => done.set(index, picture))
  expect([...done.keys()].sort()).toEqual([0, 1, 2, 3, 4])
  const row = [...(done.get(0)?.pixels ?? [])].filter((_, i) => i % 4 === 0).slice(0, 8)
  // 0.299 * 255 = 76: two thirds and one third of it on both sides of the edge.
  expect(row).toEqual([76, 76, 76, 51, 25, 0, 0, 0])
  expect(done.get(4)?.pixels.slice(0, 4)).toEqual(Uint8ClampedArray.of(170, 170, 170, 255))
})

it('finds lines in files and says which are no text', async () => {
  const files = [
    new File(['one fish\ntwo FISH\nred'], 'a.txt'),
    new File([new Uint8Array([0xff, 0xfe, 0xfd])], 'b.bin'),
    new File(['no such thing'], 'c.txt'),
  ]
  const found: FoundFile[] = []
  expect(await searchFiles(files, 'fish', (file) => found.push(file))).toBe(2)
  expect(found.find(({ name }) => name === 'a.txt')?.matches).toEqual([
    { line: 1, text: 'one fish' },
    { line: 2, text: 'two FISH' },
  ])
  expect(found.find(({ name }) => name === 'b.bin')?.problem).toMatch(/utf-8/i)
  expect(found).toHaveLength(3)
  await expect(searchFiles(files, ' ', () => undefined)).rejects.toThrow(RangeError)
})

it('plays, learns and serves connect four at the same time', async () => {
  const { connectFour } = ALPHA_ZERO_SETTINGS
  const settings = { ...connectFour, selfPlay: { ...connectFour.selfPlay, games: 4, simulations: 20 } }
  const rounds: Round[] = []
  await learnConnectFour({ rounds: 6, tasks: 3, matchGames: 4, settings }, (round) => rounds.push(round))
  expect(rounds.map(({ games }) => games)).toEqual([4, 8, 12, 16, 20, 24])
  expect(rounds.at(-1)!.policyLoss).toBeLessThan(rounds[0]!.policyLoss)
  for (const { match } of rounds) expect(match.wins + match.draws + match.losses).toBe(4)
})

it('multiplies matrices tile by tile, each on a GPU', async () => {
  await room.close()
  // Knows what the shader does: rows of 512 numbers of `a` times columns of `b`, into a tile of 256 x 256.
  const gpu: SoftwareGpu = {
    run({ buffers, constants, workgroups }) {
      const [a, b, c] = ['a', 'b', 'c'].map((name) => new Float32Array(buffers[name]?.buffer ?? new ArrayBuffer(0)))
      const { n = 0, tile = 0 } = constants
      expect([n, tile, ...workgroups]).toEqual([512, 256, 8, 8, 1])
      // The matrices are diagonal.
      for (let y = 0; y < tile; y++)
        for (let k = 0; k < n; k++)
          if (a?.[y * n + k]) for (let x = 0; x < tile; x++) c![y * tile + x]! += a[y * n + k]! * b![k * tile + x]!
    },
  }
  room = await createTestRoom({ tabs: [{}, { gpu }, { gpu }], mustReleaseRefs: true })
  const diagonal = (of: (i: number) => number): Float32Array => {
    const made = new Float32Array(512 * 512)
    for (let i = 0; i < 512; i++) made[i * 512 + i] = of(i)
    return made
  }
  const seen: string[] = []
  await multiply(
    diagonal((i) => i),
    diagonal(() => 2),
    512,
    ({ x, y, side, c, gpu: maker }) => {
      const wrong = c.findIndex((value, i) => {
        const [column, row] = [x + (i % side), y + Math.floor(i / side)]
        return value !== (column === row ? 2 * row : 0)
      })
      seen.push(`${x} ${y} ${wrong} ${maker}`)
    },
  )
  expect(seen.sort()).toEqual(['0 0 -1 test', '0 256 -1 test', '256 0 -1 test', '256 256 -1 test'])
})
