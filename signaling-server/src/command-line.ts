import { parseArgs } from 'node:util'
import type { IceServer } from './server.ts'

export interface CommandLine {
  readonly port: number | undefined
  readonly host: string | undefined
  readonly site: string
  readonly isHttps: boolean
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly iceServers: readonly IceServer[]
  readonly isJson: boolean
  readonly isVerbose: boolean
  readonly isHelp: boolean
}

export const USAGE = `Serves a Shoal room: the site and its signaling.

  --port N        this port, or an error (default: the next free one from 8080)
  --host ADDRESS  listen on this address only
  --site DIR      the built site (default: apps/room/dist)
  --https         https too, on a second port, with a self-signed certificate
  --cert FILE     https with your own certificate (PEM), together with
  --key FILE      its private key (PEM)
  --ice JSON      STUN and TURN servers: [{"urls":"turn:...","username":"...","credential":"..."}]
  --json          one JSON object a line
  --verbose       say more
`

/** Reads the flags. Throws an Error with a sentence for the user when one is wrong. */
export function readCommandLine(args: readonly string[], defaultSite: string): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      site: { type: 'string', default: defaultSite },
      https: { type: 'boolean', default: false },
      cert: { type: 'string' },
      key: { type: 'string' },
      ice: { type: 'string' },
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  })
  if ((values.cert === undefined) !== (values.key === undefined)) throw new Error('--cert and --key go together')
  return {
    port: values.port === undefined ? undefined : readPort(values.port),
    host: values.host,
    site: values.site,
    isHttps: values.https || values.cert !== undefined,
    cert: values.cert,
    key: values.key,
    iceServers: values.ice === undefined ? [] : readIceServers(values.ice),
    isJson: values.json,
    isVerbose: values.verbose,
    isHelp: values.help,
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${text}: not a port (0 to 65535)`)
  return port
}

/** RTCIceServer objects, checked here so that a typing mistake does not show up as a failing connection in a tab. */
export function readIceServers(text: string): IceServer[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    throw new Error('--ice is not JSON', { cause: error })
  }
  if (!Array.isArray(list)) throw new Error('--ice must be a list: [{"urls":"stun:host:3478"}]')
  return list.map((entry: unknown, place) => {
    const { urls, username, credential } = (entry ?? {}) as Record<string, unknown>
    const all = typeof urls === 'string' ? [urls] : Array.isArray(urls) ? (urls as unknown[]) : []
    const isGood = all.length > 0 && all.every((url) => typeof url === 'string' && /^(stun|turn)s?:/.test(url))
    if (!isGood) throw new Error(`--ice: entry ${place + 1} needs "urls" that start with stun:, turn: or turns:`)
    for (const text of [username, credential]) {
      if (text !== undefined && typeof text !== 'string') throw new Error(`--ice: entry ${place + 1}: texts only`)
    }
    return {
      urls: all as string[],
      ...(typeof username === 'string' ? { username } : {}),
      ...(typeof credential === 'string' ? { credential } : {}),
    }
  })
}
