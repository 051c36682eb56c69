import { expect, it } from 'vitest'
import { FIRST_ATTEMPT, LIMITS } from '@shoal/protocol'
import type { NodeId, ObjectId } from '@shoal/protocol'
import { lineageOf, needsOf } from './object-rows.ts'
import type { TaskView } from './views.ts'

const SELF = 'a'.repeat(32) as NodeId
const object = (number: number): ObjectId => ({ owner: SELF, number })

/** A task of that number that needs those objects. */
function maker(number: number, needs: readonly number[]): TaskView {
  return {
    number,
    template: {
      definition: { name: `f${number}`, resources: [], held: [], strategy: 'DEFAULT', labels: { hard: [], soft: [] } },
      code: { state: { kind: 'ready' } },
    },
    job: { driver: SELF, number: 1 },
    parent: undefined,
    dependencies: needs.map((need, place) => ({ place, id: object(need) })),
    args: { refs: [] },
    attempt: FIRST_ATTEMPT,
    at: undefined,
    createdAtMs: 0,
    startedAtMs: undefined,
  }
}

it('[Q6] a lineage lists each object once, nearest first, with the shortest way there', () => {
  // 4 needs 2 and 3, which both need 1; 1 was put.
  const tasks = new Map([2, 3, 4].map((n) => [n, maker(n, n === 4 ? [2, 3] : [1])]))
  const { objects, cut } = lineageOf(object(4), { makerOf: ({ number }) => tasks.get(number) })
  expect(objects.map(({ objectId, taskName, depth }) => [objectId.slice(33), taskName, depth])).toEqual([
    ['4', 'f4', 0],
    ['2', 'f2', 1],
    ['3', 'f3', 1],
    ['1', undefined, 2],
  ])
  expect(objects[0]?.dependencies).toEqual([`${SELF}/2`, `${SELF}/3`])
  expect(cut).toBe(0)
})

it('[Q6] what does not fit is counted: a long chain, and a wide one', () => {
  const chain = lineageOf(object(500), {
    makerOf: ({ number }) => (number > 0 ? maker(number, [number - 1]) : undefined),
  })
  expect(chain.objects.length).toBe(LIMITS.stateLineage)
  expect(chain.objects.at(-1)?.depth).toBe(LIMITS.stateLineage - 1)
  expect(chain.cut).toBe(501 - LIMITS.stateLineage)
  const many = Array.from({ length: 1_000 }, (_, n) => n + 1)
  const wide = lineageOf(object(0), { makerOf: ({ number }) => (number === 0 ? maker(0, many) : undefined) })
  expect(wide.objects[0]?.dependencies.length).toBe(LIMITS.stateDependencies)
  expect(wide.objects.length + wide.cut).toBe(1_001)
})

it('[Q6] a chain of a million is counted as far as ten thousand', () => {
  const { objects, cut } = lineageOf(object(1_000_000), { makerOf: ({ number }) => maker(number, [number - 1]) })
  expect(objects.length + cut).toBe(10_000)
})

it('[Q6] what a task is given twice, at the top and inside of another argument, it needs once', () => {
  const task = { ...maker(1, [5, 6]), args: { refs: [object(6), object(7)] } }
  expect(needsOf(task).map(({ number }) => number)).toEqual([5, 6, 7])
})
