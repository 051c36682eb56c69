import { expect, it, vi } from 'vitest'
import { RunBoard } from './run-board.ts'
import { newReport, withWork } from './run-report.ts'

it('tells listeners each new report once, until they end it', () => {
  const board = new RunBoard()
  const listener = vi.fn()
  const stop = board.onRun(listener)
  const report = newReport('es-cartpole', 'running')
  board.publish(report)
  board.publish(report)
  stop()
  board.publish({ ...report, iteration: 1 })
  expect(listener.mock.calls).toEqual([[report]])
  expect(board.report?.iteration).toBe(1)
})

it('hands a wish to the demo it names, once', () => {
  const board = new RunBoard()
  board.ask('mandelbrot')
  expect(board.take('es-cartpole')).toBe(false)
  expect(board.take('mandelbrot')).toBe(true)
  expect(board.take('mandelbrot')).toBe(false)
})

it('remembers what a person stopped', () => {
  const board = new RunBoard()
  board.setStopped('es-cartpole', true)
  expect([board.isStopped('es-cartpole'), board.isStopped('es-pendulum')]).toEqual([true, false])
  board.setStopped('es-cartpole', false)
  expect(board.isStopped('es-cartpole')).toBe(false)
})

it('adds up the work of a tab', () => {
  const board = new RunBoard()
  let byNode = withWork({}, 'a', { tasks: 2, cpuMs: 5 })
  byNode = withWork(byNode, 'a', { tasks: 1, cpuMs: 1 })
  board.publish({ ...newReport('mandelbrot', 'running'), byNode })
  expect(byNode).toEqual({ a: { tasks: 3, cpuMs: 6 } })
  expect(board.report?.byNode['a']?.tasks).toBe(3)
})
