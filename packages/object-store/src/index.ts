export { ObjectTable } from './object-table.ts'
export { Transfers } from './transfers.ts'
export type { PullHolds, PullOutcome, TransferNetwork, TransfersOptions } from './transfers.ts'
