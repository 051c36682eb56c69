/**
 * Fails when the lock file names download addresses (it must install from any registry) or lacks the native binaries
 * of another platform (npm writes only the current one's when it rebuilds the lock beside an existing node_modules).
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

interface LockEntry {
  readonly resolved?: string
  readonly link?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface LockFile {
  readonly packages?: Readonly<Record<string, LockEntry>>
}

/** One sentence for each fault, none when the lock file is sound. */
export function findLockFaults(lock: LockFile): string[] {
  const packages = lock.packages ?? {}
  const faults: string[] = []
  for (const [path, entry] of Object.entries(packages)) {
    // A workspace's `resolved` is its folder, with `link`: no address.
    if (entry.resolved !== undefined && entry.link !== true) faults.push(`${path} names an address: ${entry.resolved}`)
  }
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)))
  // A native package lists the binaries of all platforms as optional dependencies.
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages))
    for (const binary of Object.keys(optionalDependencies))
      if (!names.has(binary))
        faults.push(`${binary} of ${path} is missing: delete node_modules, take the last sound lock file, npm install`)
  return faults
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = findLockFaults(JSON.parse(readFileSync('package-lock.json', 'utf8')) as LockFile)
  for (const fault of faults) console.error(`package-lock.json: ${fault}`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
