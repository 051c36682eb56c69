import { offeredResources } from '@shoal/core-worker'
import type { InitOptions } from './session-types.ts'

const KNOWN: readonly string[] = [
  'room',
  'role',
  'workers',
  'numGpus',
  'memoryBytes',
  'resources',
  'lend',
  'name',
  'iceServers',
  'sandboxUrl',
  'createWorker',
]

/** @throws TypeError or RangeError naming the option. */
export function refuseUnknownOptions(options: InitOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('init() takes an object of options')
  for (const key of Object.keys(options))
    if (!KNOWN.includes(key)) throw new TypeError(`unknown option ${key}; known are ${KNOWN.join(', ')}`)
  if (options.room !== undefined && typeof options.room !== 'string') throw new TypeError('room must be a link')
  if (options.role !== undefined && !['driver', 'helper', 'both'].includes(options.role))
    throw new RangeError(`role must be driver, helper or both, got ${String(options.role)}`)
  if (options.workers !== undefined) {
    if (typeof options.workers !== 'number') throw new TypeError('workers must be a number')
    if (!Number.isInteger(options.workers) || options.workers < 0 || options.workers > 256)
      throw new RangeError(`workers must be a whole number from 0 to 256, got ${options.workers}`)
  }
  offeredResources(options)
  if (options.lend !== undefined && typeof options.lend !== 'boolean') throw new TypeError('lend must be true or false')
  const { sandboxUrl, createWorker } = options
  if (sandboxUrl !== undefined && typeof sandboxUrl !== 'string' && !((sandboxUrl as unknown) instanceof URL))
    throw new TypeError('sandboxUrl must be a string or a URL')
  if (createWorker !== undefined && typeof createWorker !== 'function')
    throw new TypeError('createWorker must be a function that gives a Worker')
  if (options.name !== undefined && typeof options.name !== 'string') throw new TypeError('name must be a string')
}
