import { afterEach, expect, it } from 'vitest'
import {
  actor,
  get,
  getActorState,
  getObjectState,
  getTaskState,
  listActors,
  listNodes,
  listObjects,
} from '../index.ts'
import { availableResources, clusterResources, listTasks, listWorkers, nodes } from '../index.ts'
import { put, remote, summarizeTasks } from '../index.ts'
import { createTestRoom } from '../testing/index.ts'
import type { TestRoom, TestRoomOptions } from '../testing/index.ts'
import { StateQueries } from '@shoal/core-worker'
import type { StateResult } from '@shoal/core-worker'

let room: TestRoom
const open = async (options: TestRoomOptions): Promise<TestRoom> => (room = await createTestRoom(options))
afterEach(() => room.close())

it('[SQ2] answers in a tab alone, and gives rows that a console shows as a table', async () => {
  await open({ tabs: 1 })
  const twice = remote((n: number) => 2 * n, { name: 'twice' })
  using ref = twice.remote(4)
  expect(await get(ref)).toBe(8)
  const { rows, total, numFiltered, isTruncated, missing, warnings } = await listTasks()
  expect(rows[0]).toMatchObject({ name: 'twice', state: 'FINISHED', attempt: 0, requiredResources: { CPU: 1 } })
  expect(Object.keys(rows[0] ?? {}).slice(0, 4)).toEqual(['taskId', 'name', 'state', 'pendingReason'])
  expect({ total, numFiltered, isTruncated, missing, warnings }).toEqual({
    total: 1,
    numFiltered: 1,
    isTruncated: false,
    missing: [],
    warnings: [],
  })
  const [{ creationTimeMs, startTimeMs = 0, endTimeMs = 0 }] = rows as [(typeof rows)[number]]
  expect(startTimeMs - creationTimeMs).toBeGreaterThanOrEqual(0)
  expect(endTimeMs - startTimeMs).toBeGreaterThanOrEqual(0)
  expect(Math.abs(Date.now() - endTimeMs)).toBeLessThan(60_000)
  expect((await summarizeTasks()).rows).toEqual([{ name: 'twice', type: 'NORMAL_TASK', stateCounts: { FINISHED: 1 } }])
})

it('[SQ4] nodes and their resources, together and what of them is free', async () => {
  await open({ tabs: 3, workers: 2 })
  expect((await nodes()).map(({ isSelf }) => isSelf)).toEqual([true, false, false])
  expect(await clusterResources()).toMatchObject({ CPU: 6 })
  expect(await availableResources()).toMatchObject({ CPU: 6 })
  const Holder = actor(
    class {
      ping() {
        return 1
      }
    },
    { numCpus: 1.5 },
  )
  const holders = Array.from({ length: 3 }, () => Holder.remote())
  await get(holders.map((holder) => holder.ping.remote()))
  expect(await availableResources()).toMatchObject({ CPU: 1.5 })
  const last = Holder.options({ numCpus: 0.5 })
  const rest = Array.from({ length: 3 }, () => last.remote())
  await get(rest.map((holder) => holder.ping.remote()))
  expect(await availableResources()).not.toHaveProperty('CPU')
  await expect(nodes({ timeoutMs: -1 })).rejects.toThrow(RangeError)
})

it('[SQ2] looks one up by its ref or its id', async () => {
  await open({ tabs: 2, workers: 1 })
  const half = remote((n: number) => n / 2, { name: 'half' })
  const Counter = actor(
    class Counter {
      n = 0
      add(k: number) {
        return (this.n += k)
      }
    },
  )
  using ref = half.remote(4)
  using stored = put('a value')
  await get([ref, Counter.remote().add.remote(1)])
  const task = await getTaskState(ref)
  expect([task?.name, task?.state]).toEqual(['half', 'FINISHED'])
  expect(await getTaskState(task?.taskId ?? '')).toEqual(task)
  expect(await getObjectState(stored)).toMatchObject({
    state: 'AVAILABLE',
    referenceCounts: { local: 1, borrowers: 0, pendingTasks: 0, recipes: 0 },
    lineage: { objects: [{ taskName: undefined, dependencies: [], depth: 0 }], cut: 0 },
  })
  const [row] = (await listActors()).rows
  expect(await getActorState(row?.actorId ?? '')).toMatchObject({ className: 'Counter', state: 'ALIVE' })
  expect(await getTaskState(`${room.session.nodeId}/999`)).toBeUndefined()
  await expect(getTaskState('half')).rejects.toThrow(
    new TypeError('half is no ref and no id: an id is 32 hex digits, a stroke and a number'),
  )
  await expect(getTaskState(undefined as never)).rejects.toThrow(TypeError)
})

it('[SQ2] tells of tabs, workers and objects', async () => {
  await open({
    tabs: [
      { name: 'mine', workers: 1 },
      { name: 'other', numGpus: 1 },
    ],
  })
  const nodes = await listNodes()
  expect(nodes.rows.map(({ name, isSelf, state, used }) => [name, isSelf, state, used])).toEqual([
    ['mine', true, 'ALIVE', {}],
    ['other', false, 'ALIVE', {}],
  ])
  expect(nodes.rows[1]?.resources.GPU).toBe(1)
  const one = remote(() => 1)
  await get(one.remote())
  const workers = await listWorkers({ filters: [['state', '=', 'IDLE']] })
  expect(workers.rows).toMatchObject([{ workerId: 1, nodeId: room.session.nodeId, numRuns: 0 }])
  using large = put(new Uint8Array(1_000))
  const { rows } = await listObjects({
    filters: [['objectId', '=', large.id.replace('this-tab', room.session.nodeId)]],
  })
  expect(rows.map(({ sizeBytes = 0 }) => sizeBytes > 1_000)).toEqual([true])
})

it('[SQ1] a bad option is told by the promise, whoever is asked', async () => {
  await open({ tabs: 1 })
  await expect(listTasks({ limit: 0 })).rejects.toThrow(RangeError)
  await expect(room.session.listNodes({ filters: [['className' as never, '=', 1]] })).rejects.toThrow(TypeError)
})

it('[SQ2] nobody knows of it is one thing, somebody has not answered another', async () => {
  await open({ tabs: 1 })
  class Silent extends StateQueries {
    readonly nodeId = 'a'.repeat(32)
    protected override askState(): Promise<StateResult<object>> {
      const nothing = { rows: [], total: 0, numFiltered: 0, isTruncated: false, warnings: [] }
      return Promise.resolve({ ...nothing, missing: ['b'.repeat(32)] })
    }
  }
  await expect(new Silent().getObjectState('this-tab/1', { timeoutMs: 30 })).rejects.toThrow(
    "1 of the room's tabs did not answer within 30 ms, and nobody else knows of it",
  )
})
