/** The commands behind main.mjs: what each needs (install, build, browser), and which program it becomes. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, examplesSite, roomSite } from './build.mjs'
import { ensureChromium } from './find-chromium.mjs'
import { parseFlags } from './flags.mjs'
import { ensureInstalled } from './install.mjs'
import { root, stateDir } from './paths.mjs'
import { PlainError } from './plain-error.mjs'
import { runRings } from './rings.mjs'
import { runNode } from './run-child.mjs'

/** Progress goes to stderr: with --json, stdout holds JSON lines and nothing else. */
const say = (line) => process.stderr.write(`shoal: ${line}\n`)

const commands = {
  start: {
    flags: {
      tabs: 'integer',
      run: 'text',
      timeout: 'integer',
      json: 'flag',
      port: 'integer',
      host: 'text',
      https: 'flag',
      cert: 'text',
      key: 'text',
      ice: 'json',
      verbose: 'flag',
      'install-system': 'flag',
    },
    run: start,
  },
  examples: { flags: { port: 'integer', host: 'text' }, run: examples },
  test: { flags: { only: 'text', 'install-system': 'flag' }, run: test },
  bench: { forwards: ['only', 'tasks'], run: bench },
  sim: { forwards: ['seed', 'seeds', 'from', 'nodes', 'scenario', 'profile', 'jobs', 'once', 'json'], run: sim },
  soak: { forwards: ['minutes', 'seed'], run: soak },
  chaos: { forwards: ['seed', 'tabs', 'timeout', 'json'], run: chaos },
}

/**
 * @param {readonly string[]} argv the command and its flags
 * @returns {Promise<number>} exit code
 */
export async function main(argv) {
  const [name = '', ...rest] = argv
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    throw new PlainError(`usage: node scripts/main.mjs ${Object.keys(commands).join('|')} [flags]`, 2)
  }
  if (command.flags !== undefined && (rest.includes('--help') || rest.includes('-h'))) {
    console.log(usageOf(name, command.flags))
    return 0
  }
  const flags = command.flags === undefined ? undefined : parseFlags(command.flags, rest, process.env)
  mkdirSync(stateDir, { recursive: true })
  await ensureInstalled(say)
  return command.run(flags ?? forwarded(command.forwards, rest))
}

function usageOf(name, flags) {
  const values = { flag: '', integer: ' N', text: ' TEXT', json: ' JSON' }
  const list = Object.entries(flags).map(([flag, kind]) => `  --${flag}${values[kind]}`)
  return [`npm ${name === 'start' || name === 'test' ? '' : 'run '}${name} -- [flags]`, ...list].join('\n')
}

/** Flags of a program that parses its own: passed on as they are, plus what npm put into the environment. */
function forwarded(names, argv) {
  const args = argv.filter((argument) => argument !== '--')
  for (const name of names) {
    const value = process.env[`npm_config_${name}`]
    const isGiven = args.some((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`))
    if (value === undefined || value === '' || isGiven) continue
    // npm cut `--seeds 5` into seeds=true and a positional 5: the flag goes back in front of its value.
    if (value !== 'true') args.push(`--${name}=${value}`)
    else if (name !== 'json' && args[0] !== undefined && !args[0].startsWith('-'))
      args.push(`--${name}=${args.shift()}`)
    else args.push(`--${name}`)
  }
  return args
}

async function start(flags) {
  if (flags.tabs !== undefined) return runRoom(flags)
  for (const name of ['run', 'timeout']) {
    if (flags[name] !== undefined) throw new PlainError(`--${name} goes with --tabs`, 2)
  }
  if ((flags.cert === undefined) !== (flags.key === undefined)) throw new PlainError('--cert and --key go together', 2)
  return serve(roomSite, toArgs(flags, ['port', 'host', 'https', 'cert', 'key', 'ice', 'json', 'verbose']))
}

async function examples(flags) {
  return serve(examplesSite, toArgs(flags, ['port', 'host']))
}

/** A built site and a signaling server on one port, until a person ends it. */
async function serve(site, args) {
  await ensureBuilt(say, site)
  const { code, interrupted } = await runProgram('signaling-server/src/main.ts', [...args, '--site', site.siteDir])
  return interrupted && code >= 128 ? 0 : code
}

async function runRoom(flags) {
  for (const name of ['host', 'https', 'cert', 'key']) {
    if (flags[name] !== undefined) throw new PlainError(`--${name} does not go with --tabs, which binds loopback`, 2)
  }
  if (flags.tabs < 1) throw new PlainError('--tabs needs at least 1', 2)
  mustExist('scripts/run-room.ts')
  const chromium = await ensureChromium({ say, installSystem: flags.installSystem })
  await ensureBuilt(say)
  const args = [...toArgs(flags, ['tabs', 'run', 'timeout', 'json', 'port', 'ice']), '--chromium', chromium]
  const { code, interrupted } = await runProgram('scripts/run-room.ts', args)
  return interrupted && code === 0 ? 130 : code
}

async function test(flags) {
  return runRings({ only: flags.only, installSystem: flags.installSystem, say })
}

async function bench(args) {
  mustExist('bench/src/main.ts')
  const chromium = await ensureChromium({ say })
  await ensureBuilt(say)
  return (await runProgram('bench/src/main.ts', args, { SHOAL_CHROMIUM: chromium })).code
}

async function sim(args) {
  return (await runProgram('packages/testing/src/cli.ts', args)).code
}

async function soak(args) {
  mustExist('e2e/soak/main.ts')
  const chromium = await ensureChromium({ say })
  return (await runProgram('e2e/soak/main.ts', args, { SHOAL_CHROMIUM: chromium })).code
}

async function chaos(args) {
  mustExist('e2e/chaos/main.ts')
  const chromium = await ensureChromium({ say })
  await ensureBuilt(say)
  return (await runProgram('e2e/chaos/main.ts', args, { SHOAL_CHROMIUM: chromium })).code
}

function toArgs(flags, names) {
  return names.flatMap((name) => {
    const value = flags[name]
    if (value === undefined) return []
    return value === true ? [`--${name}`] : [`--${name}`, String(value)]
  })
}

/** Asked before anything long (a build, a download) is done for it. */
function mustExist(entry) {
  if (!existsSync(join(root, entry))) throw new PlainError(`${entry} is not part of this version of Shoal`)
}

async function runProgram(entry, args, env = {}) {
  mustExist(entry)
  return runNode(['--import', 'tsx', entry, ...args], { env: { ...process.env, ...env } })
}
