import { expect, it } from 'vitest'
import { boardKey } from './board-keys.ts'

it.each([
  ['1', 3, { kind: 'drop', column: 0 }],
  ['7', 3, { kind: 'drop', column: 6 }],
  ['8', 3, undefined],
  ['0', 3, undefined],
  ['ArrowLeft', 3, { kind: 'look', column: 2 }],
  ['ArrowLeft', 0, { kind: 'look', column: 0 }],
  ['ArrowRight', 6, { kind: 'look', column: 6 }],
  ['Home', 5, { kind: 'look', column: 0 }],
  ['End', 0, { kind: 'look', column: 6 }],
  ['ArrowDown', 4, { kind: 'drop', column: 4 }],
  // The column's button has it already.
  ['Enter', 4, undefined],
  ['Tab', 4, undefined],
])('%s at column %d means %o', (key, at, meant) => {
  expect(boardKey(key, at, 7)).toEqual(meant)
})
