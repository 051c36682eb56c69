export function readStamp(path: string): Partial<Record<string, string>>
export function writeStamp(path: string, stamp: Readonly<Record<string, string>>): void
