export { MemorySpillStore } from './memory-spill-store.ts'
export type { MemorySpillStoreOptions } from './memory-spill-store.ts'
