// For 004: what a page on plain http has and has not, and what joining, a task and 20 MB cost there beside a secure
// origin. Repetitions as the first argument.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { openTab, untilLinked } from '../../../e2e/support/tab.ts'
import { chromiumLaunchOptions } from '../../../scripts/lib/find-chromium.mjs'
import { buildTestPage, quantile } from './test-room.ts'

const BYTES = 20_000_000
const HOSTS = { secure: '127.0.0.1', insecure: 'lan.test' } as const
const repetitions = Number(process.argv[2] ?? 10)

const built = await buildTestPage()
const server = await built.startServer()
const options = chromiumLaunchOptions()
const args = [...options.args, '--host-resolver-rules=MAP lan.test 127.0.0.1']
const browser = await chromium.launch({ ...options, args })

/** Names that are missing, on the page and in a worker from a blob as the node worker is one. */
async function missing(url: string): Promise<{ page: string[]; worker: string[]; isSecure: boolean }> {
  const tab = await openTab({ browser, url })
  const found = await tab.page.evaluate(async () => {
    const look = `[
      ...['RTCPeerConnection', 'RTCDataChannel', 'Worker', 'WebSocket', 'BroadcastChannel', 'indexedDB', 'caches',
        'SharedArrayBuffer', 'OffscreenCanvas', 'WebAssembly', 'CompressionStream', 'VideoDecoder', 'cookieStore']
        .filter((name) => !(name in globalThis)),
      ...['subtle', 'randomUUID', 'getRandomValues'].filter((name) => !(name in crypto)).map((name) => 'crypto.' + name),
      ...['serviceWorker', 'locks', 'storage', 'wakeLock', 'gpu', 'clipboard', 'mediaDevices', 'share', 'deviceMemory', 'userAgentData', 'sendBeacon', 'hardwareConcurrency']
        .filter((name) => !(name in navigator)).map((name) => 'navigator.' + name),
      ...(globalThis.crossOriginIsolated ? [] : ['crossOriginIsolated']),
    ]`
    const script = URL.createObjectURL(new Blob([`postMessage(${look})`], { type: 'text/javascript' }))
    const worker = await new Promise<string[]>((resolve) => {
      new Worker(script).onmessage = (event: MessageEvent<string[]>) => resolve(event.data)
    })
    return { page: (0, eval)(look) as string[], worker, isSecure: isSecureContext }
  })
  await tab.close()
  return found
}

interface Round {
  /** From the start of the navigation, in ms. */
  readonly loadedMs: number
  readonly upMs: number
  readonly connectedMs: number
  readonly taskMs: number
  readonly bulkMs: number
}

/** A second tab joins a room of one, by a browser context that has cached nothing. */
async function round(url: string): Promise<Round> {
  const driver = await openTab({ browser, url })
  const link = await driver.page.evaluate(
    async () => (await globalThis.window.shoalTest.sdk.createRoom({ server: location.origin, workers: 1 })).helperLink,
  )
  const helper = await openTab({ browser, url })
  const times = await helper.page.evaluate(async (room) => {
    const loadedMs = performance.now()
    const joined = globalThis.window.shoalTest.sdk.init({ room, workers: 2, lend: true })
    await joined
    const upMs = performance.now()
    await globalThis.window.shoalTest.until(({ state }) => state === 'connected')
    return { loadedMs, upMs, connectedMs: performance.now() }
  }, link)
  await untilLinked(driver, 1)
  const work = await driver.page.evaluate(async (bytes) => {
    const { work: tasks, sdk, madeBytes, contentHash } = globalThis.window.shoalTest
    const content = madeBytes(7, bytes)
    // What asks for two CPUs can only run in the helper.
    const there = { numCpus: 2 }
    let startedAt = performance.now()
    if ((await sdk.get(tasks.add.options(there).remote(1, 2))) !== 3) throw new Error('a wrong sum')
    const taskMs = performance.now() - startedAt
    startedAt = performance.now()
    const { hash } = await sdk.get(tasks.hashOf.options(there).remote(sdk.put(content)))
    if (hash !== contentHash(content)) throw new Error('other bytes came')
    return { taskMs, bulkMs: performance.now() - startedAt }
  }, BYTES)
  await helper.close()
  await driver.close()
  return { ...times, ...work }
}

async function timeCrypto(): Promise<void> {
  const cacheDir = mkdtempSync(joinPath(tmpdir(), 'shoal-experiment-'))
  const vite = await createServer({
    configFile: false,
    root: fileURLToPath(new URL('./crypto', import.meta.url)),
    cacheDir,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0, fs: { strict: false }, hmr: false, watch: null },
  })
  await vite.listen()
  const page = await browser.newPage()
  // A dependency that the server finds late reloads the page once.
  await page.goto(vite.resolvedUrls?.local[0] ?? '', { waitUntil: 'networkidle' })
  await page.waitForFunction(() => 'timeCrypto' in globalThis.window)
  const times = await page.evaluate(() => globalThis.window.timeCrypto(15))
  for (const [name, figures] of Object.entries(times))
    console.log(
      name,
      Object.entries(figures)
        .map(([what, micros]) => `${what} ${micros.toFixed(0)} µs`)
        .join(', '),
    )
  await page.close()
  await vite.close()
  rmSync(cacheDir, { recursive: true })
}

try {
  for (const file of readdirSync(joinPath(built.dir, 'assets'))) {
    const bytes = readFileSync(joinPath(built.dir, 'assets', file))
    console.log(file, bytes.length, 'bytes,', gzipSync(bytes).length, 'with gzip')
  }
  for (const [name, host] of Object.entries(HOSTS))
    console.log(name, JSON.stringify(await missing(`http://${host}:${server.port}/`)))
  await timeCrypto()
  const rounds: Record<string, Round[]> = { secure: [], insecure: [] }
  for (let i = 0; i < repetitions; i++)
    for (const [name, host] of Object.entries(HOSTS)) {
      const one = await round(`http://${host}:${server.port}/`)
      console.log(name, JSON.stringify(one))
      rounds[name]?.push(one)
    }
  for (const [name, list] of Object.entries(rounds))
    for (const what of ['loadedMs', 'upMs', 'connectedMs', 'taskMs', 'bulkMs'] as const) {
      const values = list.map((one) => one[what])
      console.log(name, what, [0, 0.5, 1].map((part) => quantile(values, part).toFixed(0)).join(' / '))
    }
} finally {
  await browser.close()
  await server.close()
  built.remove()
}
