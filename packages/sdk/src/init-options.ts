import { actorName, offeredLabels, offeredResources } from '@shoal/core-worker'
import { LIMITS } from '@shoal/protocol'
import { refuseBadLimits } from './lending-limits.ts'
import type { InitOptions } from './session-types.ts'

const KNOWN: readonly (keyof InitOptions)[] = [
  'room',
  'role',
  'workers',
  'numGpus',
  'memoryBytes',
  'objectStoreBytes',
  'resources',
  'labels',
  'lend',
  'warnBeforeClose',
  'name',
  'namespace',
  'iceServers',
  'sandboxUrl',
  'createWorker',
  'debug',
]

const MAX_GRACE_MS = 600_000
/** Two chunks on their way to each of a few tabs take more than less. */
const LEAST_OBJECT_STORE = 1024 ** 2

/** @throws TypeError or RangeError naming the option. */
export function refuseUnknownOptions(options: InitOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('init() takes an object of options')
  for (const key of Object.keys(options))
    if (!(KNOWN as readonly string[]).includes(key))
      throw new TypeError(`unknown option ${key}; known are ${KNOWN.join(', ')}`)
  if (options.room !== undefined && typeof options.room !== 'string') throw new TypeError('room must be a link')
  if (options.role !== undefined && !['driver', 'helper', 'both'].includes(options.role))
    throw new RangeError(`role must be driver, helper or both, got ${String(options.role)}`)
  if (options.workers !== undefined) {
    if (typeof options.workers !== 'number') throw new TypeError('workers must be a number')
    if (!Number.isInteger(options.workers) || options.workers < 0 || options.workers > 256)
      throw new RangeError(`workers must be a whole number from 0 to 256, got ${options.workers}`)
  }
  offeredResources(options)
  offeredLabels(options.labels)
  const { objectStoreBytes } = options
  if (objectStoreBytes !== undefined) {
    if (typeof objectStoreBytes !== 'number') throw new TypeError('objectStoreBytes must be a number')
    if (!(objectStoreBytes >= LEAST_OBJECT_STORE))
      throw new RangeError(`objectStoreBytes must be at least ${LEAST_OBJECT_STORE}, got ${objectStoreBytes}`)
  }
  if (typeof options.lend === 'object') refuseBadLimits(options.lend)
  else refuseUnlessBoolean('lend', options.lend)
  refuseUnlessBoolean('warnBeforeClose', options.warnBeforeClose)
  if (options.iceServers !== undefined) refuseBadIceServers(options.iceServers)
  const { sandboxUrl, createWorker } = options
  if (sandboxUrl !== undefined && typeof sandboxUrl !== 'string' && !((sandboxUrl as unknown) instanceof URL))
    throw new TypeError('sandboxUrl must be a string or a URL')
  if (createWorker !== undefined && typeof createWorker !== 'function')
    throw new TypeError('createWorker must be a function that gives a Worker')
  if (options.debug !== undefined) refuseBadDebug(options.debug)
  if (options.name !== undefined && typeof options.name !== 'string') throw new TypeError('name must be a string')
  if (options.namespace !== undefined) actorName('namespace', options.namespace)
}

/** @throws TypeError or RangeError that says which entry is wrong: else it would show up as a connection that fails. */
export function refuseBadIceServers(servers: unknown): void {
  if (!Array.isArray(servers)) throw new TypeError('iceServers must be an array')
  refuseTooMany('iceServers', servers)
  servers.forEach((server: unknown, index) => {
    const place = `iceServers[${index}]`
    const { urls, username, credential } = (server ?? {}) as Record<string, unknown>
    const all: readonly unknown[] = Array.isArray(urls) ? urls : [urls]
    refuseTooMany(`${place}.urls`, all)
    if (all.length === 0 || !all.every((url) => typeof url === 'string' && /^(stun|turn)s?:/.test(url)))
      throw new TypeError(`${place}.urls must start with stun:, turn: or turns:`)
    for (const [name, text] of Object.entries({ username, credential })) {
      if (text !== undefined && typeof text !== 'string') throw new TypeError(`${place}.${name} must be a string`)
      if (text === undefined && all.some((url) => /^turns?:/.test(String(url))))
        throw new TypeError(`${place} is a TURN server and needs a ${name}`)
    }
    for (const text of [...all, username, credential])
      if (new TextEncoder().encode(String(text)).length > LIMITS.iceTextBytes)
        throw new RangeError(`${place} has a text of more than ${LIMITS.iceTextBytes} bytes`)
  })
}

function refuseTooMany(name: string, list: readonly unknown[]): void {
  if (list.length > LIMITS.iceServers) throw new RangeError(`${name} has more than ${LIMITS.iceServers} entries`)
}

function refuseUnlessBoolean(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`)
}

/** What the rules themselves say is checked where they are used, which has all types of messages at hand. */
function refuseBadDebug(debug: unknown): void {
  if (typeof debug !== 'object' || debug === null) throw new TypeError('debug must be an object')
  for (const key of Object.keys(debug))
    if (!['faults', 'faultSeed', 'graceMs'].includes(key))
      throw new TypeError(`unknown option debug.${key}; known are faults, faultSeed, graceMs`)
  const { faults, faultSeed, graceMs } = debug as Record<string, unknown>
  if (faults !== undefined && !Array.isArray(faults)) throw new TypeError('debug.faults must be an array of rules')
  if (faultSeed !== undefined && !Number.isSafeInteger(faultSeed))
    throw new TypeError('debug.faultSeed must be a whole number')
  if (graceMs !== undefined && !(typeof graceMs === 'number' && graceMs >= 0 && graceMs <= MAX_GRACE_MS))
    throw new RangeError(`debug.graceMs must be a number from 0 to ${MAX_GRACE_MS}, got ${String(graceMs)}`)
}
