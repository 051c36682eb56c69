import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contentHash, listFiles, quickHash } from './fingerprint.mjs'

let root
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shoal-print-'))
  mkdirSync(join(root, 'a/dist'), { recursive: true })
  writeFileSync(join(root, 'a/one.ts'), '1')
  writeFileSync(join(root, 'a/dist/built.js'), '2')
  writeFileSync(join(root, 'b.json'), '3')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const files = () => listFiles(root, ['a', 'b.json', 'absent'], (path) => !path.endsWith('dist/'))

test('lists what is wanted, sorted, and passes over what does not exist', () => {
  expect(files()).toEqual(['a/one.ts', 'b.json'])
})

test('a touched file changes the quick hash only', () => {
  const before = [quickHash(root, files()), contentHash(root, files())]
  utimesSync(join(root, 'b.json'), 1, 1)
  expect(quickHash(root, files())).not.toBe(before[0])
  expect(contentHash(root, files())).toBe(before[1])
})

test('an edit, a new file, and text moved between files change the content hash', () => {
  const hashes = new Set([contentHash(root, files())])
  writeFileSync(join(root, 'b.json'), '4')
  hashes.add(contentHash(root, files()))
  writeFileSync(join(root, 'a/two.ts'), '')
  hashes.add(contentHash(root, files()))
  writeFileSync(join(root, 'a/one.ts'), '4')
  writeFileSync(join(root, 'b.json'), '1')
  hashes.add(contentHash(root, files()))
  expect(hashes.size).toBe(4)
})
