import { describe, expect, it } from 'vitest'
import { ANY_NODE, FIRST_ATTEMPT, toResourceSet } from '@shoal/protocol'
import type { NodeId, ObjectId } from '@shoal/protocol'
import { lacking, PendingWords, stepWords } from './pending-words.ts'
import type { PendingPorts } from './pending-words.ts'
import type { Waiting } from './run-index.ts'
import type { MadeWith, TaskView } from './views.ts'

const SELF = '5e1f'.padEnd(32, '0') as NodeId
const OTHER = 'd1ff'.padEnd(32, '0') as NodeId
const object = (number: number, owner = SELF): ObjectId => ({ owner, number })
const made = (resources: Record<string, number>): MadeWith => ({
  name: 'f',
  resources: toResourceSet(resources),
  held: [],
  strategy: 'DEFAULT',
  labels: ANY_NODE,
})
const maker = (at: TaskView['at']): TaskView => ({
  number: 1,
  template: { definition: { ...made({ CPU: 1 }), name: 'g' }, code: { state: { kind: 'ready' } } },
  job: { driver: SELF, number: 1 },
  parent: undefined,
  dependencies: [],
  args: { refs: [] },
  attempt: FIRST_ATTEMPT,
  at,
  createdAtMs: 0,
  startedAtMs: undefined,
})

function words(ports: Partial<PendingPorts> = {}): PendingWords {
  return new PendingWords({
    self: SELF,
    resources: toResourceSet({ CPU: 4 }),
    used: toResourceSet({ CPU: 4 }),
    lent: [],
    nameOf: (node) => (node === SELF ? 'this tab' : 'tab X'),
    objectState: () => ({ kind: 'pending' }),
    makerOf: () => undefined,
    outlook: () => ({ isFeasibleHere: true, peers: 0, credits: 0 }),
    ...ports,
  })
}

const waiting = (ahead: number, staysHere = false): Waiting => ({
  task: { key: undefined as never, staysHere, isGuest: false },
  ahead,
})

describe('why a task of a placement group waits', () => {
  const bundle = { group: object(9), bundle: 1, captures: false }
  const why = (isFeasibleHere: boolean, peers: number): string | undefined =>
    words({ outlook: () => ({ isFeasibleHere, peers, credits: 0 }) }).queued(
      { ...made({ CPU: 1 }), bundle },
      waiting(0),
    )

  it('[Q4] names the group, and says whether it is there', () => {
    expect(why(false, 0)).toBe('waits for the placement group 5e1f0000/9 to be there')
    expect(why(false, 1)).toBe('queued: what the placement group 5e1f0000/9 has is in use')
    expect(why(true, 0)).toBe('queued: what the placement group 5e1f0000/9 has is in use')
  })
})

describe('why a task waits for an argument', () => {
  const at = (place: TaskView['at']): string | undefined =>
    words({ makerOf: () => maker(place) }).argument([{ place: 2, id: object(7) }])

  it('[Q4] names the argument, the task that makes it and where that one is', () => {
    expect(at(OTHER)).toBe('waits for argument 2 (5e1f0000/7, made by g, which runs on tab X)')
    expect(at('here')).toBe('waits for argument 2 (5e1f0000/7, made by g, which runs on this tab)')
    expect(at('queue')).toBe('waits for argument 2 (5e1f0000/7, made by g, which is queued)')
    expect(at(undefined)).toBe('waits for argument 2 (5e1f0000/7, made by g, which itself waits)')
  })

  it('[Q4] says whose it is where another tab answers for it, and how many more are missing', () => {
    const dependencies = [
      { place: 0, id: object(7, OTHER) },
      { place: 1, id: object(8) },
    ]
    expect(words().argument(dependencies)).toBe('waits for argument 0 (d1ff0000/7, of tab X), and for 1 more')
  })

  it('[Q4] takes one whose copies are all gone for missing, and says nothing when all are there', () => {
    const gone = words({ objectState: () => ({ kind: 'elsewhere', holders: [] }) })
    expect(gone.argument([{ place: 0, id: object(1) }])).toBe('waits for argument 0 (5e1f0000/1)')
    const there = words({ objectState: () => ({ kind: 'elsewhere', holders: [OTHER] }) })
    expect(there.argument([{ place: 0, id: object(1) }])).toBeUndefined()
    expect(there.isReady([{ place: 0, id: object(1) }])).toBe(true)
  })
})

describe('why a task waits for its code', () => {
  it('[Q4] tells checking and loading from signing', () => {
    expect(words().code({ state: { kind: 'pending' } })).toBe('waits for its code to be checked or loaded')
    expect(words().code({ state: { kind: 'ready' } })).toBe('waits for its code to be signed')
  })
})

describe('why a task is queued', () => {
  const nowhere = { outlook: () => ({ isFeasibleHere: false, peers: 0, credits: 0 }) }

  it('[Q4] names what no node has, and how much the largest has', () => {
    expect(words(nowhere).queued(made({ CPU: 1, GPU: 1 }), waiting(0))).toBe('needs 1 GPU and no node has one')
    expect(words(nowhere).queued(made({ camera: 2 }), waiting(0))).toBe('needs 2 camera and no node has any')
    const small = { ...nowhere, resources: toResourceSet({ CPU: 1 }), lent: [toResourceSet({ CPU: 2 })] }
    expect(words(small).queued(made({ CPU: 4 }), waiting(0))).toBe('needs 4 CPU, the largest node has 2')
  })

  it('[Q4] tells of things that are there and nowhere together', () => {
    const apart = { ...nowhere, resources: toResourceSet({ CPU: 4 }), lent: [toResourceSet({ GPU: 1 })] }
    expect(words(apart).queued(made({ CPU: 2, GPU: 1 }), waiting(0))).toBe(
      'needs 2 CPU, 1 GPU together, and no node has all of that',
    )
    expect(lacking(toResourceSet({ CPU: 1 }), [toResourceSet({ CPU: 1 })])).toBeUndefined()
  })

  it('[Q4] says that all slots run, what the others do, and how many are before it', () => {
    expect(words().queued(made({ CPU: 1 }), waiting(0))).toBe('queued: all 4 slots of this tab run')
    const lent = [toResourceSet({ CPU: 2 })]
    const others = words({ lent, outlook: () => ({ isFeasibleHere: true, peers: 1, credits: 0 }) })
    expect(others.queued(made({ CPU: 1 }), waiting(12))).toBe(
      'queued: all 4 slots of this tab run, and the others gave no credits; 12 of its kind before it',
    )
    expect(words({ lent: [[]] }).queued(made({ CPU: 1 }), undefined)).toBe(
      'queued: all 4 slots of this tab run, and no other tab lends what it needs',
    )
  })

  it('[Q4] names another resource that is in use, or that this tab has not got', () => {
    const gpu = words({ resources: toResourceSet({ CPU: 4, GPU: 1 }), used: toResourceSet({ GPU: 1 }) })
    expect(gpu.queued(made({ CPU: 1, GPU: 1 }), waiting(0))).toBe('queued: this tab has 1 GPU, in use by others')
    const elsewhere = {
      outlook: () => ({ isFeasibleHere: false, peers: 1, credits: 0 }),
      lent: [toResourceSet({ GPU: 1 })],
    }
    expect(words(elsewhere).queued(made({ GPU: 1 }), waiting(0))).toBe(
      'queued: this tab has not got 1 GPU, and the others gave no credits',
    )
  })

  it('[Q4] says that code may not leave the tab', () => {
    expect(words().queued(made({ CPU: 1 }), waiting(0, true))).toBe(
      'queued: all 4 slots of this tab run, and its code may not leave this tab',
    )
    expect(words().queued(made({ GPU: 1 }), waiting(0, true))).toBe(
      'this tab has not got 1 GPU, and its code may not leave this tab',
    )
  })
})

it('[Q4] says what keeps an attempt that is with a tab from running there', () => {
  const step = (of: 'code' | 'queued' | 'fetching' | 'behind' | 'running' | 'waiting', ahead: number) =>
    stepWords({ step: of, ahead, workerId: undefined }, 'tab Z')
  expect(stepWords(undefined, 'tab Z')).toBe('on its way to tab Z')
  expect(step('code', 0)).toBe('waits on tab Z for its code to be loaded and its leave to be checked')
  expect(step('queued', 12)).toBe('12 tasks ahead of it on tab Z')
  expect(step('queued', 0)).toBe('next on tab Z, whose slots all run')
  expect(step('behind', 1)).toBe('1 task ahead of it in its worker on tab Z')
  expect(step('fetching', 0)).toBe('its arguments are on their way to tab Z')
  expect([step('running', 0), step('waiting', 0)]).toEqual([undefined, undefined])
})
