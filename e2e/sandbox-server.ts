import { join } from 'node:path'
import { createServer } from 'vite'
import type { Connect, ViteDevServer } from 'vite'
import { inlineWorker } from '@shoal/vite-plugin'

export interface SandboxServer extends AsyncDisposable {
  readonly port: number
  /** Requests for `/canary...` on the page's own origin since the last call. */
  takeHits(): string[]
}

const root = join(import.meta.dirname, 'sandbox-page')
const STRICT_POLICY = "script-src 'self' 'nonce-only'; object-src 'none'"

/**
 * The test page as Vite serves it. `/strict/` is the same page under a Content-Security-Policy that refuses inline
 * scripts, `/sandbox.html` the document that such pages host.
 */
export async function startSandboxServer(options: { isolated: boolean }): Promise<SandboxServer> {
  const hits: string[] = []
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    cacheDir: join(import.meta.dirname, '../.shoal/vite-sandbox'),
    plugins: [inlineWorker(), { name: 'pages', configureServer: (vite) => addPages(vite, hits) }],
    // A dependency found late would reload the page in the middle of a test.
    optimizeDeps: { noDiscovery: true },
    server: {
      host: '127.0.0.1',
      port: 0,
      hmr: false,
      watch: null,
      allowedHosts: ['lan.test'],
      fs: { allow: [join(import.meta.dirname, '..')] },
      headers: options.isolated
        ? {
            'cross-origin-opener-policy': 'same-origin',
            'cross-origin-embedder-policy': 'require-corp',
            'cross-origin-resource-policy': 'cross-origin',
          }
        : {},
    },
  })
  await server.listen()
  const address = server.httpServer?.address()
  if (typeof address !== 'object' || address === null) throw new Error('the test server has no address')
  return {
    port: address.port,
    takeHits: () => hits.splice(0),
    [Symbol.asyncDispose]: () => server.close(),
  }
}

function addPages(vite: ViteDevServer, hits: string[]): void {
  vite.middlewares.use((request, response, next) => {
    const url = request.url ?? ''
    if (url.startsWith('/canary')) {
      hits.push(`${request.method} ${url}`)
      response.setHeader('content-type', 'text/javascript')
      response.end("globalThis.postMessage?.('open')")
    } else if (url === '/sandbox.html') void sendSandbox(vite, response, next)
    else {
      if (url === '/strict/') {
        response.setHeader('content-security-policy', STRICT_POLICY)
        request.url = '/'
      }
      next()
    }
  })
}

async function sendSandbox(
  vite: ViteDevServer,
  response: Parameters<Connect.NextHandleFunction>[1],
  next: Connect.NextFunction,
): Promise<void> {
  try {
    const file = join(import.meta.dirname, '../packages/executor/src/web/sandbox-document.ts')
    const { sandboxDocument } = (await vite.ssrLoadModule(file)) as { sandboxDocument: () => string }
    response.setHeader('content-type', 'text/html; charset=utf-8')
    for (const [name, value] of Object.entries(vite.config.server.headers ?? {}))
      response.setHeader(name, String(value))
    response.end(sandboxDocument())
  } catch (error) {
    next(error)
  }
}
