import { describe, it } from 'vitest'
import { conformanceCases } from './conformance/index.ts'
import { runSimulated } from './conformance/sim-page.ts'

const ROOMS = [
  { kind: 'one simulated tab', tabs: 1, driverSlots: 1 },
  { kind: 'three simulated tabs', tabs: 3, driverSlots: 1 },
  { kind: 'three simulated tabs, of which the driver runs nothing', tabs: 3, driverSlots: 0 },
]

/** For machines with much else to do: the largest case takes a second. */
const LIMIT_MS = 60_000

describe.each(ROOMS)('in a room of $kind', (room) => {
  conformanceCases((title, run, needs = {}) => {
    if (needs.isAlone === true && room.tabs > 1) return
    it(title, () => runSimulated(run, room, needs), LIMIT_MS)
  })
})
