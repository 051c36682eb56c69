import type { EndedAttempt, TaskState } from '@shoal/sdk'
import { expect, it } from 'vitest'
import { TaskGraph } from './task-graph.ts'

const A = 'a'.repeat(32)

const end = (number: number, more: Partial<EndedAttempt> = {}): EndedAttempt => ({
  taskId: `${A}/${number}`,
  name: `f${number}`,
  type: 'NORMAL_TASK',
  epoch: 0,
  attempt: 0,
  numReturns: 1,
  nodeId: A,
  endTimeMs: 0,
  parentTaskId: undefined,
  actorId: undefined,
  dependencies: [],
  moreDependencies: 0,
  errorType: undefined,
  errorMessage: undefined,
  ...more,
})
const edges = (graph: TaskGraph): string[] =>
  graph.edges.map(({ from, to, kind }) => `${from.id.slice(33)} ${kind} ${to.id.slice(33)}`)

it('has data, control and stateful edges, each once', () => {
  const graph = new TaskGraph()
  graph.ended(end(2, { dependencies: [`${A}/1`], parentTaskId: `${A}/9` }))
  graph.ended(end(10, { actorId: `${A}/10`, type: 'ACTOR_CREATION_TASK' }))
  graph.ended(end(11, { actorId: `${A}/10`, type: 'ACTOR_TASK' }))
  graph.ended(end(12, { actorId: `${A}/10`, type: 'ACTOR_TASK', dependencies: [`${A}/2`] }))
  graph.ended(end(2, { dependencies: [`${A}/1`], parentTaskId: `${A}/9`, attempt: 1 }))
  expect(edges(graph)).toEqual(['1 data 2', '9 control 2', '10 stateful 11', '2 data 12', '11 stateful 12'])
  for (const { from, to } of graph.edges) expect(to.layer).toBeGreaterThan(from.layer)
})

it('an argument that is the second return of a task comes from that task', () => {
  const graph = new TaskGraph()
  graph.ended(end(1, { numReturns: 3, parentTaskId: `${A}/9` }))
  graph.ended(end(5, { dependencies: [`${A}/3`, `${A}/4`] }))
  expect(edges(graph)).toEqual(['9 control 1', '1 data 5', '4 data 5'])
  expect(graph.node(`${A}/4`)?.state).toBe('object')
})

it('what was an object is a task once its run was told of, and an older answer changes nothing that has ended', () => {
  const graph = new TaskGraph()
  graph.ended(end(2, { dependencies: [`${A}/1`] }))
  graph.ran(`${A}/1`, 'make', true)
  expect(graph.node(`${A}/1`)).toMatchObject({ name: 'make', state: 'failed' })
  const late = { taskId: `${A}/2`, name: 'f2', state: 'PENDING_NODE_ASSIGNMENT', dependencies: [`${A}/1`] }
  graph.pending({ ...late, parentTaskId: undefined, actorId: undefined } as unknown as TaskState)
  expect(graph.node(`${A}/2`)?.state).toBe('finished')
})

it('nothing that was drawn moves, no two are at one place, and the oldest make room, counted', () => {
  const graph = new TaskGraph(50)
  const places = new Map<string, string>()
  for (let number = 1; number <= 400; number++) {
    graph.ended(end(number, { dependencies: [`${A}/${Math.max(0, number - 1 - (number % 7))}`] }))
    for (const { id, layer, slot } of graph.nodes) {
      expect(places.get(id) ?? `${layer} ${slot}`).toBe(`${layer} ${slot}`)
      places.set(id, `${layer} ${slot}`)
    }
    const now = [...graph.nodes].map(({ layer, slot }) => `${layer} ${slot}`)
    expect(new Set(now).size).toBe(now.length)
    expect(graph.size).toBeLessThanOrEqual(50)
  }
  expect(graph.removed + graph.size).toBeGreaterThanOrEqual(400)
  for (const { from, to } of graph.edges) expect([graph.node(from.id), graph.node(to.id)]).toEqual([from, to])
})
