export type { LedgerView } from './ledger/ledgers.ts'
export type {
  FormerSelf,
  JoinOptions,
  NodeGuards,
  NodeHoldings,
  NodeOptions,
  NodeStatus,
  ReloadOptions,
} from './node-options.ts'
export { CodeStore } from './code-store.ts'
export type { CheckSource } from './code-store.ts'
export { fingerprint } from './fingerprint.ts'
export { createRoomLink } from './room-link.ts'
export type { RoomMember } from './room-link.ts'
export type { LendingPause, LendingTerms } from './lending/lending.ts'
export { ShoalNode } from './shoal-node.ts'
export { createStateService } from './state/create-state-service.ts'
export type { StateRows } from './state/merge-answers.ts'
export type { StateQuestion } from './state/state-service.ts'
