import type { OverlayGuards } from '@shoal/transport/testing'
import { describe, expect, it } from 'vitest'
import { runOverlayScenario } from './overlay-scenario.ts'
import { SessionGhost } from './session-ghost.ts'

const SEEDS = Array.from({ length: 50 }, (_, i) => i + 1)
const nodesOf = (seed: number): number => 3 + (seed % 6)

/** The first of 20 seeds that finds a guard missing, with the invariants it saw broken. */
async function firstFinding(guards: Partial<OverlayGuards>): Promise<string | undefined> {
  for (let seed = 1; seed <= 20; seed++) {
    const { violations } = await runOverlayScenario({ seed, nodes: 4, guards })
    if (violations.length > 0) return [...new Set(violations.map((line) => line.slice(0, 2)))].sort().join()
  }
  return undefined
}

describe('overlays on a bad network', () => {
  it('[L1][L2][R1][R2] keep their promises on 50 seeds, each run twice', { timeout: 120_000 }, async () => {
    const broken: string[] = []
    const totals: Record<string, number> = {}
    for (const seed of SEEDS) {
      const options = { seed, nodes: nodesOf(seed) }
      const [one, again] = [await runOverlayScenario(options), await runOverlayScenario(options)]
      for (const violation of one.violations) broken.push(`seed ${seed}: ${violation}`)
      if (one.hash !== again.hash) broken.push(`seed ${seed}: R2: the second run differs`)
      for (const [name, count] of Object.entries(one.counters)) totals[name] = (totals[name] ?? 0) + count
    }
    expect(broken).toEqual([])
    // [X2]: a run in which nothing went wrong would prove nothing.
    const faults = ['cut', 'cut both ways', 'failed link', 'freeze', 'signaling restart', 'kill', 'goodbye']
    for (const name of [...faults, 'false verdict']) expect(totals[name], name).toBeGreaterThan(10)
    expect(totals['delivered']).toBeGreaterThan(10_000)
  })

  it('[X2] see every kind of fault, and go on delivering under them', async () => {
    const { counters } = await runOverlayScenario({ seed: 3, nodes: 8, busyMs: 120_000 })
    const faults = ['cut', 'cut both ways', 'failed link', 'freeze', 'signaling restart', 'kill', 'goodbye']
    for (const name of [...faults, 'false verdict']) expect(counters[name], name).toBeGreaterThan(0)
    expect((counters['delivered'] ?? 0) / (counters['sent'] ?? 1)).toBeGreaterThan(0.6)
  })

  it('[R2] differ from seed to seed', async () => {
    const [one, other] = [
      await runOverlayScenario({ seed: 1, nodes: 3 }),
      await runOverlayScenario({ seed: 2, nodes: 3 }),
    ]
    expect(one.hash).not.toBe(other.hash)
  })

  it('[X1] break L2 without the refusal of old sessions', { timeout: 60_000 }, async () => {
    expect(await firstFinding({ refusesOldSessions: false })).toContain('L2')
  })

  it('[X1] break L1 without resending', { timeout: 60_000 }, async () => {
    expect(await firstFinding({ resends: false })).toContain('L1')
  })

  it('[X1] break L1 without dropping repeats', { timeout: 60_000 }, async () => {
    expect(await firstFinding({ dropsRepeats: false })).toContain('L1')
  })
})

describe('the ghost of sessions', () => {
  const a = { node: 'a'.repeat(32), session: 1 } as Parameters<SessionGhost['sent']>[0]
  const b = { node: 'b'.repeat(32), session: 1 } as Parameters<SessionGhost['sent']>[0]

  it('[L1] sees a repeat, a gap, an invention and a loss', () => {
    const ghost = new SessionGhost()
    for (let i = 0; i < 4; i++) ghost.sent(a, b)
    ghost.delivered(a, b, 0)
    expect(ghost.violations.length).toBe(0)
    ghost.delivered(a, b, 0)
    ghost.delivered(a, b, 2)
    ghost.delivered(a, b, 9)
    expect(ghost.violations.length).toBe(3)
    const other = new SessionGhost()
    other.sent(a, b)
    other.checkComplete(a, b)
    expect(other.violations.length).toBe(1)
    other.delivered(a, b, 0)
    other.checkComplete(a, b)
    expect(other.violations.length).toBe(1)
  })

  it('[L2] sees a message of a session that is over', () => {
    const ghost = new SessionGhost()
    ghost.over(b, { ...a, session: 0 })
    ghost.delivered(a, b, ghost.sent(a, b))
    expect(ghost.violations).toEqual([])
    ghost.over(b, a)
    ghost.delivered(a, b, ghost.sent(a, b))
    expect(ghost.violations.length).toBe(1)
    expect(ghost.violations[0]).toMatch(/^L2/)
  })
})
