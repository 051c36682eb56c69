import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp4': 'video/mp4',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

// Vite names built files by their content: such a file never changes.
const HASHED = /[-.][\w-]{8,}\.\w+$/

/** On every answer: cross-origin isolation, so that secure pages have shared memory, and no guessing of types. */
export const SITE_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const

/** Serves the built site from `directory`: files as they are on disk now, `/` for `index.html`, nothing outside. */
export async function serveSite(directory: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = await locate(directory, request.url ?? '/')
  if (file === undefined) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
    response.end('There is nothing here.\n')
    return
  }
  const isHashed = file.path.includes(`${sep}assets${sep}`) && HASHED.test(file.path)
  response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  response.setHeader('ETag', file.tag)
  if (request.headers['if-none-match'] === file.tag) {
    response.writeHead(304)
    response.end()
    return
  }
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    'Content-Length': file.size,
  })
  if (request.method === 'HEAD') response.end()
  else await pipeline(createReadStream(file.path), response)
}

interface SiteFile {
  readonly path: string
  readonly size: number
  readonly tag: string
}

/** The file for a request, or undefined where there is none that may be seen. */
async function locate(directory: string, url: string): Promise<SiteFile | undefined> {
  const name = decodePath(url)
  if (name === undefined) return undefined
  try {
    const root = await realpath(directory)
    const wanted = resolve(root, join('.', name.endsWith('/') ? `${name}index.html` : name))
    // Links are followed before looking, so that none can lead out of the site.
    const path = await realpath(wanted)
    if (!path.startsWith(root + sep)) return undefined
    const info = await stat(path)
    if (!info.isFile()) return undefined
    return { path, size: info.size, tag: `"${info.size.toString(36)}-${Math.floor(info.mtimeMs).toString(36)}"` }
  } catch {
    return undefined
  }
}

function decodePath(url: string): string | undefined {
  try {
    const name = decodeURIComponent(url.replace(/[?#].*$/s, ''))
    const parts = name.split('/')
    const isPlain = name.startsWith('/') && !name.includes('\0') && !name.includes('\\') && !name.includes(':')
    return isPlain && !parts.some((part) => part.startsWith('.')) ? name : undefined
  } catch {
    return undefined
  }
}
