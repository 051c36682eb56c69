export { ObjectTable } from './object-table.ts'
export { Transfers } from './transfers.ts'
export type { PullOutcome, TransferNetwork, TransfersOptions } from './transfers.ts'
