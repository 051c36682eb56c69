import { toResourceSet } from '@shoal/protocol'
import { expect, it } from 'vitest'
import type { SchedulerEffect, SchedulerEvent } from './scheduler-event.ts'
import { Scheduler } from './scheduler.ts'
import { workShape } from './shape.ts'
import type { WorkShape } from './shape.ts'

type Event = SchedulerEvent<string>

const GPU = shape({ CPU: 1, GPU: 0.5 })
const labelled = workShape({
  resources: toResourceSet({ CPU: 1 }),
  strategy: 'DEFAULT',
  labels: { hard: [{ key: 'gpu', isNot: false, values: ['good'] }], soft: [] },
})
const grown: Event = {
  type: 'own',
  resources: toResourceSet({ CPU: 2, GPU: 1 }),
  labels: [{ key: 'gpu', value: 'good' }],
}

function shape(resources: Record<string, number>): WorkShape {
  return workShape({ resources: toResourceSet(resources), strategy: 'DEFAULT' })
}

function create(cpus = 2): Scheduler<string> {
  return new Scheduler<string>({ self: 'me', resources: toResourceSet({ CPU: cpus }), maxLanes: 16 })
}

function ready(key: string, of: WorkShape): Event {
  const task = { key, kind: 'k', staysHere: false, isGuest: false, depth: 0, isExclusive: false, inputs: [] }
  return { type: 'ready', task, shape: of }
}

const started = (effects: readonly SchedulerEffect<string>[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'start' ? effect.task.key : []))

it('[SC24] what waited for it starts, as much of it as there is', () => {
  const scheduler = create(3)
  expect(started(scheduler.step([ready('a', GPU), ready('b', GPU), ready('c', GPU)]))).toEqual([])
  expect(scheduler.infeasible()).toEqual([{ shape: '1 CPU, 0.5 GPU', tasks: 3 }])
  expect(started(scheduler.step([{ ...grown, resources: toResourceSet({ CPU: 3, GPU: 1 }) }]))).toEqual(['a', 'b'])
  expect(scheduler.infeasible()).toEqual([])
  expect(scheduler.used).toEqual(toResourceSet({ CPU: 2, GPU: 1 }))
})

it('[SC24] what asks for the label starts', () => {
  const scheduler = create()
  expect(started(scheduler.step([ready('a', labelled)]))).toEqual([])
  expect(started(scheduler.step([grown]))).toEqual(['a'])
})

it('[SC24] peers that wait for it are granted credits', () => {
  const scheduler = create()
  const wanted: Event = { type: 'wanted', node: 'x', shape: GPU, queued: 5 }
  expect(scheduler.step([wanted])).toEqual([])
  expect(scheduler.step([grown])).toMatchObject([{ type: 'grant', node: 'x', shape: GPU }])
})

it('[SC24] what ran before still counts, and what is told again changes nothing', () => {
  const scheduler = create(1)
  const one = shape({ CPU: 1 })
  const first = scheduler.step([ready('a', one)])
  expect(started(first)).toEqual(['a'])
  const more: Event = { ...grown, resources: toResourceSet({ CPU: 1, GPU: 1 }) }
  expect(started(scheduler.step([more, ready('b', GPU), more]))).toEqual([])
  const lane = first.find((effect) => effect.type === 'start')?.lane ?? 0
  expect(started(scheduler.step([{ type: 'finished', lane, kind: 'k', ms: 50 }]))).toEqual(['b'])
  expect(scheduler.used).toEqual(toResourceSet({ CPU: 1, GPU: 0.5 }))
})
