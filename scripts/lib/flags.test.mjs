import { expect, test } from 'vitest'
import { parseFlags } from './flags.mjs'

const spec = {
  tabs: 'integer',
  timeout: 'integer',
  run: 'text',
  ice: 'json',
  cert: 'text',
  json: 'flag',
  'install-system': 'flag',
}
const parse = (argv, env = {}) => parseFlags(spec, argv, env)

test('values stand after the flag or after an equals sign', () => {
  expect(parse(['--tabs', '4', '--run=es-cartpole', '--json', '--install-system'])).toEqual({
    tabs: 4,
    run: 'es-cartpole',
    json: true,
    installSystem: true,
  })
})

test('the double dash that a shell passed on means nothing', () => {
  expect(parse(['--', '--tabs', '4'])).toEqual({ tabs: 4 })
})

test('what npm took for its own settings is put together again: `npm start --tabs 4 --run es-cartpole` there', () => {
  const env = { npm_config_tabs: 'true', npm_config_run: 'true', npm_config_json: 'true' }
  expect(parse(['4', 'es-cartpole'], env)).toEqual({ tabs: 4, run: 'es-cartpole', json: true })
  expect(parse([], { npm_config_tabs: '4', npm_config_install_system: 'true' })).toEqual({
    tabs: 4,
    installSystem: true,
  })
})

test('values are told apart by kind, whatever their order', () => {
  const env = { npm_config_ice: 'true', npm_config_tabs: 'true', npm_config_run: 'true' }
  expect(parse(['[{"urls":"stun:a"}]', 'x', '2'], env)).toEqual({ ice: '[{"urls":"stun:a"}]', tabs: 2, run: 'x' })
})

test('argv wins over the environment', () => {
  expect(parse(['--tabs', '2'], { npm_config_tabs: '4' })).toEqual({ tabs: 2 })
})

test("npm's own certificate setting, a PEM text, is not ours", () => {
  expect(parse([], { npm_config_cert: '-----BEGIN CERTIFICATE-----\nMII\n' })).toEqual({})
})

test.each([
  ['an unknown flag', ['--tab', '4'], {}, /--tab is unknown here; known are --tabs/],
  ['a name from Object.prototype', ['--constructor'], {}, /--constructor is unknown/],
  ['a missing value', ['--tabs'], {}, /--tabs needs a whole number/],
  ['a value that is a flag', ['--run', '--json'], {}, /--run needs a value/],
  ['a wrong value', ['--tabs', 'four'], {}, /--tabs needs a whole number, not "four"/],
  ['a negative number', ['--tabs=-1'], {}, /--tabs needs a whole number, not "-1"/],
  ['a value nobody wants', ['--json=1'], {}, /--json takes no value/],
  ['a word of no flag', ['4'], {}, /"4" belongs to no flag/],
  ['two numbers in lost order', ['4', '60'], { npm_config_tabs: 'true', npm_config_timeout: 'true' }, /--tabs=\.\.\./],
])('%s is refused in one sentence', (_, argv, env, expected) => {
  expect(() => parse(argv, env)).toThrow(expected)
})
