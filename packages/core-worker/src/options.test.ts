import { describe, expect, it } from 'vitest'
import { resolveActorOptions, resolveTaskOptions } from './options.ts'

describe('options', () => {
  it('[CW3] have the defaults of Ray', () => {
    expect(resolveTaskOptions({}, 'f')).toEqual({
      numCpus: 1,
      numReturns: 1,
      maxRetries: 3,
      retryExceptions: [],
      timeoutMs: 0,
      name: 'f',
    })
    expect(resolveActorOptions({}, 'A')).toMatchObject({ numCpus: 0, maxRetries: 0, name: 'A' })
    expect(resolveTaskOptions({ maxRetries: -1 }, 'f').maxRetries).toBe(Infinity)
    expect(resolveTaskOptions({ maxRetries: Infinity, timeoutMs: Infinity }, 'f').timeoutMs).toBe(0)
    expect(resolveTaskOptions({ numCpus: 0.5, numReturns: 0, maxRetries: 0 }, 'f')).toMatchObject({ numCpus: 0.5 })
  })

  it('[CW3] are refused at the call, by name, with the kind of error that says how', () => {
    const wrong: readonly (readonly [object, new () => Error, RegExp])[] = [
      [{ retries: 3 }, TypeError, /unknown option retries/],
      [{ numCpus: '1' }, TypeError, /numCpus/],
      [{ numCpus: -1 }, RangeError, /numCpus/],
      [{ numCpus: 0.00001 }, RangeError, /0\.0001/],
      [{ numCpus: Number.NaN }, TypeError, /numCpus/],
      [{ numReturns: 1.5 }, RangeError, /numReturns/],
      [{ numReturns: -1 }, RangeError, /numReturns/],
      [{ maxRetries: -2 }, RangeError, /maxRetries/],
      [{ timeoutMs: 0 }, RangeError, /timeoutMs/],
      [{ timeoutMs: null }, TypeError, /timeoutMs/],
      [{ name: 5 }, TypeError, /name/],
    ]
    for (const [options, Class, message] of wrong) {
      expect(() => resolveTaskOptions(options, 'f')).toThrow(Class)
      expect(() => resolveTaskOptions(options, 'f')).toThrow(message)
    }
    for (const options of [null, [], 5]) expect(() => resolveTaskOptions(options as never, 'f')).toThrow(TypeError)
    expect(() => resolveActorOptions({ maxRetries: 1 } as never, 'A')).toThrow(/unknown option maxRetries/)
  })
})
