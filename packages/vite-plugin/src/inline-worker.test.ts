import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { build, createServer } from 'vite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { bundleInlineScript, inlineWorker } from './inline-worker.ts'
import { temporaryProject } from './testing/temporary-project.ts'

const FILES = {
  'package.json': '{ "type": "module" }',
  'main.ts': `export { default as text } from './outer.ts?shoal-inline'`,
  'outer.ts': `
    import inner from './inner.ts?shoal-inline'
    import { tag } from 'tagged'
    const secret: string = tag('outer')
    post({ secret, inner, env: process.env.NODE_ENV, mode: FLAG })`,
  'inner.ts': `import { tag } from 'tagged'; (globalThis as unknown as { post(x: unknown): void }).post(tag('inner'))`,
  // A workspace package as ours are: its entry is TypeScript source.
  'node_modules/tagged/package.json': JSON.stringify({
    name: 'tagged',
    type: 'module',
    exports: { '.': './src/index.ts' },
  }),
  'node_modules/tagged/src/index.ts': 'export const tag = (name: string): string => `<${name}>`',
}

interface Posted {
  readonly secret: string
  readonly inner: string
  readonly env: string
  readonly mode: string
}

/** Runs a classic script as a worker would; returns what it posted and the names it left behind. */
function run(code: string): { posted: unknown; left: string[] } {
  let posted: unknown
  const context = vm.createContext({ post: (value: unknown) => (posted = value) })
  const before = new Set(Object.keys(context))
  vm.runInContext(code, context)
  return { posted, left: Object.keys(context).filter((name) => !before.has(name)) }
}

function expectWorking(code: string, env: string): void {
  const { posted, left } = run(code)
  expect(posted).toMatchObject({ secret: '<outer>', env, mode: 'set' })
  expect(left).toEqual([])
  expect(run((posted as Posted).inner).posted).toBe('<inner>')
}

test('a build inlines one script, nested ones within', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  onTestFinished(() => void vi.unstubAllEnvs())
  await using project = await temporaryProject(FILES)
  await build({
    root: project.root,
    configFile: false,
    logLevel: 'silent',
    define: { FLAG: '"set"' },
    plugins: [inlineWorker()],
    build: { minify: true, lib: { entry: 'main.ts', formats: ['es'], fileName: 'main' } },
  })
  const { text } = (await import(pathToFileURL(project.path('dist/main.js')).href)) as { text: string }
  expectWorking(text, 'production')
  expect(text).not.toContain('secret =')
})

test('the dev server gives the same text, anew when a nested file changes', async () => {
  await using project = await temporaryProject(FILES)
  const server = await createServer({
    root: project.root,
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    define: { FLAG: '"set"' },
    plugins: [inlineWorker()],
    server: { middlewareMode: true, ws: false, watch: null },
  })
  try {
    const load = async (): Promise<string> => String((await server.ssrLoadModule('/main.ts')).text)
    expectWorking(await load(), 'development')
    expect((await server.transformRequest('/outer.ts?shoal-inline'))?.code).toContain('export default')
    await project.write({ 'inner.ts': `(globalThis as unknown as { post(x: unknown): void }).post('changed')` })
    server.watcher.emit('change', project.path('inner.ts'))
    await expect.poll(load).toContain('changed')
  } finally {
    await server.close()
  }
})

test('the script is strict, and names no folder of this machine', async () => {
  await using project = await temporaryProject({
    'entry.ts': 'post((function (this: unknown) { return this === undefined })())',
  })
  const { code, watchFiles } = await bundleInlineScript({
    entry: project.path('entry.ts'),
    isProduction: false,
    minify: false,
  })
  expect(run(code).posted).toBe(true)
  expect(code).not.toContain(project.root)
  expect(watchFiles).toEqual([project.path('entry.ts')])
})

test.each([
  ['what stays outside', `import fs from 'node:fs'; post(fs)`, /entry\.ts: imports node:fs/],
  ['import.meta', 'post(import.meta.url)', /entry\.ts: import\.meta/],
  ['top-level await', 'post(await 1)', /await/i],
])('%s is refused', async (_title, source, message) => {
  await using project = await temporaryProject({ 'entry.ts': source })
  const entry = project.path('entry.ts')
  await expect(bundleInlineScript({ entry, isProduction: false, minify: false })).rejects.toThrow(message)
})
