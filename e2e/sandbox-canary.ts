import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Servers that nobody in the sandbox can reach: each request, upgrade or datagram that comes is kept. */
export interface Canary extends AsyncDisposable {
  readonly httpPort: number
  readonly udpPort: number
  /** What arrived since the last call. */
  takeHits(): string[]
}

export async function startCanary(): Promise<Canary> {
  const hits: string[] = []
  const server = createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`)
    const type = request.url?.endsWith('.js')
      ? 'text/javascript'
      : request.url === '/events'
        ? 'text/event-stream'
        : 'text/plain'
    response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*' })
    response.end(type === 'text/event-stream' ? 'data: x\n\n' : '')
  })
  server.on('upgrade', (request, socket) => {
    hits.push(`upgrade ${request.url}`)
    socket.destroy()
  })
  const udp = createSocket('udp4')
  udp.on('message', (message) => hits.push(`datagram of ${message.length} bytes`))
  server.listen(0, '127.0.0.1')
  udp.bind(0, '127.0.0.1')
  await Promise.all([once(server, 'listening'), once(udp, 'listening')])
  return {
    httpPort: (server.address() as AddressInfo).port,
    udpPort: udp.address().port,
    takeHits: () => hits.splice(0),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      udp.close()
      await Promise.all([once(server, 'close'), once(udp, 'close')])
    },
  }
}
