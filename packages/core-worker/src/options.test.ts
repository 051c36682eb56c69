import { describe, expect, it } from 'vitest'
import { SerializerRegistry } from '@shoal/protocol'
import { fromResourceSet, toResourceSet } from '@shoal/protocol'
import { offeredResources, resolveActorOptions, resolveTaskOptions } from './options.ts'
import { offeredLabels } from './label-options.ts'
import type { SchedulingStrategy } from './label-options.ts'
import type { ActorOptions } from './options.ts'

describe('options', () => {
  it('[CW3] have the defaults of Ray', () => {
    expect(resolveTaskOptions({}, 'f')).toEqual({
      resources: toResourceSet({ CPU: 1 }),
      held: [],
      strategy: 'DEFAULT',
      labels: { hard: [], soft: [] },
      bundle: undefined,
      isFree: true,
      numReturns: 1,
      stream: 0,
      maxRetries: 3,
      retryExceptions: [],
      timeoutMs: 0,
      name: 'f',
    })
    expect(resolveActorOptions({}, 'A', [])).toMatchObject({ maxRetries: 0, name: 'A', strategy: 'DEFAULT' })
    expect(resolveTaskOptions({ maxRetries: -1 }, 'f').maxRetries).toBe(Infinity)
    expect(resolveTaskOptions({ maxRetries: Infinity, timeoutMs: Infinity }, 'f').timeoutMs).toBe(0)
    expect(resolveTaskOptions({ numCpus: 0.5, numReturns: 0, maxRetries: 0 }, 'f')).toMatchObject({
      resources: toResourceSet({ CPU: 0.5 }),
      numReturns: 0,
    })
  })

  it('[CW3] [CW9] of resources come to one set, exact to 0.0001, whatever their order', () => {
    const options = { numGpus: 0.5, memoryBytes: 100.9, resources: { camera: 0.3, idle: 0, Arm: 2 } }
    const { resources } = resolveTaskOptions({ ...options, schedulingStrategy: 'SPREAD' }, 'f')
    expect(resources).toEqual([
      { name: 'Arm', units: 20_000 },
      { name: 'CPU', units: 10_000 },
      { name: 'GPU', units: 5_000 },
      { name: 'camera', units: 3_000 },
      { name: 'memory', units: 1_000_000 },
    ])
    expect(resolveTaskOptions({ numGpus: 2, numCpus: 0 }, 'f').resources).toEqual(toResourceSet({ GPU: 2 }))
    expect(resolveTaskOptions({ resources: { camera: 2.7 } }, 'f').resources).toEqual(
      toResourceSet({ CPU: 1, camera: 2.7 }),
    )
    expect(offeredResources({ numGpus: 1, memoryBytes: 5, resources: { camera: 1 } })).toEqual(
      toResourceSet({ GPU: 1, memory: 5, camera: 1 }),
    )
    expect(() => offeredResources({ resources: { CPU: 8 } })).toThrow(/resources must not name CPU/)
  })

  it('[CW10] of labels come to conditions, and a node is a label', () => {
    const of = (schedulingStrategy?: SchedulingStrategy, labelSelector?: Record<string, string>): unknown =>
      resolveTaskOptions(
        { ...(schedulingStrategy && { schedulingStrategy }), ...(labelSelector && { labelSelector }) },
        'f',
      ).labels
    const term = (key: string, values: string[], isNot = false): object => ({ key, isNot, values })
    const node = 'ab'.repeat(16)
    expect(of(undefined, { region: 'in(eu, us)', gpu: '!none', os: 'linux', at: '!in(x,y)' })).toEqual({
      hard: [
        term('region', ['eu', 'us']),
        term('gpu', ['none'], true),
        term('os', ['linux']),
        term('at', ['x', 'y'], true),
      ],
      soft: [],
    })
    expect(of({ nodeId: node })).toEqual({ hard: [term('shoal/node-id', [node])], soft: [] })
    expect(of({ nodeId: node, soft: true })).toEqual({ hard: [], soft: [term('shoal/node-id', [node])] })
    expect(of({ hard: { a: 'x' }, soft: { b: '!y' } }, { c: 'z' })).toEqual({
      hard: [term('c', ['z']), term('a', ['x'])],
      soft: [term('b', ['y'], true)],
    })
    expect(offeredLabels({ region: 'eu' })).toEqual([{ key: 'region', value: 'eu' }])
  })

  it('[CW10] refuses labels that are none, by name', () => {
    const refused: [strategy: unknown, selector: unknown, error: RegExp][] = [
      [{}, undefined, /needs a nodeId, hard, soft or placementGroup/],
      [7, undefined, /a string or an object, got 7/],
      [null, undefined, /a string or an object, got null/],
      [{ nodeId: 'short' }, undefined, /nodeId must be a node's id/],
      [{ nodeId: 'ab'.repeat(16), soft: 1 }, undefined, /soft must be true or false/],
      [{ nodeId: 'ab'.repeat(16), hard: {} }, undefined, /unknown schedulingStrategy.hard/],
      [{ hard: { a: 1 } }, undefined, /schedulingStrategy.hard.a must be a string/],
      [undefined, { a: '' }, /labelSelector.a: a value has 1 to 80/],
      [undefined, { a: 'in()' }, /labelSelector.a: a value has/],
      [undefined, { a: 'in(x,,y)' }, /labelSelector.a: a value has/],
      [undefined, { 'a,b': 'x' }, /labelSelector: a label has/],
      [undefined, ['x'], /must be an object of strings/],
    ]
    for (const [schedulingStrategy, labelSelector, error] of refused)
      expect(() => resolveTaskOptions({ schedulingStrategy, labelSelector } as never, 'f')).toThrow(error)
    expect(() => offeredLabels({ 'shoal/node-id': 'x' })).toThrow(/is the node's id/)
    expect(() => offeredLabels({ a: 'x y!' })).toThrow(/the value of a has/)
  })

  it('[CW9] of an actor are what it is placed by and what it holds, as in Ray', () => {
    const of = (options: ActorOptions): unknown => {
      const { resources, held } = resolveActorOptions(options, 'A', [])
      return [fromResourceSet(resources), fromResourceSet(held)]
    }
    expect(of({})).toEqual([{ CPU: 1 }, {}])
    expect(of({ numCpus: 0 })).toEqual([{}, {}])
    expect(of({ numCpus: 2 })).toEqual([{ CPU: 2 }, { CPU: 2 }])
    expect(of({ memoryBytes: 10 })).toEqual([{ CPU: 1, memory: 10 }, { memory: 10 }])
    expect(of({ resources: { camera: 0.5 } })).toEqual([
      { CPU: 1, camera: 0.5 },
      { CPU: 1, camera: 0.5 },
    ])
    expect(of({ numGpus: 1, numCpus: 0 })).toEqual([{ GPU: 1 }, { GPU: 1 }])
    expect(of({ resources: { camera: 0 } })).toEqual([{ CPU: 1 }, {}])
  })

  it('[CW3] are refused at the call, by name, with the kind of error that says how', () => {
    const wrong: readonly (readonly [object, new () => Error, RegExp])[] = [
      [{ retries: 3 }, TypeError, /unknown option retries/],
      [{ numCpus: '1' }, TypeError, /numCpus/],
      [{ numCpus: -1 }, RangeError, /numCpus/],
      [{ numCpus: 0.00001 }, RangeError, /0\.0001/],
      [{ numCpus: Number.NaN }, TypeError, /numCpus/],
      [{ numGpus: 1.5 }, RangeError, /numGpus/],
      [{ numGpus: -0.5 }, RangeError, /numGpus/],
      [{ memoryBytes: -1 }, RangeError, /memoryBytes/],
      [{ memoryBytes: 1e12 }, RangeError, /memoryBytes/],
      [{ memoryBytes: '1' }, TypeError, /memoryBytes/],
      [{ resources: 'camera' }, TypeError, /resources/],
      [{ resources: ['camera'] }, TypeError, /resources/],
      [{ resources: { camera: '1' } }, TypeError, /resources\.camera/],
      [{ resources: { camera: -1 } }, RangeError, /resources\.camera/],
      [{ resources: { camera: 0.00001 } }, RangeError, /resources\.camera is counted to 0\.0001/],
      [{ resources: { camera: Infinity } }, RangeError, /resources\.camera/],
      [{ resources: { CPU: 1 } }, RangeError, /resources must not name CPU: use numCpus/],
      [{ resources: { GPU: 1 } }, RangeError, /use numGpus/],
      [{ resources: { memory: 1 } }, RangeError, /use memoryBytes/],
      [{ resources: { '': 1 } }, RangeError, /resources/],
      [{ resources: { 'half a pair \ud800': 1 } }, RangeError, /resources/],
      [{ resources: { ['x'.repeat(81)]: 1 } }, RangeError, /resources/],
      [{ resources: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`r${n}`, 1])) }, RangeError, /resources/],
      [{ schedulingStrategy: 'XXX' }, RangeError, /schedulingStrategy must be DEFAULT, SPREAD, .* got "XXX"/],
      [{ schedulingStrategy: {} }, TypeError, /schedulingStrategy/],
      [{ maxCalls: 1 }, TypeError, /unknown option maxCalls/],
      [{ concurrencyGroups: {} }, TypeError, /unknown option concurrencyGroups/],
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
    expect(() => resolveActorOptions({ maxRetries: 1 } as never, 'A', [])).toThrow(/unknown option maxRetries/)
  })

  it('[CW3] name an error class as it is registered, whatever a minifier called it', () => {
    class t extends RangeError {}
    new SerializerRegistry().registerError(t, 'TooFar')
    expect(resolveTaskOptions({ retryExceptions: [t, TypeError, 'Named'] }, 'f').retryExceptions).toEqual([
      'TooFar',
      'TypeError',
      'Named',
    ])
  })
})
