import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import type { Locate } from './map-stacks.ts'

/**
 * Reads a bundle's source map (JSON, version 3) and gives what finds the user's place for a position of the bundle's
 * text. Lines and columns count from 1, as in stacks. Loaded with the first error that needs it.
 */
export function createLocate(map: string): Locate {
  const trace = new TraceMap(map)
  return (line, column) => {
    const found = originalPositionFor(trace, { line, column: column - 1 })
    if (found.source === null) return undefined
    return `${found.source.replace(/^shoal:\/\/\//, '')}:${found.line}:${found.column + 1}`
  }
}
