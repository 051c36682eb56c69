import type { EndedAttempt, TaskState } from '@shoal/sdk'
import { expect, it } from 'vitest'
import { FailureLog } from './failure-log.ts'

const failed = (taskId: string, attempt: number, endTimeMs: number): EndedAttempt =>
  ({ taskId, name: 'f', attempt, endTimeMs, errorType: 'node-died', errorMessage: 'gone' }) as EndedAttempt

it('puts what failed and what was run for it together, newest first', () => {
  const log = new FailureLog()
  log.ended(failed('a/1', 0, 10))
  log.ended(failed('a/2', 0, 20))
  log.ranAgain('a/1', 'f', { attempt: 1, nodeId: 'b', outcome: 'finished', endMs: 30 })
  // A result that was lost: nothing failed.
  log.ranAgain('a/3', 'g', { attempt: 1, nodeId: 'b', outcome: 'finished', endMs: 25 })
  const told = log.newest().map((task) => [task.taskId, task.failed.length, task.reruns.length])
  expect(told).toEqual([
    ['a/1', 1, 1],
    ['a/3', 0, 1],
    ['a/2', 1, 0],
  ])
  expect([log.failures, log.reruns]).toEqual([2, 2])
})

it('counts once what two answers tell of', () => {
  const log = new FailureLog()
  log.ended(failed('a/1', 0, 10))
  log.remembered(failed('a/1', 0, 10) as unknown as TaskState)
  expect(log.failures).toBe(1)
})

it('has a bound, and counts what made room', () => {
  const log = new FailureLog(3)
  for (let n = 0; n < 10; n++) log.ended(failed(`a/${n}`, 0, n))
  expect([log.size, log.removed, log.failures]).toEqual([3, 7, 10])
})
