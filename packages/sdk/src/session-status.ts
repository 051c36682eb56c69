import { CPU, fromResourceSet, UNITS_OF_ONE, unitsOf } from '@shoal/protocol'
import type { NodeId, NodeLabels, ResourceSet } from '@shoal/protocol'
import type { TabOptions } from '@shoal/node/web'
import type { Member, Role, SessionState, SessionStatus } from './session-types.ts'

/** The newest status of the node worker. */
export type NodeNews = Parameters<TabOptions['onStatus']>[0]

export interface StatusInput {
  readonly nodeId: NodeId | undefined
  readonly name: string
  readonly cores: number
  readonly slots: number
  readonly role: Role
  readonly isLending: boolean
  readonly wantsToLend: boolean
  /** Lending is wanted, and no badge has been shown for a while. */
  readonly isBadgeMissing: boolean
  readonly isJoining: boolean
  readonly isClosed: boolean
  readonly hasRoom: boolean
  readonly canSubmit: boolean
  readonly problem: string | undefined
  readonly news: NodeNews | undefined
}

/** The node's figures and the page's own state as one picture. Pure. */
export function toStatus(input: StatusInput): SessionStatus {
  const { news, nodeId } = input
  const members = membersOf(input)
  const resources = news?.resources ?? []
  return {
    state: stateOf(input, members),
    problem: problemOf(input, members),
    nodeId,
    role: input.role,
    isLending: input.isLending && news?.lendingPause === undefined,
    lendingPaused: input.isLending ? news?.lendingPause : undefined,
    bytesLastHour: news?.bytesLastHour ?? 0,
    wantsToLend: input.wantsToLend,
    hasUnfinishedTasks: news?.hasOwnJob ?? false,
    guestsRunning: news?.guestsRunning ?? 0,
    guestNames: news?.guestNames ?? [],
    guestActors: news?.guestActors ?? 0,
    slots: input.isLending || input.canSubmit ? input.slots : 0,
    resources: fromResourceSet(resources),
    availableResources: availableOf(resources, news?.usedResources ?? []),
    running: news?.running ?? 0,
    queued: news?.queued ?? 0,
    infeasible: news?.infeasible ?? [],
    tasksRun: news?.tasksRun ?? 0,
    guestTasksRun: news?.guestTasksRun ?? 0,
    tasksFailed: news?.tasksFailed ?? 0,
    objects: news?.objects ?? 0,
    objectBytes: news?.objectBytes ?? 0,
    spilledBytes: news?.spilledBytes ?? 0,
    objectStoreBytes: news?.objectStoreBytes ?? 0,
    disk: news?.disk ?? 'fine',
    cpuMs: (news?.cpuMicros ?? 0) / 1000,
    bytesSent: news?.bytesSent ?? 0,
    bytesReceived: news?.bytesReceived ?? 0,
    members,
    ledgers: input.hasRoom ? (input.news?.ledgers ?? []) : [],
  }
}

/** What is not in use; exact, since both are counted in whole ten-thousandths. */
function availableOf(total: ResourceSet, used: ResourceSet): Record<string, number> {
  return Object.fromEntries(total.map(({ name, units }) => [name, (units - unitsOf(used, name)) / UNITS_OF_ONE]))
}

/** A sentence for people, or nothing. */
function problemOf(input: StatusInput, members: readonly Member[]): string | undefined {
  if (input.problem !== undefined) return input.problem
  if (input.hasRoom && input.news?.refused !== undefined) return input.news.refused
  if (members.some((member) => member.state === 'incompatible'))
    return 'A tab in this room runs another version of Shoal: reload this tab.'
  if (input.hasRoom && input.isBadgeMissing)
    return 'This tab lends nothing: its Shoal badge is not shown. Put a <shoal-badge> where people can see it.'
  return undefined
}

function stateOf(input: StatusInput, members: readonly Member[]): SessionState {
  if (input.isClosed) return 'left'
  if (input.nodeId === undefined) return 'starting'
  if (input.isJoining) return 'joining'
  if (!input.hasRoom) return 'alone'
  if (members.some((member) => !member.isSelf && member.state === 'connected')) return 'connected'
  if (input.news?.isServerUp === false) return 'offline'
  return members.some((member) => member.state === 'connecting') ? 'joining' : 'alone'
}

function labelsOf(labels: NodeLabels = []): Record<string, string> {
  return Object.fromEntries(labels.map(({ key, value }) => [key, value]))
}

function membersOf(input: StatusInput): Member[] {
  if (input.nodeId === undefined) return []
  const self: Member = {
    nodeId: input.nodeId,
    isSelf: true,
    name: input.name,
    cores: input.cores,
    labels: labelsOf(input.news?.labels),
    tasksDone: (input.news?.tasksRun ?? 0) - (input.news?.guestTasksRun ?? 0),
    slots: input.isLending || input.canSubmit ? input.slots : 0,
    resources: input.isLending ? fromResourceSet(input.news?.lent ?? []) : {},
    state: 'connected',
    isDirect: true,
    canSubmit: input.canSubmit,
    roundTripMs: undefined,
    bytesSent: 0,
    bytesReceived: 0,
  }
  const others = (input.hasRoom ? (input.news?.members ?? []) : []).map((member): Member => ({
    nodeId: member.node,
    isSelf: false,
    name: member.card?.name ?? 'a tab',
    cores: member.card?.cores ?? 0,
    labels: labelsOf(member.card?.labels),
    tasksDone: member.tasksDone,
    slots: unitsOf(member.card?.resources ?? [], CPU) / UNITS_OF_ONE,
    resources: fromResourceSet(member.card?.resources ?? []),
    state: member.state,
    isDirect: member.isDirect,
    canSubmit: member.canSubmit,
    roundTripMs: member.stats?.roundTripMs,
    bytesSent: member.stats?.bytesSent ?? 0,
    bytesReceived: member.stats?.bytesReceived ?? 0,
  }))
  return [self, ...others]
}
