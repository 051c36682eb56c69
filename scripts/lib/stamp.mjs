import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** @returns {Record<string, string>} what was stamped last, {} if nothing was or the file is damaged */
export function readStamp(path) {
  try {
    const stamp = JSON.parse(readFileSync(path, 'utf8'))
    return typeof stamp === 'object' && stamp !== null ? stamp : {}
  } catch {
    return {}
  }
}

/** Written beside and renamed: a stamp is whole or absent. */
export function writeStamp(path, stamp) {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(stamp, null, 2)}\n`)
  renameSync(draft, path)
}
