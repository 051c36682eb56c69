import type { Member, SessionStatus } from '@shoal/sdk'
import { expect, it } from 'vitest'
import { connectedWords, isApart, sentence, troubleOf } from './trouble.ts'

const STATUS: SessionStatus = {
  state: 'connected',
  problem: undefined,
  nodeId: 'a'.repeat(32),
  role: 'both',
  isLending: true,
  lendingPaused: undefined,
  bytesLastHour: 0,
  wantsToLend: true,
  hasUnfinishedTasks: false,
  guestsRunning: 0,
  guestNames: [],
  guestActors: 0,
  slots: 1,
  resources: { CPU: 1 },
  availableResources: { CPU: 1 },
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
  bytesSent: 0,
  bytesReceived: 0,
  members: [],
  ledgers: [],
}

const UNREACHABLE: Member = {
  nodeId: 'b'.repeat(32),
  isSelf: false,
  name: 'a phone',
  cores: 4,
  labels: {},
  tasksDone: 0,
  slots: 0,
  resources: {},
  state: 'unreachable',
  isDirect: true,
  canSubmit: false,
  roundTripMs: undefined,
  bytesSent: 0,
  bytesReceived: 0,
}

it('says nothing when all is well, or when nothing is known yet', () => {
  expect(troubleOf(STATUS, true, true)).toBeUndefined()
  expect(troubleOf(undefined, true, true)).toBeUndefined()
  expect(troubleOf({ ...STATUS, state: 'offline' }, false, true)).toBeUndefined()
})

it('says that a tab without WebRTC works alone', () => {
  expect(troubleOf(STATUS, true, false)?.text).toContain('works alone')
})

it('offers to reload where that is the remedy', () => {
  const trouble = troubleOf({ ...STATUS, problem: 'the room speaks version 2: reload this tab' }, true, true)
  expect(trouble).toEqual({ text: 'The room speaks version 2: reload this tab.', helpsToReload: true })
})

it('says that a tab cut off from its room goes on', () => {
  expect(troubleOf({ ...STATUS, state: 'offline' }, true, true)?.text).toContain('out of reach')
})

it('counts the tabs that need a relay', () => {
  const linked: Member = { ...UNREACHABLE, state: 'connected' }
  expect(troubleOf({ ...STATUS, members: [linked, UNREACHABLE] }, true, true)?.text).toMatch(/^One tab .* relay/)
  const members = [linked, UNREACHABLE, UNREACHABLE]
  expect(troubleOf({ ...STATUS, members }, true, true)?.text).toMatch(/^2 tabs /)
})

it('says that a network keeps devices apart when nobody can be reached', () => {
  const members = [{ ...UNREACHABLE, isSelf: true, state: 'connected' as const }, UNREACHABLE]
  expect(troubleOf({ ...STATUS, members }, true, true)?.text).toMatch(/^This network keeps devices apart/)
  expect(isApart({ members: members.slice(0, 1) })).toBe(false)
})

it('says how a tab is connected', () => {
  const direct: Member = { ...UNREACHABLE, state: 'connected' }
  const relayed: Member = { ...direct, isDirect: false }
  expect(connectedWords({ members: [direct] })).toBe('connected, direct')
  expect(connectedWords({ members: [direct, relayed] })).toBe('connected, 1 of 2 relayed')
  expect(connectedWords({ members: [relayed, UNREACHABLE] })).toBe('connected, relayed')
})

it('makes a sentence of a message', () => {
  expect([sentence('no server '), sentence('Gone!')]).toEqual(['No server.', 'Gone!'])
})
