/** Builds a site (apps/room/dist, apps/examples/dist) when its sources are not the ones it was built from. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { contentHash, listFiles, quickHash } from './fingerprint.mjs'
import { withLock } from './lock.mjs'
import { root, stateDir, tools } from './paths.mjs'
import { PlainError } from './plain-error.mjs'
import { runNode } from './run-child.mjs'
import { readStamp, writeStamp } from './stamp.mjs'

/** @typedef {{ name: string, appDir: string, siteDir: string, stampPath: string }} Site */

/** @param {string} name the app's folder; its built site is static files that signaling-server serves */
const site = (name) => ({
  name,
  appDir: join(root, 'apps', name),
  siteDir: join(root, 'apps', name, 'dist'),
  stampPath: join(stateDir, `build-${name}.json`),
})

export const roomSite = site('room')
export const examplesSite = site('examples')

const SOURCES = ['packages', 'apps', 'package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts']

function isSource(path) {
  if (/(^|\/)(node_modules|dist|fixtures)\/$/.test(path)) return false
  if (path === 'packages/testing/') return false
  return !/\.(test\.tsx?|md)$/.test(path)
}

/**
 * @param {(line: string) => void} say progress for people
 * @param {Site} [of] the site to build; default: the room's
 */
export async function ensureBuilt(say, of = roomSite) {
  if (isFresh(of)) return
  const onWait = (pid) => say(`waiting for process ${pid ?? '?'}, which is installing or building here`)
  await withLock(
    join(stateDir, 'lock'),
    async (hold) => {
      if (isFresh(of)) return
      // Hashed before the build: what is saved while it runs is built the next time.
      const files = listFiles(root, SOURCES, isSource)
      const stamp = { quick: quickHash(root, files), content: contentHash(root, files) }
      say(`building the site apps/${of.name} (vite build)`)
      const result = await runNode([tools.vite, 'build', '--logLevel', 'warn'], {
        cwd: of.appDir,
        onSpawn: hold.addPid,
      })
      if (result.interrupted) throw new PlainError('stopped while building', 130)
      if (result.code !== 0) throw new PlainError('vite build failed; its message is above')
      writeStamp(of.stampPath, stamp)
    },
    { onWait },
  )
}

function isFresh({ siteDir, stampPath }) {
  if (!existsSync(join(siteDir, 'index.html'))) return false
  const files = listFiles(root, SOURCES, isSource)
  const stamp = readStamp(stampPath)
  const quick = quickHash(root, files)
  if (stamp.quick === quick) return true
  if (stamp.content !== contentHash(root, files)) return false
  writeStamp(stampPath, { ...stamp, quick })
  return true
}
