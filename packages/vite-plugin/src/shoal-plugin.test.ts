import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { build, createServer, type InlineConfig, type ViteDevServer } from 'vite'
import { describe, expect, test } from 'vitest'
import { shoal } from './shoal-plugin.ts'
import { evaluateBundle, hashedText, immediateSdk } from './testing/evaluate-bundle.ts'
import { temporaryProject, type TemporaryProject } from './testing/temporary-project.ts'

/** What the stub gave the SDK, as the SDK of these tests hands it back. */
interface Handle {
  readonly bundle: { hash: string; name: string; source(): Promise<string>; map?(): Promise<string> }
  readonly exportName: string
  readonly details: { options: object; generator?: boolean; methods?: string[]; generators?: string[] }
}

interface Main {
  readonly fib: Handle
  readonly Game: Handle
  readonly LIMIT: number
}

const FILES = {
  'package.json': '{ "type": "module" }',
  'node_modules/@shoal/sdk/package.json': JSON.stringify({
    name: '@shoal/sdk',
    type: 'module',
    exports: { '.': './index.js', './internal': './internal.js' },
  }),
  // The page must never run the module, nor need its imports.
  'node_modules/@shoal/sdk/index.js': `throw new Error('the remote module ran in the page')`,
  'node_modules/@shoal/sdk/internal.js': `
    export const moduleFunction = (bundle, exportName, details) => ({ bundle, exportName, details })
    export const moduleActor = moduleFunction
    export const replaceBundle = () => true`,
  'fib.remote.ts': `
    import { remote, actor, get } from '@shoal/sdk'
    import { base } from './lib/base.ts'
    import { mode } from '@lib/mode'
    export type Answer = number
    export const LIMIT = 7
    export const fib = remote(async (n: number): Promise<Answer> => n < 2 ? base(n) : (await get(fib.remote(n - 1))) + (await get(fib.remote(n - 2))), { numCpus: 2 })
    export const Game = actor(class { play() { return mode } *moves() {} })
    export default remote(() => FLAG)`,
  'lib/base.ts': 'export const base = (n: number): number => n',
  'lib/mode.ts': 'export const mode: string = import.meta.env.MODE',
  'main.ts': `import other, { fib, Game, LIMIT, type Answer } from './fib.remote.ts'; export { fib, Game, LIMIT, other }`,
}

function configOf({ root, path }: TemporaryProject): InlineConfig {
  return {
    root,
    configFile: false,
    logLevel: 'silent',
    define: { FLAG: '"set"' },
    resolve: { alias: { '@lib': path('lib') } },
    plugins: [shoal()],
  }
}

async function withServer(project: TemporaryProject, use: (server: ViteDevServer) => Promise<void>): Promise<void> {
  const server = await createServer({
    ...configOf(project),
    appType: 'custom',
    server: { middlewareMode: true, ws: false, watch: null },
    ssr: { external: ['@shoal/sdk'] },
  })
  try {
    await use(server)
  } finally {
    await server.close()
  }
}

async function expectWorking(main: Main): Promise<string> {
  expect(main.LIMIT).toBe(7)
  expect(main.fib.exportName).toBe('fib')
  expect(main.fib.details).toEqual({ options: { numCpus: 2 }, generator: false, arity: [1, 1] })
  expect(main.Game.details).toEqual({
    options: {},
    methods: ['play', 'moves'],
    generators: ['moves'],
    arity: [0, 0],
    arities: [
      [0, 0],
      [0, 0],
    ],
  })
  expect(main.fib.bundle.name).toBe('fib.remote.ts')
  const text = await main.fib.bundle.source()
  expect(createHash('sha256').update(hashedText(text)).digest('hex')).toBe(main.fib.bundle.hash)
  const exports = evaluateBundle(text, immediateSdk())
  expect(await (exports.fib as { remote(n: number): Promise<number> }).remote(10)).toBe(55)
  expect((exports.default as { remote(): string }).remote()).toBe('set')
  return text
}

describe('a Vite build', () => {
  test.each([true, false])(
    'has the stub in the page and the text in a chunk of its own (minify: %s)',
    async (minify) => {
      await using project = await temporaryProject(FILES)
      await build({
        ...configOf(project),
        build: {
          minify,
          outDir: 'dist',
          lib: { entry: 'main.ts', formats: ['es'], fileName: 'main' },
          target: 'es2022',
        },
      })
      const main = (await import(pathToFileURL(project.path('dist/main.js')).href)) as Main
      const text = await expectWorking(main)
      expect(text).toContain('production')
      expect(main.fib.bundle.map).toBeUndefined()
      expect(readdirSync(project.path('dist')).filter((name) => name.endsWith('.js'))).toHaveLength(2)
    },
  )

  test('keeps the source map when the page’s build does', async () => {
    await using project = await temporaryProject(FILES)
    await build({
      ...configOf(project),
      build: { sourcemap: true, outDir: 'dist', lib: { entry: 'main.ts', formats: ['es'], fileName: 'main' } },
    })
    const main = (await import(pathToFileURL(project.path('dist/main.js')).href)) as Main
    const map = JSON.parse((await main.fib.bundle.map?.()) ?? '{}') as { sources: string[] }
    expect(map.sources).toContain('shoal:///lib/base.ts')
  })

  test('fails with the file’s name and the remedy', async () => {
    await using project = await temporaryProject({
      ...FILES,
      'fib.remote.ts': `export const helper = () => 1; export const fib = 1, Game = 2, LIMIT = 3; export default 4`,
    })
    const failed = build({ ...configOf(project), build: { lib: { entry: 'main.ts', formats: ['es'] }, write: false } })
    await expect(failed).rejects.toThrow(/fib\.remote\.ts: export `helper` is a function or class.*wrap it/s)
  })
})

describe('a Vite dev server', () => {
  test('gives the stub to the page and to the server side', async () => {
    await using project = await temporaryProject(FILES)
    await withServer(project, async (server) => {
      const main = (await server.ssrLoadModule('/main.ts')) as unknown as Main
      const text = await expectWorking(main)
      expect(text).toContain('development')
      const stub = await server.transformRequest('/fib.remote.ts')
      const url = /import\("([^"]*shoal-source=[^"]*)"\)/.exec(stub?.code ?? '')?.[1] ?? 'no import of the text'
      expect(stub?.code).toContain('moduleFunction')
      expect(stub?.code).not.toContain('base')
      // The address that the browser would ask for.
      expect((await server.transformRequest(url))?.code).toContain(`sourceURL=shoal:///fib.remote.ts`)
    })
  })

  test('a changed dependency gives another hash', async () => {
    await using project = await temporaryProject(FILES)
    await withServer(project, async (server) => {
      const load = async (): Promise<Main> => (await server.ssrLoadModule('/main.ts')) as unknown as Main
      const before = await load()
      await project.write({ 'lib/base.ts': 'export const base = (n: number): number => n + 0' })
      server.watcher.emit('change', project.path('lib/base.ts'))
      // The watcher's listeners are asynchronous: the module is stale once the graph says so.
      await expect.poll(async () => (await load()).fib.bundle.hash).not.toBe(before.fib.bundle.hash)
      await expectWorking(await load())
      // A task that was submitted before the change runs what its page had.
      expect(evaluateBundle(await before.fib.bundle.source(), immediateSdk())).toHaveProperty('fib')
    })
  })

  test('gives out the text of a version that the page has, after the file was changed', async () => {
    await using project = await temporaryProject(FILES)
    await withServer(project, async (server) => {
      const urlIn = async (): Promise<string> => {
        const stub = await server.transformRequest('/fib.remote.ts')
        return /import\("([^"]*shoal-source=[^"]*)"\)/.exec(stub?.code ?? '')?.[1] ?? ''
      }
      await server.transformRequest('/main.ts')
      const before = await urlIn()
      await project.write({ 'lib/base.ts': 'export const base = (n: number): number => n + 1000' })
      server.watcher.emit('change', project.path('lib/base.ts'))
      await expect.poll(urlIn).not.toBe(before)
      expect((await server.transformRequest(before))?.code).not.toContain('1e3')
      expect((await server.transformRequest(await urlIn()))?.code).toContain('1e3')
      await expect(server.transformRequest(before.replace(/[0-9a-f]{8}/, 'ffffffff'))).rejects.toThrow('reload')
    })
  })

  test('a change updates the stub and not the page', async () => {
    await using project = await temporaryProject(FILES)
    await withServer(project, async (server) => {
      const sent: string[] = []
      const { hot } = server.environments.client
      hot.send = (...args: unknown[]): void => {
        const [payload] = args as [{ type: string; updates?: { path: string }[] }]
        sent.push(payload.type, ...(payload.updates ?? []).map(({ path }) => path))
      }
      const change = async (file: string, text: string): Promise<void> => {
        const stub = await server.transformRequest('/fib.remote.ts')
        const url = /import\("([^"]*shoal-source=[^"]*)"\)/.exec(stub?.code ?? '')?.[1] ?? ''
        await server.transformRequest(url)
        sent.length = 0
        await project.write({ [file]: text })
        server.watcher.emit('change', project.path(file))
        await expect.poll(() => sent).toEqual(['update', '/fib.remote.ts'])
      }
      await server.transformRequest('/main.ts')
      // More than once: the texts of earlier versions are in Vite's graph and imported by nobody.
      for (let i = 1; i <= 3; i++) {
        await change('lib/base.ts', `export const base = (n: number): number => n + ${i}`)
        await change('fib.remote.ts', FILES['fib.remote.ts'].replace('FLAG)', `FLAG + ${i})`))
      }
    })
  })

  test('a repaired module works again', async () => {
    await using project = await temporaryProject({ ...FILES, 'lib/base.ts': 'export const base = ' })
    await withServer(project, async (server) => {
      await expect(server.ssrLoadModule('/main.ts')).rejects.toThrow(/fib\.remote\.ts/)
      await project.write({ 'lib/base.ts': FILES['lib/base.ts'] })
      server.watcher.emit('change', project.path('lib/base.ts'))
      await expect
        .poll(async () => {
          const main = await server.ssrLoadModule('/main.ts').catch(() => undefined)
          return (main as unknown as Main | undefined)?.LIMIT
        })
        .toBe(7)
    })
  })
})
