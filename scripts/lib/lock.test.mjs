import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withLock } from './lock.mjs'

let folder
let lock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-lock-'))
  lock = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function deadPid() {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'close')
  return child.pid
}

test('works and leaves nothing behind, also when the work fails', async () => {
  expect(await withLock(lock, async () => existsSync(lock))).toBe(true)
  expect(existsSync(lock)).toBe(false)
  await expect(withLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(existsSync(lock)).toBe(false)
})

test('a second one waits, says for whom, and goes on when the first is done', async () => {
  const order = []
  let finish
  const first = withLock(lock, async () => {
    await new Promise((resolve) => (finish = resolve))
    order.push('first')
  })
  const isWaiting = new Promise((resolve) => {
    void withLock(lock, async () => order.push('second'), { onWait: resolve }).then(() => order.push('end'))
  })
  expect(await isWaiting).toBe(process.pid)
  finish()
  await first
  await expect.poll(() => order).toEqual(['first', 'second', 'end'])
})

test('of many that find the lock of a dead process, one at a time works', async () => {
  mkdirSync(lock)
  writeFileSync(join(lock, 'owner.json'), JSON.stringify([await deadPid()]))
  let inside = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside--
  }
  await Promise.all(Array.from({ length: 5 }, () => withLock(lock, work)))
  expect(most).toBe(1)
})

test('a child named with addPid keeps the lock when its parent is gone', async () => {
  const gone = await deadPid()
  mkdirSync(lock)
  writeFileSync(join(lock, 'owner.json'), JSON.stringify([gone, process.pid]))
  let isDone = false
  const waiting = new Promise((resolve) => {
    void withLock(lock, async () => (isDone = true), { onWait: resolve })
  })
  expect(await waiting).toBe(gone)
  expect(isDone).toBe(false)
  rmSync(lock, { recursive: true })
  await expect.poll(() => isDone).toBe(true)

  await withLock(lock, async ({ addPid }) => {
    addPid(7)
    expect(JSON.parse(readFileSync(join(lock, 'owner.json'), 'utf8'))).toEqual([process.pid, 7])
  })
})

test('a directory whose maker died before naming itself is taken over by age', async () => {
  mkdirSync(lock)
  const longAgo = Date.now() / 1000 - 60
  utimesSync(lock, longAgo, longAgo)
  expect(await withLock(lock, async () => 'in')).toBe('in')
})
