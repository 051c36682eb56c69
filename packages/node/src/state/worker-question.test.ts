import { PlainEncoder, ProtocolError } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { workerQuestion } from './worker-question.ts'

const encoded = (value: unknown) => new PlainEncoder().encode(value, 'question')
const OWNER = 'a'.repeat(32)
const GOOD = {
  kind: 'tasks',
  id: { owner: OWNER, number: 3 },
  filters: [{ column: 'state', isEqual: true, value: 'RUNNING' }],
  limit: 100,
  detail: false,
  timeoutMs: 5_000,
}

it('[SQ5] takes what a worker asks as it is', () => {
  expect(workerQuestion(encoded(GOOD))).toEqual(GOOD)
  expect(workerQuestion(encoded({ ...GOOD, id: undefined, filters: [] }))).toMatchObject({ id: undefined, filters: [] })
})

it.each([
  undefined,
  null,
  'tasks',
  { ...GOOD, kind: 'secrets' },
  { ...GOOD, limit: 10_001 },
  { ...GOOD, limit: 0.5 },
  { ...GOOD, timeoutMs: Infinity },
  { ...GOOD, timeoutMs: 0 },
  { ...GOOD, id: null },
  { ...GOOD, id: { owner: 'nobody', number: 1 } },
  { ...GOOD, id: { owner: OWNER, number: -1 } },
  { ...GOOD, filters: {} },
  { ...GOOD, filters: [null] },
  { ...GOOD, filters: [{ column: 'className', isEqual: true, value: '' }] },
  { ...GOOD, filters: [{ column: 'state', isEqual: 1, value: '' }] },
  { ...GOOD, filters: [{ column: 'state', isEqual: true, value: 'x'.repeat(1_000) }] },
  { ...GOOD, filters: Array.from({ length: 17 }, () => GOOD.filters[0]) },
])('[R3] refuses what is none: %j', (value) => {
  expect(() => workerQuestion(encoded(value))).toThrow(ProtocolError)
})

it('[R3] refuses bytes that are no value', () => {
  expect(() => workerQuestion({ refs: [], body: Uint8Array.of(99, 1, 2), buffers: [] })).toThrow(ProtocolError)
})
