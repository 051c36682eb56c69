/**
 * Installs from the lock file when what is installed is not what the lock file says for this machine.
 *
 * The stamp lies inside node_modules: an `npm ci` that is cut short deletes it along with the rest. An install made by
 * hand (`npm install`) has no stamp, but npm's own record of it; when that agrees with the lock file it is taken over
 * instead of being deleted under whoever is using it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { contentHash } from './fingerprint.mjs'
import { withLock } from './lock.mjs'
import { root, stateDir } from './paths.mjs'
import { PlainError } from './plain-error.mjs'
import { runChild } from './run-child.mjs'
import { readStamp, writeStamp } from './stamp.mjs'

const stampPath = join(root, 'node_modules/.shoal-install.json')

function wantedStamp() {
  return {
    lockFile: contentHash(root, ['package-lock.json']),
    platform: process.platform,
    arch: process.arch,
    nodeMajor: process.versions.node.split('.')[0],
  }
}

const isSame = (a, b) => Object.keys(b).every((key) => a[key] === b[key])

/** @param {(line: string) => void} say progress for people */
export async function ensureInstalled(say) {
  const wanted = wantedStamp()
  if (isSame(readStamp(stampPath), wanted)) return
  const onWait = (pid) => say(`waiting for process ${pid ?? '?'}, which is installing or building here`)
  await withLock(
    join(stateDir, 'lock'),
    async (hold) => {
      const stamp = readStamp(stampPath)
      if (isSame(stamp, wanted)) return
      const isSameMachine = isSame({ ...stamp, lockFile: wanted.lockFile }, wanted)
      if ((isSameMachine || Object.keys(stamp).length === 0) && isInstalledByHand()) {
        writeStamp(stampPath, wanted)
        return
      }
      say('installing dependencies (npm ci)')
      const result = await npm(['ci', '--include=dev', '--no-audit', '--no-fund'], { onSpawn: hold.addPid })
      if (result.interrupted) throw new PlainError('stopped while installing', 130)
      if (result.code !== 0) throw new PlainError('npm ci failed; its message is above')
      writeStamp(stampPath, wanted)
    },
    { onWait },
  )
}

/** Whether npm's record of what lies in node_modules is what the lock file asks for on this platform. */
function isInstalledByHand() {
  const record = readJson('node_modules/.package-lock.json')?.packages
  const lock = readJson('package-lock.json')?.packages
  if (record === undefined || lock === undefined) return false
  const fits = (list, here) => list === undefined || list.includes(here)
  for (const [path, entry] of Object.entries(record)) {
    const wanted = lock[path]
    if (wanted === undefined || wanted.version !== entry.version || wanted.integrity !== entry.integrity) return false
    if (!fits(entry.os, process.platform) || !fits(entry.cpu, process.arch)) return false
  }
  return Object.entries(lock).every(
    ([path, entry]) => !path.includes('node_modules/') || entry.optional || entry.peer || record[path] !== undefined,
  )
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'))
  } catch {
    return undefined
  }
}

function npm(args, options) {
  const cli = findNpmCli()
  if (cli !== undefined) return runChild(process.execPath, [cli, ...args], options)
  // npm.cmd is a batch file, which Node starts only through a shell; the arguments are our own constants.
  if (process.platform === 'win32') return runChild('npm.cmd', args, { ...options, shell: true })
  return runChild('npm', args, options)
}

/** npm's own entry file: the npm that started us, or the one beside this Node. */
function findNpmCli() {
  const bin = dirname(process.execPath)
  const candidates = [
    process.env.npm_execpath,
    join(bin, 'node_modules/npm/bin/npm-cli.js'),
    join(bin, '../lib/node_modules/npm/bin/npm-cli.js'),
  ]
  return candidates.find((path) => path !== undefined && basename(path) === 'npm-cli.js' && existsSync(path))
}
