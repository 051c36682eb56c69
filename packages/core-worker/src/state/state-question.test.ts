import { expect, it } from 'vitest'
import { toQuestion } from './state-question.ts'

const bad = (options: unknown) => () => toQuestion('tasks', options as never)

it('[SQ1] fills in what is left out', () => {
  expect(toQuestion('objects')).toEqual({
    kind: 'objects',
    id: undefined,
    filters: [],
    limit: 100,
    detail: false,
    timeoutMs: 5_000,
  })
})

it('[SQ1] compares values as text, undefined as the empty one', () => {
  const { filters } = toQuestion('tasks', {
    filters: [
      ['attempt', '=', 2],
      ['actorId', '!=', undefined],
    ],
  })
  expect(filters).toEqual([
    { column: 'attempt', isEqual: true, value: '2' },
    { column: 'actorId', isEqual: false, value: '' },
  ])
})

it('[SQ1] refuses a column, an operator or an option that there is not, and says what there is', () => {
  expect(bad({ filters: [['colour', '=', 1]] })).toThrow(
    /tasks cannot be filtered by colour; columns are taskId, name, state/,
  )
  expect(bad({ filters: [['className', '=', 1]] })).toThrow(TypeError)
  expect(bad({ filters: [['name', '<', 1]] })).toThrow(new TypeError('the operator < is not known; there are = and !='))
  expect(bad({ filters: [['name', '=', {}]] })).toThrow('the value for name must be text')
  expect(bad({ filters: [['name', '=']] })).toThrow("a filter is [column, '=' or '!=', value]")
  expect(bad({ filters: 'name=f' })).toThrow('filters must be an array')
  expect(bad({ detail: 1 })).toThrow('detail must be true or false, got 1')
  expect(bad({ filter: [] })).toThrow('unknown option filter; known are filters, limit, detail, timeoutMs')
})

it('[SQ1] refuses numbers out of range', () => {
  for (const limit of [0, -1, 1.5, 10_001, Number.NaN, Infinity])
    expect(bad({ limit })).toThrow(`limit must be a whole number from 1 to 10000, got ${limit}`)
  expect(bad({ limit: '5' })).toThrow(new TypeError('limit must be a number'))
  expect(bad({ timeoutMs: 0 })).toThrow(RangeError)
  expect(bad({ filters: Array.from({ length: 17 }, () => ['name', '=', 'f']) })).toThrow('at most 16 filters, got 17')
  expect(bad({ filters: [['name', '=', 'é'.repeat(129)]] })).toThrow('longer than 256 bytes')
})
