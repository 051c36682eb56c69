import type { Member, SessionStatus } from '@shoal/sdk'
import { expect, it } from 'vitest'
import { roomTotals } from './room-totals.ts'

const MEMBER: Member = {
  nodeId: 'a',
  isSelf: false,
  name: '',
  cores: 8,
  slots: 4,
  labels: {},
  tasksDone: 0,
  resources: { CPU: 4 },
  state: 'connected',
  isDirect: true,
  canSubmit: false,
  roundTripMs: 1,
  bytesSent: 0,
  bytesReceived: 0,
}

it('counts what works for this tab: its own workers even unlent, others only connected and lending', () => {
  const status: SessionStatus = {
    state: 'connected',
    problem: undefined,
    nodeId: 's',
    role: 'both',
    isLending: false,
    lendingPaused: undefined,
    bytesLastHour: 0,
    wantsToLend: false,
    hasUnfinishedTasks: false,
    guestsRunning: 0,
    guestNames: [],
    guestActors: 0,
    slots: 3,
    resources: { CPU: 3 },
    availableResources: { CPU: 3 },
    infeasible: [],
    running: 0,
    queued: 0,
    objects: 0,
    objectBytes: 0,
    spilledBytes: 0,
    objectStoreBytes: 1e9,
    disk: 'fine',
    tasksRun: 0,
    guestTasksRun: 0,
    tasksFailed: 0,
    cpuMs: 0,
    bytesSent: 10,
    bytesReceived: 5,
    ledgers: [],
    members: [
      { ...MEMBER, isSelf: true, slots: 0 },
      MEMBER,
      { ...MEMBER, slots: 0 },
      { ...MEMBER, state: 'connecting' },
    ],
  }
  expect(roomTotals(status)).toEqual({ tabs: 2, slots: 7, bytes: 15 })
})

it('takes one worker for granted before the session says more', () => {
  expect(roomTotals(undefined)).toEqual({ tabs: 1, slots: 1, bytes: 0 })
})
