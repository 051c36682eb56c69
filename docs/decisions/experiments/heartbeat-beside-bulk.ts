// For 002: how late a beat comes beside 20 MB on a path of 1 MB/s. Two Chromiums in two network namespaces with a router
// in a third between them; one direction is shaped, at the router or at the sender's own interface. Needs Linux, root and
// iproute2, and leaves the machine's own network alone. Repetitions as the first argument.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import { createServer } from 'vite'
import { chromiumLaunchOptions } from '../../../scripts/lib/find-chromium.mjs'

const BYTES = 20_000_000
const HERE = '10.99.1.2'
const THERE = '10.99.2.2'

interface Path {
  readonly name: string
  /** What waits before the narrow part when it is full, in ms of its rate; more is dropped. */
  readonly bufferMs: number
  readonly isAtSender: boolean
}

const PATHS: readonly Path[] = [
  { name: 'router, 100 ms', bufferMs: 100, isAtSender: false },
  { name: 'router, 1 s', bufferMs: 1000, isAtSender: false },
  { name: 'own interface, 1 s', bufferMs: 1000, isAtSender: true },
]
const repetitions = Number(process.argv[2] ?? 3)

function run(command: string): void {
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
}

/** Runs a command in the network namespace of a process. */
function within(owner: ChildProcess, command: string): void {
  run(`nsenter -t ${owner.pid} -n sh -c '${command}'`)
}

/** A process that holds a network namespace of its own. */
async function namespace(): Promise<ChildProcess> {
  const owner = spawn('unshare', ['-n', 'sleep', 'infinity'])
  await new Promise((resolve) => owner.once('spawn', resolve))
  const ours = readlinkSync('/proc/self/ns/net')
  // The process may not have left our namespace yet.
  while (readlinkSync(`/proc/${owner.pid}/ns/net`) === ours) await new Promise((resolve) => setTimeout(resolve, 10))
  return owner
}

async function measure(path: Path, net: { router: ChildProcess; launcher: string }): Promise<string> {
  run('tc qdisc del dev here root 2>/dev/null || true')
  within(net.router, 'tc qdisc del dev right root 2>/dev/null || true')
  const cacheDir = mkdtempSync(join(tmpdir(), 'shoal-experiment-'))
  const server = await createServer({
    configFile: false,
    root: fileURLToPath(new URL('./heartbeat', import.meta.url)),
    cacheDir,
    logLevel: 'error',
    optimizeDeps: { include: ['simple-peer/simplepeer.min.js'] },
    server: { host: HERE, port: 0, fs: { strict: false }, hmr: false, watch: null },
  })
  await server.listen()
  const options = chromiumLaunchOptions()
  const args = [...options.args, '--disable-features=WebRtcHideLocalIpsWithMdns']
  const browsers = await Promise.all([
    chromium.launch({ ...options, args }),
    chromium.launch({ ...options, args, executablePath: net.launcher }),
  ])
  try {
    const pages = (await Promise.all(browsers.map((browser) => browser.newPage()))) as [Page, Page]
    for (const [index, page] of pages.entries()) {
      const other = pages[1 - index] as Page
      await page.exposeFunction('signal', (data: string) =>
        other.evaluate((text) => globalThis.window.heartbeat.accept(text), data),
      )
      await page.goto(server.resolvedUrls?.network[0] ?? `http://${HERE}:${server.config.server.port}/`)
      await page.waitForFunction(() => 'heartbeat' in globalThis.window)
    }
    await Promise.all([
      pages[1].evaluate(() => globalThis.window.heartbeat.connect(false)),
      pages[0].evaluate(() => globalThis.window.heartbeat.connect(true)),
    ])
    await pages[1].evaluate((bytes) => globalThis.window.heartbeat.echo(bytes), BYTES)
    const shape = `root tbf rate 8mbit burst 4k limit ${path.bufferMs * 1000}`
    if (path.isAtSender) run(`tc qdisc add dev here ${shape}`)
    else within(net.router, `tc qdisc add dev right ${shape}`)
    const { seconds, delaysMs } = await pages[0].evaluate((bytes) => globalThis.window.heartbeat.transfer(bytes), BYTES)
    const sorted = delaysMs.toSorted((a, b) => a - b)
    const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(0)
    const rate = (BYTES / seconds / 1e6).toFixed(2)
    return `${at(0.5)}\t${at(0.99)}\t${at(1)}\t${sorted.length} beats\t${rate} MB/s`
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()))
    await server.close()
    rmSync(cacheDir, { recursive: true })
  }
}

async function main(): Promise<void> {
  if (process.env['SHOAL_IN_NAMESPACE'] === undefined) {
    // Everything below happens in a network of its own; the machine's is left alone.
    const env = { ...process.env, SHOAL_IN_NAMESPACE: '1' }
    const inside = spawn('unshare', ['-n', process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
      env,
      stdio: 'inherit',
    })
    inside.on('exit', (code) => (process.exitCode = code ?? 1))
    return
  }
  const router = await namespace()
  const peer = await namespace()
  const folder = mkdtempSync(join(tmpdir(), 'shoal-experiment-'))
  try {
    run(`ip link set lo up && ip link add here type veth peer name left netns ${router.pid}`)
    run(`ip addr add ${HERE}/24 dev here && ip link set here up && ip route add default via 10.99.1.1`)
    within(router, `ip link add right type veth peer name there netns ${peer.pid}`)
    within(router, 'ip addr add 10.99.1.1/24 dev left && ip link set left up')
    within(router, 'ip addr add 10.99.2.1/24 dev right && ip link set right up')
    within(router, 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    within(peer, `ip addr add ${THERE}/24 dev there && ip link set there up && ip route add default via 10.99.2.1`)
    const launcher = join(folder, 'chromium')
    const { executablePath } = chromiumLaunchOptions()
    writeFileSync(launcher, `#!/bin/sh\nexec nsenter -t ${peer.pid} -n '${executablePath}' "$@"\n`, { mode: 0o755 })
    console.log('path\tp50\tp99\tmax')
    for (let repetition = 0; repetition < repetitions; repetition++)
      for (const path of PATHS) console.log(`${path.name}\t${await measure(path, { router, launcher })}`)
  } finally {
    router.kill()
    peer.kill()
    rmSync(folder, { recursive: true })
  }
}

await main()
