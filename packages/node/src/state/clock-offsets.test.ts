import { expect, it } from 'vitest'
import type { NodeId } from '@shoal/protocol'
import { ClockOffsets } from './clock-offsets.ts'

const B = 'b'.repeat(32) as NodeId
const EPOCH_MS = 1_700_000_000_000

it('[Q8] clocks are compared by the quickest answer, and by how much that may be wrong is said', () => {
  const clocks = new ClockOffsets()
  expect(clocks.of(B, EPOCH_MS, 0)).toEqual({ offsetMs: 0, errorMs: 0 })
  // Its clock is 5 s ahead. Once the way back took 80 ms, then both took 2 ms.
  clocks.add(B, EPOCH_MS + 5_000 + 1_002, 1_000, 1_082)
  expect(clocks.of(B, EPOCH_MS, 1_082)).toEqual({ offsetMs: 4_961, errorMs: 41 })
  clocks.add(B, EPOCH_MS + 5_000 + 2_002, 2_000, 2_004)
  clocks.add(B, EPOCH_MS + 5_000 + 3_060, 3_000, 3_080)
  const { offsetMs, errorMs } = clocks.of(B, EPOCH_MS, 3_080)
  expect(offsetMs).toBe(5_000)
  expect(errorMs).toBeCloseTo(2 + 1_076 * 0.000_05)
  clocks.forget(B)
  expect(clocks.of(B, EPOCH_MS, 3_080).errorMs).toBe(0)
})
