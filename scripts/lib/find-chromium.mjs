/**
 * Finds a Chromium (130 or newer: the first whose data channels can be transferred to a worker), or gets one.
 *
 * Order: SHOAL_CHROMIUM; Chrome, Edge or Chromium where they are usually installed; PATH; Playwright's own download;
 * the system's package manager, when we are root or the user said --install-system. Snap packages are refused: their
 * confinement hides /tmp, where Playwright puts profiles.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, realpathSync, statfsSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, tools } from './paths.mjs'
import { PlainError } from './plain-error.mjs'
import { runChild, runNode } from './run-child.mjs'

export const MIN_CHROMIUM_VERSION = 130

/** A version probe is one process start; a browser that needs longer is not usable for tests either. */
const PROBE_LIMIT_MS = 15_000

/** A download that stalls this long (Playwright prints every tenth of it) is behind a wall. */
const DOWNLOAD_SILENCE_MS = 90_000

/** Renderers keep their shared buffers in /dev/shm; containers often give 64 MiB, which four tabs exhaust. */
const SMALL_SHM_BYTES = 512 * 1024 * 1024

const isRoot = () => process.platform !== 'win32' && process.getuid?.() === 0

/**
 * Looks only; starts and downloads nothing but `--version`.
 * @returns {{ path: string | undefined, refused: string[] }} refused: one sentence for each candidate turned down
 */
export function findChromium(env = process.env) {
  const refused = []
  const named = env.SHOAL_CHROMIUM
  if (named !== undefined && named !== '') {
    const reason = existsSync(named) ? reasonAgainst(named) : 'no such file'
    if (reason !== undefined) throw new PlainError(`SHOAL_CHROMIUM=${named} cannot be used: ${reason}`)
    return { path: named, refused }
  }
  const seen = new Set()
  for (const path of [...usualPlaces(env), ...onPath(env), ...playwrightPlaces(env)]) {
    if (!existsSync(path)) continue
    const target = realpathSync(path)
    if (seen.has(target)) continue
    seen.add(target)
    const reason = reasonAgainst(path)
    if (reason === undefined) return { path, refused }
    refused.push(`${path}: ${reason}`)
  }
  return { path: undefined, refused }
}

/**
 * Looks, then downloads, then installs.
 * @param {{ say: (line: string) => void, installSystem?: boolean }} options installSystem: the user allows the
 *   package manager (root always does)
 * @returns {Promise<string>} path of an executable
 * @throws PlainError that says what to install
 */
export async function ensureChromium({ say, installSystem = false }) {
  let found = findChromium()
  if (found.path !== undefined) return found.path
  for (const line of found.refused) say(`passed over ${line}`)

  say('no Chromium here yet, trying to download one with Playwright (about 170 MB)')
  await downloadWithPlaywright(installSystem, say)
  found = findChromium()
  if (found.path !== undefined) return found.path

  if (isRoot() || installSystem) {
    await installWithPackageManager(say)
    found = findChromium()
    if (found.path !== undefined) return found.path
  }
  throw new PlainError(whatToInstall(found.refused))
}

/**
 * Launch options for Playwright.
 * @param {string} executablePath
 * @returns {{ executablePath: string, args: string[] }}
 */
export function chromiumLaunchOptions(executablePath = findChromium().path) {
  if (executablePath === undefined) throw new PlainError(whatToInstall([]))
  // Variations and component updates would otherwise share the cores with what is measured.
  const args = ['--disable-background-networking']
  // Root cannot make the sandbox's user namespace on Linux; anybody else keeps the sandbox.
  if (process.platform === 'linux' && isRoot()) args.push('--no-sandbox')
  if (process.platform === 'linux' && isShmSmall()) args.push('--disable-dev-shm-usage')
  return { executablePath, args }
}

function isShmSmall() {
  try {
    const { bsize, blocks } = statfsSync('/dev/shm')
    return bsize * blocks < SMALL_SHM_BYTES
  } catch {
    return true
  }
}

function usualPlaces(env) {
  if (process.platform === 'darwin') {
    const apps = ['Google Chrome', 'Microsoft Edge', 'Chromium']
    return ['/Applications', join(homedir(), 'Applications')].flatMap((folder) =>
      apps.map((app) => join(folder, `${app}.app/Contents/MacOS/${app}`)),
    )
  }
  if (process.platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(Boolean)
    const apps = ['Google/Chrome', 'Microsoft/Edge', 'Chromium']
    return apps.flatMap((app) =>
      folders.map((folder) => join(folder, app, 'Application', app.includes('Edge') ? 'msedge.exe' : 'chrome.exe')),
    )
  }
  return [
    '/opt/google/chrome/chrome',
    '/opt/microsoft/msedge/msedge',
    '/usr/bin/google-chrome-stable',
    '/usr/bin/microsoft-edge-stable',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/lib/chromium/chromium',
    '/usr/lib64/chromium-browser/chromium-browser',
  ]
}

function onPath(env) {
  const names =
    process.platform === 'win32'
      ? ['chrome.exe', 'msedge.exe', 'chromium.exe']
      : ['google-chrome', 'google-chrome-stable', 'microsoft-edge', 'chromium', 'chromium-browser', 'chrome']
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(Boolean)
  return folders.flatMap((folder) => names.map((name) => join(folder, name)))
}

/** Where Playwright puts its downloads; every revision counts, newest first. */
function playwrightPlaces(env) {
  const cache =
    env.PLAYWRIGHT_BROWSERS_PATH ??
    {
      darwin: join(homedir(), 'Library/Caches/ms-playwright'),
      win32: join(env.LOCALAPPDATA ?? join(homedir(), 'AppData/Local'), 'ms-playwright'),
    }[process.platform] ??
    join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ms-playwright')
  const mac = 'Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing'
  const inside = {
    darwin: [`chrome-mac-arm64/${mac}`, `chrome-mac-x64/${mac}`, 'chrome-mac/Chromium.app/Contents/MacOS/Chromium'],
    win32: ['chrome-win64/chrome.exe', 'chrome-win/chrome.exe'],
  }[process.platform] ?? ['chrome-linux64/chrome', 'chrome-linux/chrome']
  return listFolder(cache)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
    .flatMap((name) => inside.map((path) => join(cache, name, path)))
}

function listFolder(path) {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** @returns {string | undefined} why this executable will not do */
function reasonAgainst(path) {
  if (isSnap(path)) return 'a snap package, which cannot read the profiles in /tmp'
  const version = process.platform === 'win32' ? versionBeside(path) : versionPrinted(path)
  if (version === undefined) return 'it does not start (are its system libraries there?)'
  if (version < MIN_CHROMIUM_VERSION) return `version ${version}, and ${MIN_CHROMIUM_VERSION} is the oldest that works`
  return undefined
}

function isSnap(path) {
  if (process.platform !== 'linux') return false
  const target = realpathSync(path)
  if (target === '/usr/bin/snap' || target.startsWith('/snap/')) return true
  const head = readHead(target)
  return head.startsWith('#!') && /\/snap\/bin|snap install/.test(head)
}

function readHead(path) {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(8192)
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0))
  } finally {
    closeSync(file)
  }
}

function versionPrinted(path) {
  const result = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: PROBE_LIMIT_MS })
  if (result.status !== 0) return undefined
  return majorOf(/(\d+)\.\d+\.\d+/.exec(result.stdout))
}

/** chrome.exe prints no version (it opens a window instead), but installs into a folder named after it. */
function versionBeside(path) {
  const versions = listFolder(dirname(path)).map((name) => majorOf(/^(\d+)\.\d+\.\d+\.\d+(\.manifest)?$/.exec(name)))
  const newest = Math.max(...versions.filter((version) => version !== undefined))
  if (Number.isFinite(newest)) return newest
  return path.includes('ms-playwright') ? playwrightVersion() : undefined
}

function playwrightVersion() {
  try {
    const { browsers } = JSON.parse(readFileSync(join(root, 'node_modules/playwright-core/browsers.json'), 'utf8'))
    return majorOf(/^(\d+)\./.exec(browsers.find((browser) => browser.name === 'chromium').browserVersion))
  } catch {
    return undefined
  }
}

const majorOf = (match) => (match === null ? undefined : Number(match[1]))

async function downloadWithPlaywright(installSystem, say) {
  const env = { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '10000' }
  delete env.PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD
  // Its progress lines are for people; its stack traces, one an attempt, are not.
  const onOutput = (text) => {
    for (const line of text.split('\n')) if (/\d%/.test(line)) process.stderr.write(`${line}\n`)
  }
  const options = { env, silenceLimitMs: DOWNLOAD_SILENCE_MS, onOutput }
  const result = await runNode([tools.playwright, 'install', '--no-shell', 'chromium'], options)
  if (result.interrupted) throw new PlainError('stopped while downloading Chromium', 130)
  if (result.code !== 0) {
    const cause =
      /Error: (.*)/.exec(result.output)?.[1] ?? (result.timedOut ? 'it stalled' : `exit code ${result.code}`)
    say(`Playwright could not download its Chromium: ${cause}`)
    return
  }
  const isUsable = findChromium().path !== undefined
  if (!isUsable && process.platform === 'linux' && (isRoot() || installSystem)) {
    say("installing the libraries that Playwright's Chromium needs")
    await runNode([tools.playwright, 'install-deps', 'chromium'])
  }
}

async function installWithPackageManager(say) {
  if (process.platform !== 'linux') return
  const osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  // Ubuntu's chromium package is an empty one that installs the snap.
  if (/^ID=ubuntu$/m.test(osRelease)) return
  const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const managers = [
    {
      file: '/usr/bin/apt-get',
      commands: [
        ['update', '-q'],
        ['install', '-y', '-q', '--no-install-recommends', 'chromium'],
      ],
    },
    { file: '/usr/bin/dnf', commands: [['install', '-y', 'chromium']] },
    { file: '/usr/bin/pacman', commands: [['-Sy', '--noconfirm', 'chromium']] },
  ]
  const manager = managers.find(({ file }) => existsSync(file))
  if (manager === undefined) return
  for (const args of manager.commands) {
    say(`${manager.file} ${args.join(' ')}`)
    const [command, ...rest] = isRoot() ? [manager.file, ...args] : ['sudo', manager.file, ...args]
    const result = await runChild(command, rest, { env: quiet })
    if (result.interrupted) throw new PlainError('stopped while installing Chromium', 130)
    // A repository that cannot be refreshed does not mean the package cannot be had: the last command decides.
  }
}

function whatToInstall(refused) {
  const seen = refused.length === 0 ? '' : ` Passed over: ${refused.join('; ')}.`
  const how = {
    darwin: 'install Google Chrome (https://www.google.com/chrome) or `brew install --cask google-chrome`',
    win32: 'install Google Chrome (https://www.google.com/chrome) or repair Microsoft Edge',
  }[process.platform]
  const linux = 'install Google Chrome or the `chromium` package of the system (not the snap), or add --install-system'
  return `this needs Chromium ${MIN_CHROMIUM_VERSION} or newer, Chrome or Edge, and found none: ${how ?? linux}, or set SHOAL_CHROMIUM to an executable.${seen}`
}

/** For people: `node scripts/lib/find-chromium.mjs` prints what would be used. */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { path, refused } = findChromium()
  for (const line of refused) console.error(`passed over ${line}`)
  console.log(path ?? 'none')
  process.exitCode = path === undefined ? 1 : 0
}
