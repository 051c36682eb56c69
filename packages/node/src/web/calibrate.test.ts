import { expect, it } from 'vitest'
import { calibrate } from './calibrate.ts'

it('is the median of short slices, between which others have their turn', async () => {
  let nowMs = 0
  let turns = 0
  // Each look at the clock is a millisecond of work; the first slice is slow, as with a cold compiler.
  const speed = await calibrate(
    () => (nowMs += turns === 0 ? 100 : 1),
    () => {
      turns++
      return Promise.resolve()
    },
  )
  // 4 rounds of 20,000 in 4 ms.
  expect(speed).toBe(20)
  expect(turns).toBe(9)
})
