import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@shoal/base'
import { PROTOCOL_VERSION } from '@shoal/protocol'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { selfSignedCertificate } from './certificate.ts'
import { createSignalingServer } from './server.ts'
import type { SignalingServer, SignalingServerOptions } from './server.ts'

let root: string
let site: string
const servers: SignalingServer[] = []

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'shoal-site-'))
  site = join(root, 'site')
  mkdirSync(join(site, 'assets'), { recursive: true })
  writeFileSync(join(root, 'secret.txt'), 'secret')
  writeFileSync(join(site, 'index.html'), '<!doctype html><title>room</title>')
  writeFileSync(join(site, '.env'), 'secret')
  writeFileSync(join(site, 'assets', 'index-Ab12Cd34.js'), 'export {}')
  symlinkSync(join(root, 'secret.txt'), join(site, 'link.txt'))
})

afterAll(() => rmSync(root, { recursive: true }))

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function start(options: Partial<SignalingServerOptions> = {}): Promise<SignalingServer> {
  const server = await createSignalingServer({ port: 0, host: '127.0.0.1', siteDir: site, log: silentLog, ...options })
  servers.push(server)
  return server
}

interface Answer {
  readonly status: number | undefined
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

/** A request whose path goes out exactly as written. */
function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { hostname, port, protocol } = new URL(url)
  const send = protocol === 'https:' ? secureRequest : request
  return new Promise((resolve, reject) => {
    const outgoing = send({ hostname, port, path, rejectUnauthorized: false, agent: false, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (body += part))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

const local = (server: SignalingServer): string => `http://127.0.0.1:${server.port}/`

test('serves the site isolated, hashed files for ever and the page always fresh', async () => {
  const url = local(await start())
  const page = await ask(url, '/?x=1')
  expect(page.status).toBe(200)
  expect(page.body).toContain('<title>room</title>')
  expect(page.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-cache',
  })
  const again = await ask(url, '/', { headers: { 'if-none-match': String(page.headers['etag']) } })
  expect(again.status).toBe(304)
  const script = await ask(url, '/assets/index-Ab12Cd34.js')
  expect(script.headers['cache-control']).toContain('immutable')
  expect(script.headers['content-type']).toContain('text/javascript')
  expect((await ask(url, '/', { method: 'HEAD' })).body).toBe('')
  expect((await ask(url, '/', { method: 'POST' })).status).toBe(405)
  expect((await ask(url, '/missing')).status).toBe(404)
})

test('nothing outside the site can be had', async () => {
  const url = local(await start())
  const paths = [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/.env',
    '//etc/passwd',
    '/assets/%00',
    '/%',
    `/${encodeURIComponent(join(root, 'secret.txt'))}`,
  ]
  for (const path of paths) {
    const answer = await ask(url, path)
    expect(answer.status, path).toBe(404)
    expect(answer.body, path).not.toContain('secret')
  }
})

test('says how it is and what pages need to know', async () => {
  const iceServers = [{ urls: 'stun:stun.example.org:3478' }]
  const url = local(await start({ iceServers }))
  const health = JSON.parse((await ask(url, '/healthz')).body) as Record<string, unknown>
  expect(health).toMatchObject({ ok: true, rooms: 0, members: 0, connections: 0 })
  const config = await ask(url, '/config.json')
  expect(JSON.parse(config.body)).toEqual({ iceServers, lanUrl: null, version: PROTOCOL_VERSION })
  expect(config.headers['access-control-allow-origin']).toBe('*')
})

test('pages are told an address that others can use, never this machine by its own name', async () => {
  const server = await start({ host: '0.0.0.0' })
  const { lanUrl } = JSON.parse((await ask(local(server), '/config.json')).body) as { lanUrl: string | null }
  expect(lanUrl).toBe(server.urls.network ?? null)
  if (lanUrl !== null) {
    expect(new URL(lanUrl).hostname).not.toMatch(/^(localhost|127\.)/)
    expect((await ask(lanUrl, '/healthz')).status).toBe(200)
  }
})

test('a taken port is an error when it was asked for, else the next free one is used', async () => {
  const blocker = createServer()
  const taken = await new Promise<number>((resolve) => {
    blocker.listen(0, '127.0.0.1', () => resolve((blocker.address() as { port: number }).port))
  })
  await expect(start({ port: taken })).rejects.toThrow(`port ${taken} is taken`)
  await new Promise((resolve) => blocker.close(resolve))

  const first = await start({ port: undefined })
  const second = await start({ port: undefined })
  expect(first.port).toBeGreaterThanOrEqual(8080)
  expect(second.port).toBeGreaterThan(first.port)
})

test('https with a certificate of its own stands beside http', async () => {
  const { cert, key } = await selfSignedCertificate(['localhost', '127.0.0.1'])
  const server = await start({ tls: { cert, key, port: 0 } })
  expect(server.urls.secureLocal).toBe(`https://localhost:${server.securePort}/`)
  const page = await ask(`https://127.0.0.1:${server.securePort}/`, '/')
  expect(page.body).toContain('<title>room</title>')
})

test('a request under way does not hold up the end', async () => {
  const server = await start()
  const { port } = server
  await ask(local(server), '/', { headers: { connection: 'keep-alive' } })
  await server.close()
  await expect(ask(`http://127.0.0.1:${port}/`, '/')).rejects.toThrow()
})
