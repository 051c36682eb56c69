import { spawn } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from './support/embedding-test.ts'
import { userEnvironment } from './support/workplace.ts'

const VALUES = [6, 55]

/** Two pages of the app at one origin, the room's server at another: tasks run, and the tabs link. */
async function runsInTwoTabs(url: string, server: string, openApp: (url: string) => Promise<Page>): Promise<void> {
  const first = await openApp(url)
  const { values, link } = await first.evaluate((at) => window.app.run(at), server)
  expect(values).toEqual(VALUES)
  const second = await openApp(url)
  expect(await second.evaluate((at) => window.app.join(at), link)).toBe('connected')
}

test('Vite build: inline and remote modules run, on another origin than the signaling server', async ({
  workplace,
  server,
  serve,
  openApp,
}) => {
  await workplace.run('vite', '../node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn')
  const { origin } = await serve({ folders: { '/': path.join(workplace.app('vite'), 'dist') } })
  await runsInTwoTabs(`${origin}/`, server, openApp)
})

test.describe('Vite dev', () => {
  let stop: () => void
  let url: string

  test.beforeAll(async ({ workplace }) => {
    const vite = path.join(workplace.app('vite'), '../node_modules/vite/bin/vite.js')
    const child = spawn(process.execPath, [vite, '--host', '127.0.0.1', '--port', '0'], {
      cwd: workplace.app('vite'),
      env: userEnvironment(),
    })
    stop = () => void child.kill()
    url = await new Promise((resolve, reject) => {
      let out = ''
      child.stdout.on('data', (data: Buffer) => {
        out += data.toString()
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(out)
        if (found !== null) resolve(found[0])
      })
      child.once('close', () => reject(new Error(`vite ended: ${out}`)))
    })
  })
  test.afterAll(() => stop())

  test('inline and remote modules run', async ({ server, openApp }) => {
    await runsInTwoTabs(url, server, openApp)
  })

  test('React StrictMode: effects run twice, and init, shutdown, init gives a session that works', async ({
    openApp,
  }) => {
    const page = await openApp(`${url}strict-mode.html`)
    await expect(page.locator('output')).toHaveText('144')
    expect(await page.evaluate(() => [window.starts, document.querySelectorAll('iframe').length])).toEqual([2, 1])
  })
})

test('webpack 5: a production build runs inline and remote modules', async ({ workplace, server, serve, openApp }) => {
  await workplace.run('webpack', 'build.js')
  const { origin } = await serve({ folders: { '/': path.join(workplace.app('webpack'), 'dist') } })
  await runsInTwoTabs(`${origin}/`, server, openApp)
})

test.describe('without a bundler', () => {
  test.beforeAll(async ({ workplace }) => {
    const shoal = '../node_modules/@shoal/sdk/dist/cli.js'
    await workplace.run('plain', shoal, 'bundle', 'fib.remote.ts', '--sdk', '/shoal/shoal.js')
  })

  // As docs/embedding.md has them.
  const SANDBOX = { 'content-security-policy': "sandbox allow-scripts; frame-ancestors 'self'" }
  const ISOLATION = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
  }
  const connectTo = (server: string): string => `connect-src ${server} ${server.replace('http', 'ws')}`
  const variants = [
    { title: 'scripts with a nonce', scripts: "script-src 'nonce-r4nd0m' 'strict-dynamic'", isIsolated: false },
    { title: "scripts of 'self', an isolated page", scripts: "script-src 'self'", isIsolated: true },
  ]
  for (const { title, scripts, isIsolated } of variants)
    test(`a strict policy, ${title}, with sandboxUrl and createWorker`, async ({
      workplace,
      server,
      serve,
      openApp,
    }) => {
      const directives = ["default-src 'none'", scripts, "worker-src 'self'", "frame-src 'self'", connectTo(server)]
      const policy = { 'content-security-policy': [...directives, "base-uri 'none'"].join('; ') }
      const { origin } = await serve({
        folders: { '/shoal/': path.dirname(workplace.shipped('shoal.js')), '/': workplace.app('plain') },
        // The whole site has the policy, the worker's script too; the sandbox brings its own.
        headers: (file) => ({ ...(file === '/shoal/sandbox.html' ? SANDBOX : policy), ...(isIsolated && ISOLATION) }),
      })
      const page = await openApp(`${origin}/`)
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(isIsolated)
      const { values } = await page.evaluate((at) => window.app.run(at), server)
      expect(values).toEqual(VALUES)
      expect(await page.evaluate(() => window.violations)).toEqual([])
    })

  test('a policy that allows blobs and inline scripts needs no hosted files, and a worker no neighbours', async ({
    workplace,
    server,
    serve,
    openApp,
  }) => {
    const scripts = "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:"
    const policy = ["default-src 'none'", scripts, "worker-src 'self' blob:", connectTo(server)].join('; ')
    await mkdir(path.join(workplace.app('plain'), 'alone'))
    await copyFile(workplace.shipped('node-worker.js'), path.join(workplace.app('plain'), 'alone/renamed.js'))
    const { origin } = await serve({
      folders: { '/shoal/': path.dirname(workplace.shipped('shoal.js')), '/': workplace.app('plain') },
      headers: () => ({ 'content-security-policy': policy }),
    })
    for (const worker of [undefined, '/alone/renamed.js']) {
      const page = await openApp(`${origin}/`)
      const values = await page.evaluate(([at, file]) => window.app.runWithBlobs(at, file), [server, worker] as const)
      expect(values).toEqual(VALUES)
      expect(await page.evaluate(() => window.violations)).toEqual([])
    }
  })

  test('a hosted node-worker.js that is missing, or of another version, is an error of init that says so', async ({
    workplace,
    serve,
    openApp,
  }) => {
    const { origin } = await serve({
      folders: { '/shoal/': path.dirname(workplace.shipped('shoal.js')), '/': workplace.app('plain') },
    })
    const page = await openApp(`${origin}/two-copies.html`)
    const failures = await page.evaluate(async () => {
      const { one } = window.copies
      const older = (): Worker => {
        const worker = new Worker('/shoal/node-worker.js')
        const post = worker.postMessage.bind(worker) as (init: object, ports: Transferable[]) => void
        worker.postMessage = (init: object, ports: unknown) => post({ ...init, version: 99 }, ports as Transferable[])
        return worker
      }
      const failure = (createWorker: () => Worker): Promise<string> =>
        one.init({ createWorker }).then(() => 'none', String)
      return [await failure(() => new Worker('/shoal/gone.js')), await failure(older)]
    })
    expect(failures[0]).toMatch(/the node worker broke: it could not be started/)
    expect(failures[1]).toMatch(
      /node-worker\.js is of protocol version \d+ and this page of 99: serve the file of the same build/,
    )
  })

  test('two copies of the SDK in one page: two sessions, and a ref of one is refused by the other', async ({
    workplace,
    serve,
    openApp,
  }) => {
    const { origin } = await serve({
      folders: { '/shoal/': path.dirname(workplace.shipped('shoal.js')), '/': workplace.app('plain') },
    })
    const page = await openApp(`${origin}/two-copies.html`)
    const result = await page.evaluate(async () => {
      const { one, two } = window.copies
      const sessions = await Promise.all([one.init({ workers: 1 }), two.init({ workers: 1 })])
      const add = one.remote((a: number, b: number) => a + b)
      const twice = two.remote((n: number) => 2 * n)
      const ref = add.remote(1, 2)
      const values = [await one.get(ref), await two.get(twice.remote(4))]
      const refusal = (call: () => unknown): Promise<string> =>
        Promise.resolve()
          .then(call)
          .then(
            () => 'none',
            (error: unknown) => String(error),
          )
      const refusals = await Promise.all([
        refusal(() => two.get(ref)),
        refusal(() => two.wait([ref])),
        refusal(() => twice.remote(ref)),
        refusal(() => two.put({ deep: [ref] })),
        refusal(() => two.put(add)),
      ])
      await one.shutdown()
      const after = await two.get(twice.remote(5))
      await two.shutdown()
      return {
        values,
        refusals,
        after,
        isApart: sessions[0] !== (sessions[1] as unknown),
        frames: document.querySelectorAll('iframe').length,
      }
    })
    expect(result).toMatchObject({ values: [3, 8], after: 10, isApart: true, frames: 0 })
    for (const refusal of result.refusals) expect(refusal).toMatch(/^TypeError: .*another copy of @shoal\/sdk/)
  })
})

test('a server imports the SDK and a module with tasks and actors, and renders: no platform API is touched', async ({
  workplace,
}) => {
  expect(JSON.parse(await workplace.run('server', 'render.js'))).toEqual({
    touched: [],
    html: '<p>rendered on the server</p>',
    kinds: ['function', 'function'],
  })
})

test('the types compile in a strict TypeScript project that skips no library check', async ({ workplace }) => {
  await workplace.run('types', '../node_modules/typescript/bin/tsc', '-p', '.')
})
