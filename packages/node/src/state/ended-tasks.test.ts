import { expect, it } from 'vitest'
import { FIRST_ATTEMPT, newWireError } from '@shoal/protocol'
import type { NodeId } from '@shoal/protocol'
import { EndedTasks, MOST_ENDED } from './ended-tasks.ts'

const SELF = 'a'.repeat(32) as NodeId
const job = { driver: SELF, number: 1 }
const task = (number: number) => ({ number, job, attempt: FIRST_ATTEMPT, createdAtMs: number, startedAtMs: number + 1 })
const kind = (name: string) => ({ name, resources: [] })

it('[Q3] remembers the last 1,000 attempts of a ledger, newest first, and counts all of them', () => {
  const ended = new EndedTasks(() => 7)
  const f = kind('f')
  for (let number = 0; number < 2_500; number++) ended.add(task(number), f, 'NORMAL_TASK', SELF, undefined)
  const kept = [...ended.newest()]
  expect(kept.length).toBe(MOST_ENDED)
  expect(kept.slice(0, 3).map(({ number }) => number)).toEqual([2_499, 2_498, 2_497])
  expect(kept.at(-1)?.number).toBe(1_500)
  expect(kept[0]).toMatchObject({ name: 'f', node: SELF, createdAtMs: 2_499, startedAtMs: 2_500, endedAtMs: 7 })
  expect(ended.total).toBe(2_500)
  expect([...ended.counts()]).toEqual([{ name: 'f', type: 'NORMAL_TASK', finished: 2_500, failed: 0 }])
})

it('[Q3] counts functions apart by name and type, and those past a thousand names together', () => {
  const ended = new EndedTasks(() => 0)
  for (let n = 0; n < 1_200; n++) ended.add(task(n), kind(`f${n}`), 'NORMAL_TASK', SELF, undefined)
  ended.add(task(1), kind('f0'), 'ACTOR_TASK', SELF, newWireError('task-failed', 'no'))
  const counts = [...ended.counts()]
  expect(counts.length).toBe(1_002)
  expect(counts.find(({ name }) => name === '(others)')?.finished).toBe(200)
  expect(counts.filter(({ name }) => name === 'f0')).toEqual([
    { name: 'f0', type: 'NORMAL_TASK', finished: 1, failed: 0 },
    { name: 'f0', type: 'ACTOR_TASK', finished: 0, failed: 1 },
  ])
})

it('[Q3] keeps of an error its code and 2,000 characters, and nothing that it carries', () => {
  const ended = new EndedTasks(() => 0)
  const cause = { refs: [], body: new Uint8Array(50_000), buffers: [] }
  const error = newWireError('task-failed', 'x'.repeat(90_000), { cause, argumentOf: 'argument 0 of f: ' })
  ended.add(task(1), kind('f'), 'NORMAL_TASK', undefined, error)
  const [entry] = ended.newest()
  expect(entry?.errorType).toBe('task-failed')
  expect(entry?.errorMessage).toBe('argument 0 of f: '.padEnd(2_000, 'x'))
  expect(JSON.stringify(entry).length).toBeLessThan(3_000)
})

it('[Q3] uses its places again: an error of an attempt that was there before is gone', () => {
  const ended = new EndedTasks(() => 0)
  const f = kind('f')
  ended.add(task(0), f, 'NORMAL_TASK', SELF, newWireError('task-failed', 'no'))
  for (let n = 1; n <= MOST_ENDED; n++) ended.add(task(n), f, 'NORMAL_TASK', SELF, undefined)
  expect([...ended.newest()].some(({ errorType }) => errorType !== undefined)).toBe(false)
  expect([...ended.counts()]).toEqual([{ name: 'f', type: 'NORMAL_TASK', finished: MOST_ENDED, failed: 1 }])
})
