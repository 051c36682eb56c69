import { expect, test } from 'vitest'
import { findLockFaults } from './check-lock.ts'

const binaries = ['@esbuild/darwin-arm64', '@esbuild/win32-x64', '@esbuild/linux-arm64', '@esbuild/linux-x64']
const esbuild = ['esbuild', ...binaries]
const optionalDependencies = Object.fromEntries(binaries.map((name) => [name, '1.0.0']))

const lockOf = (names: readonly string[]) => ({
  packages: Object.fromEntries(
    names.map((name) => [`node_modules/${name}`, name === 'esbuild' ? { optionalDependencies } : {}]),
  ),
})

test('a lock file with every platform and no address is sound', () => {
  expect(findLockFaults(lockOf(esbuild))).toEqual([])
})

test.each(esbuild.slice(1))('reports that %s is missing', (name) => {
  const faults = findLockFaults(lockOf(esbuild.filter((other) => other !== name)))
  expect(faults).toHaveLength(1)
  expect(faults[0]).toContain(`${name} of node_modules/esbuild is missing`)
})

test('a binding nested under its package counts', () => {
  const names = esbuild.map((name) => (name === '@esbuild/win32-x64' ? `vite/node_modules/${name}` : name))
  expect(findLockFaults(lockOf(names))).toEqual([])
})

test('reports a download address, and lets the folder of a workspace be', () => {
  const lock = {
    packages: {
      'node_modules/a': { resolved: 'https://example.test/a.tgz' },
      'node_modules/@shoal/base': { resolved: 'packages/base', link: true },
    },
  }
  expect(findLockFaults(lock)).toEqual(['node_modules/a names an address: https://example.test/a.tgz'])
})
