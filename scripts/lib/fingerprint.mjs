/**
 * Tells whether a set of files changed since a stamp was written. Sizes and times are compared first (a few
 * milliseconds for the whole repository); contents are read only when those differ, so that a fresh checkout of the
 * same text or a `touch` builds nothing.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/**
 * All files under `paths` (files or folders, relative to `root`), sorted.
 * @param {string} root
 * @param {readonly string[]} paths
 * @param {(path: string) => boolean} isWanted asked with the path relative to root, with `/`; folders end with `/`
 * @returns {string[]} relative paths with `/`
 */
export function listFiles(root, paths, isWanted) {
  const files = []
  const visit = (absolute, stats) => {
    const path = relative(root, absolute).split(sep).join('/')
    if (!stats.isDirectory()) {
      if (isWanted(path)) files.push(path)
      return
    }
    if (path !== '' && !isWanted(`${path}/`)) return
    for (const entry of readdirSync(absolute, { withFileTypes: true })) visit(join(absolute, entry.name), entry)
  }
  for (const path of paths) {
    const absolute = join(root, path)
    const stats = statSync(absolute, { throwIfNoEntry: false })
    if (stats !== undefined) visit(absolute, stats)
  }
  return files.sort()
}

/** @returns {string} hash of paths, sizes and times */
export function quickHash(root, files) {
  const hash = createHash('sha256')
  for (const path of files) {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

/** @returns {string} hash of paths and contents */
export function contentHash(root, files) {
  const hash = createHash('sha256')
  for (const path of files) {
    const bytes = readFileSync(join(root, path))
    hash.update(`${path}\0${bytes.length}\n`)
    hash.update(bytes)
  }
  return hash.digest('hex')
}
