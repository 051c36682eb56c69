/**
 * Fails when the lock file names download addresses (it must install from any registry) or lacks the native binaries
 * of another platform (npm writes only the current one's when it rebuilds the lock beside an existing node_modules).
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

interface LockFile {
  readonly packages?: Readonly<Record<string, { readonly resolved?: string; readonly link?: boolean }>>
}

const NATIVE_BINDINGS: readonly { readonly name: string; readonly bindings: readonly string[] }[] = [
  {
    name: 'rolldown',
    bindings: ['darwin-arm64', 'win32-x64-msvc', 'linux-arm64-gnu', 'linux-x64-gnu'].map(
      (platform) => `@rolldown/binding-${platform}`,
    ),
  },
  {
    name: 'esbuild',
    bindings: ['darwin-arm64', 'win32-x64', 'linux-arm64', 'linux-x64'].map((platform) => `@esbuild/${platform}`),
  },
  {
    name: 'lightningcss',
    bindings: ['darwin-arm64', 'win32-x64-msvc', 'linux-arm64-gnu', 'linux-x64-gnu'].map(
      (platform) => `lightningcss-${platform}`,
    ),
  },
]

/** One sentence for each fault, none when the lock file is sound. */
export function findLockFaults(lock: LockFile): string[] {
  const packages = lock.packages ?? {}
  const faults: string[] = []
  for (const [path, entry] of Object.entries(packages)) {
    // A workspace's `resolved` is its folder, with `link`: no address.
    if (entry.resolved !== undefined && entry.link !== true) faults.push(`${path} names an address: ${entry.resolved}`)
  }
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)))
  for (const { name, bindings } of NATIVE_BINDINGS) {
    if (!names.has(name)) continue
    for (const binding of bindings) {
      if (!names.has(binding)) faults.push(`${binding} is missing: delete node_modules and lock file, npm install`)
    }
  }
  return faults
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = findLockFaults(JSON.parse(readFileSync('package-lock.json', 'utf8')) as LockFile)
  for (const fault of faults) console.error(`package-lock.json: ${fault}`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
