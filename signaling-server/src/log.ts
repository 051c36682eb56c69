import { createLog } from '@shoal/base'
import type { Log, LogEntry, LogLevel } from '@shoal/base'

/** The server's log on standard error: short text for a person, or a JSON object a line. */
export function createTerminalLog(options: { readonly level: LogLevel; readonly isJson: boolean }): Log {
  const show = options.isJson ? toJson : toText
  return createLog({ level: options.level, scope: 'signaling', write: (entry) => console.error(show(entry)) })
}

function toJson({ level, scope, message, fields }: LogEntry): string {
  return JSON.stringify({ time: new Date().toISOString(), level, scope, message, ...fields })
}

function toText({ level, message, fields }: LogEntry): string {
  const time = new Date().toTimeString().slice(0, 8)
  const details = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)
  return [time, level === 'info' ? '' : level, message, ...details].filter(Boolean).join(' ')
}
