import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chromiumLaunchOptions, findChromium } from './find-chromium.mjs'

let folder
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'shoal-chromium-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function program(text) {
  const path = join(folder, 'chromium')
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

const unlessWindows = test.skipIf(process.platform === 'win32')

unlessWindows('SHOAL_CHROMIUM comes first', () => {
  const path = program('echo "Chromium 130.0.6723.58"')
  expect(findChromium({ SHOAL_CHROMIUM: path }).path).toBe(path)
})

unlessWindows.each([
  ['is older than 130', 'echo "Google Chrome 129.0.6668.100"', /version 129, and 130/],
  ['does not start', 'exit 127', /does not start/],
])('an executable that %s is refused', (_, text, expected) => {
  expect(() => findChromium({ SHOAL_CHROMIUM: program(text) })).toThrow(expected)
})

test.runIf(process.platform === 'linux')('a wrapper of the snap is refused without being started', () => {
  const path = program('echo "Chromium 150.0.1.1"; exec /snap/bin/chromium "$@"')
  expect(() => findChromium({ SHOAL_CHROMIUM: path })).toThrow(/snap package/)
})

test('a file that is not there is refused by name', () => {
  expect(() => findChromium({ SHOAL_CHROMIUM: '/no/such' })).toThrow('SHOAL_CHROMIUM=/no/such cannot be used')
})

test('only root on Linux goes without the sandbox', () => {
  const { executablePath, args } = chromiumLaunchOptions('/some/chromium')
  expect(executablePath).toBe('/some/chromium')
  expect(args).toContain('--disable-background-networking')
  expect(args.includes('--no-sandbox')).toBe(process.platform === 'linux' && process.getuid() === 0)
})
