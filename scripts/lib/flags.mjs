/**
 * Reads a command's flags from argv and from `npm_config_*`.
 *
 * Why the environment: PowerShell drops a bare `--`, so `npm start -- --tabs 4` reaches npm as `npm start --tabs 4`.
 * npm then takes `--tabs` for a setting of its own: it sets npm_config_tabs=true and hands us `4` as a positional.
 * `npm start --tabs=4` sets npm_config_tabs=4. Both are put together again here.
 *
 * It does not know what any flag does.
 */
import { PlainError } from './plain-error.mjs'

/**
 * Kinds of values. `text` is a name or a path; a positional that npm cut off its flag is recognised by its kind,
 * which is why json and integers are told apart from text.
 */
const kinds = {
  integer: { accepts: (value) => /^\d+$/.test(value), hint: 'a whole number' },
  json: { accepts: (value) => /^\s*[[{]/.test(value), hint: 'JSON' },
  text: { accepts: (value) => value !== '' && !value.startsWith('-'), hint: 'a value' },
}

const kindOfPositional = (value) => ['integer', 'json', 'text'].find((kind) => kinds[kind].accepts(value))

const camel = (name) => name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())

/**
 * @param {Record<string, 'flag' | 'integer' | 'json' | 'text'>} spec the flags a command takes, by their dashed name
 * @param {readonly string[]} argv arguments after the command's name
 * @param {Record<string, string | undefined>} env
 * @returns {Record<string, string | boolean | number>} values by camelCase name; absent flags are absent
 * @throws PlainError (exit code 2) for an unknown flag, a missing or malformed value, or an ambiguity
 */
export function parseFlags(spec, argv, env) {
  const raw = {}
  const positionals = []
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]
    if (argument === '--') continue
    if (!argument.startsWith('--')) {
      positionals.push(argument)
      continue
    }
    const equals = argument.indexOf('=')
    const name = argument.slice(2, equals === -1 ? undefined : equals)
    if (!Object.hasOwn(spec, name)) throw unknownFlag(name, spec)
    const kind = spec[name]
    if (kind === 'flag') {
      if (equals !== -1) throw new PlainError(`--${name} takes no value`, 2)
      raw[name] = true
    } else if (equals !== -1) {
      raw[name] = argument.slice(equals + 1)
    } else {
      const next = argv[i + 1]
      if (next === undefined || next.startsWith('--')) {
        throw new PlainError(`--${name} needs ${kinds[kind].hint}`, 2)
      }
      raw[name] = next
      i++
    }
  }
  readNpmConfig(spec, env, raw, positionals)
  if (positionals.length > 0) throw new PlainError(`"${positionals[0]}" belongs to no flag`, 2)
  return convert(spec, raw)
}

function readNpmConfig(spec, env, raw, positionals) {
  const cutOff = []
  for (const [name, kind] of Object.entries(spec)) {
    if (raw[name] !== undefined) continue
    const value = env[`npm_config_${name.replaceAll('-', '_')}`]
    if (value === undefined || value === '') continue
    if (kind === 'flag') {
      if (value === 'true') raw[name] = true
    } else if (value === 'true') {
      cutOff.push(name)
    } else if (!value.includes('\n')) {
      // A value with line breaks is no flag of ours: npm's own `cert` and `key` settings hold whole PEM texts.
      raw[name] = value
    }
  }
  for (const name of cutOff) {
    const kind = spec[name]
    const candidates = positionals.filter((value) => kindOfPositional(value) === kind)
    const rivals = cutOff.filter((other) => spec[other] === kind)
    if (candidates.length === 0) throw new PlainError(`--${name} needs ${kinds[kind].hint}`, 2)
    if (candidates.length > 1 || rivals.length > 1) {
      const list = rivals.map((rival) => `--${rival}=...`).join(' ')
      throw new PlainError(`npm took the flags for its own and lost their order: write ${list}`, 2)
    }
    raw[name] = candidates[0]
    positionals.splice(positionals.indexOf(candidates[0]), 1)
  }
}

function convert(spec, raw) {
  const flags = {}
  for (const [name, value] of Object.entries(raw)) {
    const kind = spec[name]
    if (kind !== 'flag' && !kinds[kind].accepts(value)) {
      throw new PlainError(`--${name} needs ${kinds[kind].hint}, not "${value}"`, 2)
    }
    flags[camel(name)] = kind === 'integer' ? Number(value) : value
  }
  return flags
}

function unknownFlag(name, spec) {
  const known = Object.keys(spec)
    .map((flag) => `--${flag}`)
    .join(', ')
  return new PlainError(`--${name} is unknown here; known are ${known}`, 2)
}
