/** What objects may take in the memory of the tab that writes to disk. */
export const MEMORY_BYTES = 4_000_000
