export function listFiles(root: string, paths: readonly string[], isWanted: (path: string) => boolean): string[]
export function quickHash(root: string, files: readonly string[]): string
export function contentHash(root: string, files: readonly string[]): string
