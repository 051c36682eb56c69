import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

export interface SiteOptions {
  /** Folder by URL prefix, the longest first. */
  readonly folders: Readonly<Record<string, string>>
  /** Response headers by path. */
  headers?(path: string): Readonly<Record<string, string>>
}

export interface Site {
  readonly origin: string
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
}

/** Any static host: files as they lie there, and the headers that its owner chose. */
export async function serveSite({ folders, headers = () => ({}) }: SiteOptions): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname
    const prefix = Object.keys(folders).find((start) => name.startsWith(start)) ?? '/'
    const file = path.join(folders[prefix] ?? '', name.slice(prefix.length))
    readFile(file).then(
      (content) => {
        const type = TYPES[path.extname(file)] ?? 'application/octet-stream'
        response.writeHead(200, { 'content-type': type, ...headers(pathname) }).end(content)
      },
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
