/**
 * The SDK that a remote module meets while building: `remote` and `actor` note what they are given, everything else is
 * inert. It knows no build and no file; read-manifest asks it what an exported value is.
 */

/** What `remote()` or `actor()` was given, with the options of later `.options()` calls merged in. */
export interface Recorded {
  readonly kind: 'function' | 'actor'
  /** The user's function or class. */
  readonly target: (...args: never[]) => unknown
  readonly options: Readonly<Record<string, unknown>>
}

export interface RecordingSdk {
  /** What `require('@shoal/sdk')` gives the module. */
  readonly module: object
  /** What an export is, or undefined when neither `remote` nor `actor` made it. */
  recordedAs(value: unknown): Recorded | undefined
}

export function createRecordingSdk(): RecordingSdk {
  const records = new WeakMap<object, Recorded>()
  const handle = (recorded: Recorded): object => {
    const made = {
      remote: inert,
      options: (more: unknown) => handle({ ...recorded, options: { ...recorded.options, ...asOptions(more) } }),
    }
    records.set(made, recorded)
    return made
  }
  const record =
    (kind: Recorded['kind']) =>
    (...args: unknown[]): object => {
      const [target, options] = args
      const word = kind === 'actor' ? 'actor' : 'remote'
      if (kind === 'function' && typeof target !== 'function' && typeof options === 'function')
        throw new TypeError('in a remote module, remote() takes the function alone: import what it needs')
      if (typeof target !== 'function') {
        throw new TypeError(`${word}() needs a ${kind === 'actor' ? 'class' : 'function'}, not ${describe(args[0])}`)
      }
      return handle({ kind, target: target as Recorded['target'], options: asOptions(options) })
    }
  // Unknown names are found on the prototype, which survives a bundler's namespace copy too.
  const module = Object.assign(Object.create(inert) as object, {
    __esModule: true,
    remote: record('function'),
    actor: record('actor'),
  })
  return {
    module,
    recordedAs: (value) => (typeof value === 'object' && value !== null ? records.get(value) : undefined),
  }
}

/** Called, constructed, extended or read, it gives itself again; never a promise, never an error. */
export const inert: object = new Proxy(function inert() {}, {
  get: (target, key): unknown => {
    if (key === 'prototype') return target.prototype
    if (key === 'then') return undefined
    if (key === Symbol.toPrimitive) return () => ''
    if (key === Symbol.iterator) return () => [].values()
    return inert
  },
  apply: () => inert,
  construct: () => inert,
})

function asOptions(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value
}
