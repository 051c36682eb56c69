import { FIRST_ATTEMPT } from '@shoal/protocol'
import type { NodeId, ObjectId } from '@shoal/protocol'
import { expect, it } from 'vitest'
import type { Work } from '../work.ts'
import type { Run } from '../workers.ts'
import { HostedActors } from './hosted-actors.ts'
import type { IncomingCall } from './hosted-actors.ts'

const SELF = 'a'.repeat(32) as NodeId
const CALLER = 'b'.repeat(32) as NodeId
const ACTOR: ObjectId = { owner: CALLER, number: 1 }

/** An actor with the group `io` of one call at a time beside one of all others; objects arrive when they are told to. */
function bench() {
  const arriving = new Map<number, () => void>()
  const begun: Work[] = []
  const ended: (readonly [number: number, kind: string])[] = []
  const hosted = new HostedActors({
    self: SELF,
    objects: {
      state: ({ number }: ObjectId) => ({ kind: arriving.has(number) ? 'elsewhere' : 'here' }),
      whenHere: ({ number }: ObjectId, callback: () => void) => {
        if (arriving.has(number)) arriving.set(number, callback)
        else callback()
      },
    },
    guests: {},
    workers: { startIn: (work: Work) => begun.push(work), kill: () => undefined },
    reserve: () => undefined,
    bundleOf: () => undefined,
    died: () => undefined,
    endWork: () => undefined,
    send: () => undefined,
  } as never)
  const facts = { groups: [{ name: 'io', limit: 1, methods: [] }] }
  const template = { name: 'Desk', key: 'desk', held: [], job: { driver: CALLER }, actor: { maxConcurrency: 1, facts } }
  hosted.born({
    work: { id: ACTOR, attempt: FIRST_ATTEMPT, template },
    worker: { submitter: { isActor: () => undefined } },
  } as unknown as Run)
  const call = (number: number, group: number, needs?: number): void => {
    const dependencies = needs === undefined ? [] : [{ place: 0, id: { owner: CALLER, number: needs } }]
    const incoming = { number, group, dependencies, numReturns: 1, stream: 0, method: 'run', attempt: FIRST_ATTEMPT }
    hosted.run(
      CALLER,
      'one caller',
      { ...incoming, actor: ACTOR, incarnation: FIRST_ATTEMPT } as unknown as IncomingCall,
      (outcome) => ended.push([number, outcome?.kind ?? 'not begun']),
    )
  }
  const numbers = (): number[] => begun.map(({ id }) => id.number)
  const end = (number: number): void =>
    begun.find(({ id }) => id.number === number)?.ended({ kind: 'values', values: [] }, 0)
  const late = (number: number): void => void arriving.set(number, () => undefined)
  const arrive = (number: number): void => {
    const callback = arriving.get(number)
    arriving.delete(number)
    callback?.()
  }
  return { hosted, call, numbers, ended, end, late, arrive }
}

it('[SA28] an argument on its way holds back the calls of its own group, and of no other', () => {
  const { call, numbers, end, late, arrive } = bench()
  late(100)
  call(1, 0, 100)
  call(2, 1)
  call(3, 0)
  call(4, 1)
  expect(numbers()).toEqual([2])
  end(2)
  expect(numbers()).toEqual([2, 4])
  arrive(100)
  expect(numbers()).toEqual([2, 4, 1])
  end(1)
  expect(numbers()).toEqual([2, 4, 1, 3])
})

it('[SA28] a group that there is not gives no room beside the others', () => {
  const { call, numbers, end } = bench()
  call(1, 7)
  call(2, 0)
  call(3, 8)
  expect(numbers()).toEqual([1])
  end(1)
  end(2)
  expect(numbers()).toEqual([1, 2, 3])
})

it('[SA28, SX9] what waits in a full group is cancelled at once, and has not begun when its actor is gone', () => {
  const { hosted, call, numbers, ended } = bench()
  for (const number of [1, 2, 3]) call(number, 1)
  expect(hosted.cancelWaiting({ owner: CALLER, number: 2 })).toBe(true)
  expect(hosted.cancelWaiting({ owner: CALLER, number: 2 })).toBe(false)
  expect(ended).toEqual([[2, 'failed']])
  const error = { code: 'actor-died', message: 'killed' } as never
  hosted.end({ actor: ACTOR, incarnation: FIRST_ATTEMPT, how: 'kill', error })
  expect(ended).toEqual([
    [2, 'failed'],
    [3, 'not begun'],
  ])
  expect(numbers()).toEqual([1])
})
