/**
 * `npm test`: rings of checks, the cheap ones first, stopping at the first that fails. The last line is
 * `N passed, N failed`, counted from the reports of Vitest and Playwright; checks that are no tests (format, lint,
 * layers, lock, spec, types, size) decide the exit code but are not counted.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt } from './build.mjs'
import { ensureChromium } from './find-chromium.mjs'
import { root, stateDir, tools } from './paths.mjs'
import { PlainError } from './plain-error.mjs'
import { runNode } from './run-child.mjs'

const vitestReport = join(stateDir, 'vitest.json')
const playwrightReport = join(stateDir, 'playwright.json')
const playwrightConfig = 'e2e/playwright.config.ts'

const script = (path) => async () => ({ code: (await runNode(['--import', 'tsx', path])).code })

const rings = [
  { name: 'format', run: format },
  { name: 'lint', run: lint },
  { name: 'layers', run: script('scripts/check-layers.ts') },
  { name: 'lock', run: script('scripts/check-lock.ts') },
  { name: 'spec', run: script('scripts/check-spec.ts') },
  { name: 'types', run: script('scripts/check-types.ts') },
  { name: 'size', run: script('scripts/check-size.ts') },
  { name: 'unit', run: unit },
  { name: 'browser', run: browser },
]

/**
 * @param {{ only?: string, installSystem?: boolean, say: (line: string) => void }} options only: ring names with commas
 * @returns {Promise<number>} exit code
 */
export async function runRings({ only, installSystem = false, say }) {
  const wanted = chooseRings(only)
  const hasBrowserTests = wanted.some((ring) => ring.name === 'browser') && existsSync(join(root, playwrightConfig))
  // Before the long rings: who has no browser learns it in the first seconds.
  const chromium = hasBrowserTests ? await ensureChromium({ say, installSystem }) : undefined

  const total = { passed: 0, failed: 0 }
  let code = 0
  for (const ring of wanted) {
    console.log(`\n== ${ring.name}`)
    const startedAt = Date.now()
    const result = await ring.run({ chromium, say })
    total.passed += result.passed ?? 0
    total.failed += result.failed ?? 0
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
    if (result.code !== 0) {
      console.log(`== ${ring.name} failed after ${seconds} s`)
      code = result.code
      break
    }
    console.log(`== ${ring.name} ok in ${seconds} s`)
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
  return code
}

function chooseRings(only) {
  if (only === undefined) return rings
  const names = only.split(',')
  const unknown = names.find((name) => !rings.some((ring) => ring.name === name))
  if (unknown !== undefined) {
    throw new PlainError(`--only ${unknown}: the rings are ${rings.map((ring) => ring.name).join(', ')}`, 2)
  }
  return rings.filter((ring) => names.includes(ring.name))
}

async function format() {
  // A cache by content is safe here: a file's format depends on nothing but itself.
  const cache = ['--cache', '--cache-strategy', 'content', '--cache-location', join(stateDir, 'prettier.json')]
  return { code: (await runNode([tools.prettier, '--check', '--log-level', 'warn', ...cache, '.'])).code }
}

async function lint() {
  return { code: (await runNode([tools.eslint, '.', '--max-warnings', '0'])).code }
}

async function unit() {
  rmSync(vitestReport, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`]
  const { code } = await runNode([tools.vitest, 'run', '--project', 'node', ...reporters])
  const report = readReport(vitestReport)
  // A file that does not load has no test to fail; it counts as one.
  const broken = (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((it) => it.status === 'failed'),
  )
  return count(code, report?.numPassedTests, (report?.numFailedTests ?? 0) + broken.length)
}

async function browser({ chromium, say }) {
  if (chromium === undefined) {
    console.log(`skipped: ${playwrightConfig} does not exist yet`)
    return { code: 0 }
  }
  await ensureBuilt(say)
  rmSync(playwrightReport, { force: true })
  const env = { ...process.env, SHOAL_CHROMIUM: chromium, PLAYWRIGHT_JSON_OUTPUT_FILE: playwrightReport }
  const { code } = await runNode([tools.playwright, 'test', '-c', playwrightConfig, '--reporter=list,json'], { env })
  const stats = readReport(playwrightReport)?.stats
  // A test that passed only when run again has failed once: retries must not hide races.
  return count(code, stats?.expected, stats === undefined ? undefined : stats.unexpected + stats.flaky)
}

/** A run that broke before it could count, or that found no test at all, is at least one failure. */
function count(code, passed = 0, failed = 0) {
  const isBroken = code !== 0 || passed + failed === 0
  return { code: isBroken || failed > 0 ? code || 1 : 0, passed, failed: isBroken ? Math.max(failed, 1) : failed }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
