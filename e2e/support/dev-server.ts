import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { createServer } from 'vite'

/** Vite's dev server on a copy of a page, whose files a test may change. */
export interface DevServer {
  readonly url: string
  read(file: string): Promise<string>
  replace(file: string, from: string, to: string): Promise<void>
  close(): Promise<void>
}

export async function startDevServer(page: string): Promise<DevServer> {
  const repository = join(import.meta.dirname, '../..')
  const root = await mkdtemp(join(tmpdir(), 'shoal-dev-'))
  await cp(page, root, { recursive: true })
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'), 'dir')
  // The build of the tests' page, in the process that started this one, left `production` here.
  process.env['NODE_ENV'] = 'development'
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'warn',
    cacheDir: join(root, '.vite'),
    plugins: [shoal(), inlineWorker()],
    server: { host: '127.0.0.1', port: 0, fs: { allow: [root, repository] } },
    // The SDK's sources bring dependencies along. Those found one by one would reload the page; these are no ES modules.
    optimizeDeps: { noDiscovery: true, include: ['simple-peer', '@jridgewell/trace-mapping'] },
  })
  await server.listen()
  const url = server.resolvedUrls?.local[0]
  if (url === undefined) throw new Error('the dev server has no address')
  const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8')
  return {
    url,
    read,
    async replace(file, from, to) {
      const text = await read(file)
      if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`)
      await writeFile(join(root, file), text.replace(from, to))
    },
    async close() {
      await server.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** `line:column` of a part of a text, both from 1, as stacks have it. */
export function placeOf(text: string, part: string): string {
  const before = text.slice(0, text.indexOf(part)).split('\n')
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}
