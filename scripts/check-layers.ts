/**
 * Fails on what the layers of design section 7 forbid. Reads the sources with the compiler's parser; resolves nothing
 * but relative paths and the workspaces' own `exports`.
 *
 * It does not know types: an import that erases (`import type`) still points upward or it does not, but makes no cycle.
 */
import { pathToFileURL } from 'node:url'
import { findCycles } from './layers/cycles.ts'
import { checkFile } from './layers/rules.ts'
import { readTree } from './layers/tree.ts'

/** One sentence for each fault in the tree at `root`, with the file it is in; none when all is well. */
export function findLayerFaults(root: string): string[] {
  const tree = readTree(root)
  const faults = tree.unknownFolders.map((folder) => `${folder}: is in no layer; add it to scripts/layers/layers.ts`)
  for (const file of tree.files.values()) faults.push(...checkFile(tree, file))
  for (const cycle of findCycles(tree)) faults.push(`${cycle[0] ?? ''}: import cycle ${cycle.join(' -> ')}`)
  return faults.sort()
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = findLayerFaults(process.cwd())
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length === 0 ? 0 : 1
}
