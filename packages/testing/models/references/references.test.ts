import { describe, expect, test } from 'vitest'
import { explore } from '../explorer/explore.ts'
import type { Guards } from './protocol.ts'
import { referencesModel } from './references-model.ts'
import type { ReferencesOptions } from './references-model.ts'

/** Larger bounds take minutes: `SHOAL_MODELS=large npx vitest run packages/testing/models`. */
const isLarge = process.env.SHOAL_MODELS === 'large'
const LIMIT_MS = isLarge ? 3_600_000 : 240_000

const NOTHING = { handOvers: 0, freezes: 0, crashes: 0, falseVerdicts: 0 }

describe('[X3] references with take-over', () => {
  const rooms: ReferencesOptions[] = [
    { ...NOTHING, handOvers: 2, crashes: 1 },
    { ...NOTHING, handOvers: 1, falseVerdicts: 1 },
    { ...NOTHING, handOvers: 1, crashes: 1, falseVerdicts: 1 },
    { ...NOTHING, freezes: 1, falseVerdicts: 1 },
    { ...NOTHING, handOvers: 1, freezes: 1 },
    { ...NOTHING, handOvers: 2, falseVerdicts: 1 },
  ]
  const largeRooms: ReferencesOptions[] = [
    { ...NOTHING, handOvers: 2, freezes: 1 },
    { ...NOTHING, handOvers: 1, falseVerdicts: 2 },
    { ...NOTHING, handOvers: 1, freezes: 1, falseVerdicts: 1 },
    { ...NOTHING, handOvers: 2, crashes: 1, falseVerdicts: 1 },
    { ...NOTHING, handOvers: 3, crashes: 1 },
  ]
  for (const room of isLarge ? [...rooms, ...largeRooms] : rooms) {
    test(`lose and leak nothing: ${inWords(room)}`, { timeout: LIMIT_MS }, () => {
      const found = explore(referencesModel(room), { maxStates: 20_000_000 })
      console.log(`${inWords(room)}: ${String(found.states)} states, ${String(found.depth)} steps deep`)
      expect(found.broken).toBeUndefined()
      expect(found.exhausted).toBe(true)
    })
  }

  test('meets what it is about', { timeout: LIMIT_MS }, () => {
    const found = explore(referencesModel({ ...NOTHING, handOvers: 1, freezes: 1 }), { maxStates: 1_000_000 })
    for (const [name, states] of Object.entries(found.situations)) expect(states, name).toBeGreaterThan(0)
  })

  const losses: [keyof Guards, ReferencesOptions, RegExp][] = [
    ['pins', { ...NOTHING, handOvers: 2 }, /on its way and the object is freed/],
    ['numbers', { ...NOTHING, handOvers: 2, falseVerdicts: 1 }, /holds a reference/],
    ['sessions', { ...NOTHING, isHeldBySuccessor: true, handOvers: 1, falseVerdicts: 1 }, /never freed/],
    ['epochs', { ...NOTHING, handOvers: 2, falseVerdicts: 1 }, /holds a reference/],
    ['confirmedEpoch', { ...NOTHING, handOvers: 2, falseVerdicts: 1 }, /holds a reference/],
    ['gather', { ...NOTHING, falseVerdicts: 1 }, /holds a reference/],
    ['listedFirst', { ...NOTHING, handOvers: 2, freezes: 1 }, /holds a reference/],
    ['patience', { ...NOTHING, handOvers: 1, falseVerdicts: 1 }, /on its way and the object is freed/],
    ['memory', { ...NOTHING, handOvers: 2, falseVerdicts: 1 }, /never freed|holds a reference/],
  ]
  for (const [guard, room, loss] of losses) {
    test(`need the guard "${guard}"`, { timeout: LIMIT_MS }, () => {
      const found = explore(referencesModel({ ...room, without: [guard] }), { maxStates: 5_000_000 })
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

function inWords(room: ReferencesOptions): string {
  const { handOvers, freezes, crashes, falseVerdicts } = room
  const parts = { 'hand-overs': handOvers, freezes, crashes, 'false verdicts': falseVerdicts }
  return Object.entries(parts)
    .map(([name, count]) => `${String(count)} ${name}`)
    .join(', ')
}
