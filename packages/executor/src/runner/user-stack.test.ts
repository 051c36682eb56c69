import { describe, expect, it } from 'vitest'
import { cleanStack, cleanStacks, inlineSourceUrl, INLINE_PREFIX, linesBeforeText } from './user-stack.ts'
import type { Evaluate } from './loaded-code.ts'

const evaluate: Evaluate = (parameters, body) => new Function(...parameters, body) as (...args: unknown[]) => unknown
const linesBefore = linesBeforeText(evaluate)

function caught(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

function stackOf(error: Error): string[] {
  cleanStacks(error, linesBefore)
  return (error.stack ?? '').split('\n')
}

describe('stacks of user code', () => {
  it('count from the first line of a module and hold no frame of ours', () => {
    const module = evaluate(
      ['exports', 'require', 'module'],
      `"use strict";
function deep(n) {
  if (n === 0) throw new RangeError('too\\ndeep')
  return [n].map(() => deep(n - 1))[0]
}
exports.run = () => deep(1)
//# sourceURL=shoal:///src/fib.remote.ts?0123456789ab`,
    )
    const exports: { run?: () => unknown } = {}
    module(exports)
    const lines = stackOf(caught(() => exports.run?.()))
    expect(lines.slice(0, 2)).toEqual(['RangeError: too', 'deep'])
    expect(lines.slice(2).map((line) => line.trim())).toEqual([
      'at deep (shoal:src/fib.remote.ts?0123456789ab:3:22)',
      'at shoal:src/fib.remote.ts?0123456789ab:4:24',
      'at Array.map (<anonymous>)',
      'at deep (shoal:src/fib.remote.ts?0123456789ab:4:14)',
      'at exports.run (shoal:src/fib.remote.ts?0123456789ab:6:21)',
    ])
  })

  it('count from the text of an inline function, its first line too', () => {
    const source = 'function scale(x) { if (x < 0)\n  x.y(); throw new Error("no") }'
    const url = inlineSourceUrl('scale', source)
    const fn = evaluate([], `${INLINE_PREFIX}${source}\n)\n//# sourceURL=${url}`)() as (x: number) => unknown
    const mark = /\?([0-9a-f]{8})$/.exec(url)?.[1]
    expect(stackOf(caught(() => fn(-1)))[1]?.trim()).toBe(`at scale (shoal:inline:scale?${mark}:2:5)`)
    const thrower = evaluate([], `${INLINE_PREFIX}() => { throw new Error("x") }\n)\n//# sourceURL=${url}`)()
    expect(stackOf(caught(thrower as () => unknown))[1]?.trim()).toBe(`at shoal:inline:scale?${mark}:1:15`)
  })

  it('leaves alone what was cleaned before, however often an error passes on', () => {
    const error = new Error('x')
    error.stack = 'Error: x\n    at f (shoal:a.remote.ts?0123456789ab:5:1)\n    at run (file:///runner.ts:1:1)'
    cleanStacks(error, linesBefore)
    const once = error.stack
    cleanStacks(error, linesBefore)
    expect(error.stack).toBe(once)
    expect(once).toBe('Error: x\n    at f (shoal:a.remote.ts?0123456789ab:5:1)')
  })

  it('cleans causes and the errors of an AggregateError, and survives what is frozen', () => {
    const inner = new Error('inner')
    const frozen = Object.freeze(new Error('frozen'))
    const error = new AggregateError([inner, frozen], 'all', { cause: inner })
    inner.cause = error
    cleanStacks(error, linesBefore)
    expect(inner.stack).toBe('Error: inner')
    expect(error.stack).toBe('AggregateError: all')
    expect(frozen.stack).toContain('user-stack.test.ts')
  })

  it('reads the frames of other engines', () => {
    expect(cleanStack('deep@shoal:///a.remote.ts?0123456789ab:5:3\nrun@blob:null/1:1:1', linesBefore)).toBe(
      `deep@shoal:a.remote.ts?0123456789ab:${5 - 2}:3`,
    )
  })
})
