import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { toError } from '@shoal/base'
import type { Log } from '@shoal/base'
import { parseRoomId, PROTOCOL_VERSION, ProtocolError } from '@shoal/protocol'
import type { Refusal, RoomId } from '@shoal/protocol'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { findAddresses } from './addresses.ts'
import type { LocalAddresses } from './addresses.ts'
import { ConnectionCount } from './connection-count.ts'
import { DirectoryEndpoint } from './directory-endpoint.ts'
import { SERVER_LIMITS } from './limits.ts'
import type { ServerLimits } from './limits.ts'
import { listen } from './listen.ts'
import { nodeClock } from './node-clock.ts'
import { Rooms } from './rooms.ts'
import { serveSignal } from './signal-endpoint.ts'
import { serveSite, SITE_HEADERS } from './site.ts'

/** As in RTCConfiguration. */
export interface IceServer {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

export interface SignalingServerOptions {
  /** Given: this one or an error; 0: any free one. Not given: 8080 or the next free one. */
  readonly port?: number | undefined
  /** The address to listen on; all when not given. */
  readonly host?: string | undefined
  /** The built site; without it only signaling is served. */
  readonly siteDir?: string | undefined
  /** Serves https too, on `port` or the next free one from 8443. PEM texts. `name`: what the certificate is valid for. */
  readonly tls?:
    | {
        readonly cert: string
        readonly key: string
        readonly port?: number | undefined
        readonly name?: string | undefined
      }
    | undefined
  /** Handed to pages. */
  readonly iceServers?: readonly IceServer[] | undefined
  readonly log: Log
  readonly limits?: Partial<ServerLimits> | undefined
}

/** Where the server is reached; each ends with a slash. */
export interface ServerUrls {
  readonly local: string
  /** On the default-route interface, or by the name of the user's own certificate; undefined when the server listens on loopback only or there is no network. */
  readonly network: string | undefined
  readonly others: readonly { readonly url: string; readonly interfaceName: string }[]
  readonly secureLocal: string | undefined
  readonly secureNetwork: string | undefined
  /** Why the network link may not work from other devices. */
  readonly note: string | undefined
}

export interface SignalingServer {
  readonly port: number
  readonly securePort: number | undefined
  readonly urls: ServerUrls
  /** Tells everybody, closes every socket with its reason and frees the ports. Idempotent. */
  close(): Promise<void>
}

const DEFAULT_PORT = 8080
const DEFAULT_SECURE_PORT = 8443
/** A message past the polite limits is read and answered up to this size; a larger one is cut off by `ws` itself. */
const LARGEST_READ_BYTES = 1024 * 1024

/** Starts the server: site, `/signal`, `/directory/<room>`, `/config.json` and `/healthz` on one port. */
export async function createSignalingServer(options: SignalingServerOptions): Promise<SignalingServer> {
  const { log, siteDir, tls, iceServers = [], host } = options
  const limits: ServerLimits = { ...SERVER_LIMITS, ...options.limits }
  const startedAt = nodeClock.now()
  const rooms = new Rooms(limits)
  const directory = new DirectoryEndpoint({ clock: nodeClock, limits })
  const connections = new ConnectionCount(limits)
  const refusals = new Set<(reason: Refusal, message: string) => void>()
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_READ_BYTES, perMessageDeflate: false })
  let isClosing = false
  let serial = 0

  const answer = async (request: IncomingMessage, response: ServerResponse, urls: ServerUrls): Promise<void> => {
    for (const [name, value] of Object.entries(SITE_HEADERS)) response.setHeader(name, value)
    const path = (request.url ?? '/').replace(/[?#].*$/s, '')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end()
    } else if (path === '/healthz') {
      sendJson(response, {
        ok: true,
        version: PROTOCOL_VERSION,
        uptimeMs: Math.round(nodeClock.now() - startedAt),
        rooms: rooms.count,
        members: rooms.members,
        directories: directory.count,
        connections: connections.total,
      })
    } else if (path === '/config.json') {
      const lanUrl = ('encrypted' in request.socket ? urls.secureNetwork : urls.network) ?? null
      sendJson(response, { iceServers, lanUrl, version: PROTOCOL_VERSION })
    } else if (siteDir !== undefined) {
      await serveSite(siteDir, request, response)
    } else {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('This server has no site.\n')
    }
  }

  const serve = (socket: WebSocket, target: Target, address: string): void => {
    socket.binaryType = 'arraybuffer'
    const count = connections.add(address)
    const socketLog = log.child(target.kind, { connection: ++serial })
    const refuse =
      target.kind === 'signal'
        ? serveSignal(socket, { clock: nodeClock, limits, log: socketLog, rooms })
        : directory.serve(socket, target.room, socketLog)
    refusals.add(refuse)
    socket.once('close', () => {
      refusals.delete(refuse)
      count.done()
    })
    if (isClosing) refuse('shutting-down', 'this server is stopping')
    else if (count.full !== undefined) refuse('server-full', count.full)
    if (count.isFlooded) socket.terminate()
  }

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const target = targetOf(request.url ?? '/')
    socket.on('error', (error) => log.debug?.('upgrade failed', { error: error.message }))
    if (target === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const address = request.socket.remoteAddress ?? 'unknown'
    sockets.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, target, address))
  }

  const servers: Server[] = []
  const start = async (server: Server, port: number | undefined, first: number): Promise<number> => {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      answer(request, response, urls).catch((error: unknown) => {
        log.debug?.('a request failed', { url: request.url, error: toError(error).message })
        response.destroy()
      })
    })
    server.on('upgrade', upgrade)
    servers.push(server)
    return await listen(server, { port: port ?? first, isFixed: port !== undefined, host })
  }
  const closeServers = async (): Promise<void> => {
    await Promise.all(
      servers.map((server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        server.closeAllConnections()
        return closed
      }),
    )
  }

  const addresses = isLoopback(host) ? { primary: undefined, others: [], note: undefined } : await findAddresses()
  let urls = urlsOf({ addresses, host, port: 0, securePort: undefined, secureName: tls?.name })
  let port: number
  let securePort: number | undefined
  try {
    port = await start(createServer(), options.port, DEFAULT_PORT)
    if (tls) {
      securePort = await start(createTlsServer({ cert: tls.cert, key: tls.key }), tls.port, DEFAULT_SECURE_PORT)
    }
  } catch (error) {
    await closeServers()
    throw error
  }
  urls = urlsOf({ addresses, host, port, securePort, secureName: tls?.name })
  log.info?.('listening', { port, ...(securePort === undefined ? {} : { securePort }) })

  const close = async (): Promise<void> => {
    isClosing = true
    const gone = [...sockets.clients].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    )
    for (const refuse of [...refusals]) refuse('shutting-down', 'this server is stopping')
    await Promise.all(gone)
    directory.close()
    await closeServers()
    log.info?.('stopped')
  }
  let closing: Promise<void> | undefined
  return { port, securePort, urls, close: () => (closing ??= close()) }
}

type Target = { readonly kind: 'signal' } | { readonly kind: 'directory'; readonly room: RoomId }

function targetOf(url: string): Target | undefined {
  const path = url.replace(/[?#].*$/s, '')
  if (path === '/signal') return { kind: 'signal' }
  const [, room] = /^\/directory\/([^/]+)$/.exec(path) ?? []
  if (room === undefined) return undefined
  try {
    return { kind: 'directory', room: parseRoomId(room) }
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    // Pages of other origins may use this server: what it says here is public.
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  })
  response.end(JSON.stringify(body))
}

function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.|::1$)/.test(host)
}

function urlsOf(options: {
  readonly addresses: LocalAddresses
  readonly host: string | undefined
  readonly port: number
  readonly securePort: number | undefined
  readonly secureName: string | undefined
}): ServerUrls {
  const { addresses, host, port, securePort, secureName } = options
  const isEverywhere = host === undefined || host === '0.0.0.0' || host === '::'
  const fixed = isEverywhere || isLoopback(host) ? undefined : host
  const url = (name: string): string => `http://${name.includes(':') ? `[${name}]` : name}:${port}/`
  const secure = (name: string): string => url(name).replace(/^http:(.*):\d+\/$/, `https:$1:${securePort}/`)
  const networkHost = fixed ?? addresses.primary?.address
  const plainNetwork = networkHost === undefined ? undefined : url(networkHost)
  const secureHost = secureName ?? networkHost
  const secureNetwork = securePort === undefined || secureHost === undefined ? undefined : secure(secureHost)
  return {
    local: url(fixed ?? 'localhost'),
    // A certificate that browsers trust belongs to a name: then that name is the better link.
    network: secureName === undefined ? plainNetwork : secureNetwork,
    others: fixed ? [] : addresses.others.map(({ address, interfaceName }) => ({ url: url(address), interfaceName })),
    secureLocal: securePort === undefined ? undefined : secure(fixed ?? 'localhost'),
    secureNetwork,
    note: addresses.note,
  }
}
