import { createTestRoom } from '@shoal/sdk/testing'
import { describe, it } from 'vitest'
import { conformanceCases } from './conformance/index.ts'

/** Rooms that users test their own tasks in keep the same rules, in real time; `close` says what they leave. */
const tabs = 3
/** For machines with much else to do: the largest case takes a second. */
const LIMIT_MS = 60_000

describe('in a test room of three tabs', () => {
  conformanceCases((title, run, needs = {}) => {
    if (needs.crashes === true || needs.isSimulatedOnly === true || needs.isAlone === true) return
    it(
      title,
      async () => {
        const room = await createTestRoom({ tabs, install: false, console: false, seed: 1 })
        await run({
          api: room.session,
          tabs,
          now: () => performance.now(),
          pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        })
        await room.close()
      },
      LIMIT_MS,
    )
  })
})
