import { expect, it } from 'vitest'
import { eventRing } from './event-ring.ts'

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n)

function read(ring: ReturnType<typeof eventRing<number>>, from: number, most = Infinity) {
  const taken: number[] = []
  const part = ring.read(from, (event) => taken.length < most && taken.push(event) > 0)
  return { ...part, taken }
}

it('[Q10] what is overwritten before it is read is counted, to the last one', () => {
  const ring = eventRing<number>(8)
  for (const n of numbers(5)) ring.add(n)
  expect(read(ring, 0)).toEqual({ next: 5, dropped: 0, left: 0, taken: numbers(5) })
  for (const n of numbers(20, 5)) ring.add(n)
  expect(read(ring, 5)).toEqual({ next: 25, dropped: 12, left: 0, taken: numbers(8, 17) })
  expect(read(ring, 25)).toEqual({ next: 25, dropped: 0, left: 0, taken: [] })
})

it('[Q10] what does not fit is left for the next question', () => {
  const ring = eventRing<number>(8)
  for (const n of numbers(6)) ring.add(n)
  expect(read(ring, 1, 3)).toEqual({ next: 4, dropped: 0, left: 2, taken: [1, 2, 3] })
  expect(read(ring, 4)).toEqual({ next: 6, dropped: 0, left: 0, taken: [4, 5] })
})

it('[Q10] numbers go on over what was never seen, and over what was forgotten', () => {
  const ring = eventRing<number>(8)
  ring.skipTo(100)
  ring.add(1)
  expect(read(ring, 0)).toEqual({ next: 101, dropped: 100, left: 0, taken: [1] })
  ring.clear()
  ring.skipTo(50)
  expect(read(ring, 101)).toEqual({ next: 101, dropped: 0, left: 0, taken: [] })
  ring.skipTo(110)
  expect(read(ring, 101)).toEqual({ next: 110, dropped: 9, left: 0, taken: [] })
})

it('[Q10] a number that was never given is read from the start', () => {
  const ring = eventRing<number>(8)
  ring.add(1)
  expect(read(ring, 2 ** 40)).toEqual({ next: 1, dropped: 0, left: 0, taken: [1] })
})
