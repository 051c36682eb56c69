/** error: a person must act; warn: we recovered; info: lifecycle; debug: decisions. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogEntry {
  readonly level: LogLevel
  /** Package and part, put together by the composition root, e.g. `node:ownership`. */
  readonly scope: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** An injected logger. A level that is off is undefined, so `log.debug?.(...)` costs nothing. */
export interface Log {
  readonly error: (message: string, fields?: Record<string, unknown>) => void
  readonly warn: (message: string, fields?: Record<string, unknown>) => void
  readonly info: ((message: string, fields?: Record<string, unknown>) => void) | undefined
  readonly debug: ((message: string, fields?: Record<string, unknown>) => void) | undefined
  child(scope: string, fields?: Record<string, unknown>): Log
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function createLog(options: {
  readonly level: LogLevel
  readonly write: (entry: LogEntry) => void
  readonly scope?: string
  readonly fields?: Record<string, unknown>
}): Log {
  const { level, write, scope = '', fields = {} } = options
  const at =
    (entryLevel: LogLevel) =>
    (message: string, more: Record<string, unknown> = {}): void =>
      write({ level: entryLevel, scope, message, fields: { ...fields, ...more } })
  const isOn = (entryLevel: LogLevel): boolean => ORDER.indexOf(entryLevel) >= ORDER.indexOf(level)
  return {
    error: at('error'),
    warn: at('warn'),
    info: isOn('info') ? at('info') : undefined,
    debug: isOn('debug') ? at('debug') : undefined,
    child: (name, more = {}) =>
      createLog({ level, write, scope: scope === '' ? name : `${scope}:${name}`, fields: { ...fields, ...more } }),
  }
}

/** Drops everything. */
export const silentLog: Log = {
  error() {},
  warn() {},
  info: undefined,
  debug: undefined,
  child: () => silentLog,
}
