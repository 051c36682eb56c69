/**
 * One lock directory, so that two terminals do not install or build over each other.
 *
 * free -> held (mkdir succeeded, owner.json names the pids) -> free (removed)
 * held by dead pids -> taken over, under a second directory, so that two waiters cannot both remove it and
 * one of them remove the other's fresh lock.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 200
/** Between mkdir and the owner file lie microseconds; a directory without owner older than this was abandoned. */
const OWNERLESS_LIMIT_MS = 10_000

/**
 * @template T
 * @param {string} dir the lock's directory; its parent must exist
 * @param {(hold: { addPid: (pid: number) => void }) => Promise<T>} work runs while the lock is held; a child that it
 *   starts is named with addPid, because `npm ci` goes on when its parent is killed
 * @param {{ onWait?: (pid: number | undefined) => void }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(dir, work, options = {}) {
  let isWaiting = false
  while (!tryAcquire(dir)) {
    const pids = readOwner(dir)
    if (isAbandoned(dir, pids)) {
      takeOver(dir)
      continue
    }
    if (!isWaiting) options.onWait?.(pids?.[0])
    isWaiting = true
    await sleep(POLL_MS)
  }
  const pids = [process.pid]
  try {
    return await work({
      addPid(pid) {
        pids.push(pid)
        writeOwner(dir, pids)
      },
    })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function tryAcquire(dir) {
  try {
    mkdirSync(dir)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeOwner(dir, [process.pid])
  return true
}

function writeOwner(dir, pids) {
  // Renamed into place: a waiter never reads half a list.
  const draft = join(dir, 'owner.draft')
  writeFileSync(draft, JSON.stringify(pids))
  renameSync(draft, join(dir, 'owner.json'))
}

function readOwner(dir) {
  try {
    return JSON.parse(readFileSync(join(dir, 'owner.json'), 'utf8'))
  } catch {
    return undefined
  }
}

function isAbandoned(dir, pids) {
  if (pids !== undefined) return !pids.some(isAlive)
  const age = ageMs(dir)
  return age !== undefined && age > OWNERLESS_LIMIT_MS
}

function takeOver(dir) {
  const guard = `${dir}.takeover`
  try {
    mkdirSync(guard)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    // Another waiter is at it; if it died within these microseconds, its guard goes by age.
    if ((ageMs(guard) ?? 0) > OWNERLESS_LIMIT_MS) rmSync(guard, { recursive: true, force: true })
    return
  }
  try {
    // Looked at again: the waiter before us may have taken over and be holding the lock by now.
    if (isAbandoned(dir, readOwner(dir))) rmSync(dir, { recursive: true, force: true })
  } finally {
    rmSync(guard, { recursive: true, force: true })
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return undefined
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
