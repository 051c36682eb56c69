// Long because every case needs the same page, servers and canaries.
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { chromiumLaunchOptions } from '../scripts/lib/find-chromium.mjs'
import { startCanary } from './sandbox-canary.ts'
import type { Canary } from './sandbox-canary.ts'
import type { Outcome } from './sandbox-page/worker-driver.ts'
import { INSIDE_PROBES, PROBES } from './sandbox-probes.ts'
import type { CanaryAddresses } from './sandbox-probes.ts'
import { startSandboxServer } from './sandbox-server.ts'
import type { SandboxServer } from './sandbox-server.ts'

// A phone joins at an address of the local network, which is no secure origin; on one machine a made-up name is none.
const { args, ...launchOptions } = chromiumLaunchOptions()
test.use({ launchOptions: { ...launchOptions, args: [...args, '--host-resolver-rules=MAP lan.test 127.0.0.1'] } })

let canary: Canary
let plain: SandboxServer
let isolated: SandboxServer

test.beforeAll(async () => {
  canary = await startCanary()
  plain = await startSandboxServer({ isolated: false })
  isolated = await startSandboxServer({ isolated: true })
})
test.afterAll(async () => {
  await Promise.all([canary, plain, isolated].map((server) => server[Symbol.asyncDispose]()))
})

const ORIGINS = [
  { kind: 'a secure origin', isSecure: true, isIsolated: false, server: () => plain, host: '127.0.0.1' },
  { kind: 'an isolated origin', isSecure: true, isIsolated: true, server: () => isolated, host: '127.0.0.1' },
  { kind: 'an insecure origin', isSecure: false, isIsolated: false, server: () => plain, host: 'lan.test' },
]

async function load(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.waitForFunction(() => 'sandboxTest' in window)
}

/** The page with its sandbox open and one worker started. */
async function openSandbox(page: Page, origin = `http://127.0.0.1:${plain.port}`): Promise<void> {
  await load(page, `${origin}/`)
  await page.evaluate(async () => {
    await window.sandboxTest.open()
    await window.sandboxTest.node.startWorker()
  })
}

function runTask(page: Page, source: string, taskArgs: unknown[] = [], worker = 0, task = 1): Promise<Outcome> {
  const call = { worker, source, taskArgs, task }
  // Kept apart from Outcome's own type, which Playwright's types take to pieces.
  return page.evaluate(
    async ({ worker, source, taskArgs, task }): Promise<unknown> =>
      window.sandboxTest.node.run(worker, source, taskArgs, task),
    call,
  ) as Promise<Outcome>
}

function addresses(origin: string): CanaryAddresses {
  return {
    http: `http://127.0.0.1:${canary.httpPort}`,
    ws: `ws://127.0.0.1:${canary.httpPort}`,
    udp: `127.0.0.1:${canary.udpPort}`,
    page: origin,
  }
}

/** Everything the canaries and the page saw of it. */
async function takeArrivals(page: Page, server: SandboxServer): Promise<string[]> {
  const strays = await page.evaluate(() => window.sandboxTest.strays.splice(0))
  return [...canary.takeHits(), ...server.takeHits(), ...strays]
}

test('the probes get out of an ordinary worker, so they can tell open from shut', async ({ page }) => {
  const origin = `http://127.0.0.1:${plain.port}`
  await load(page, `${origin}/`)
  canary.takeHits()
  for (const { name, source, opensElsewhere } of PROBES) {
    if (!opensElsewhere) continue
    const answer = await page.evaluate(
      ([probe, argument]) => {
        const text = `onmessage = async ({ data }) => { try { postMessage(String(await (${probe})(data))) } catch (error) { postMessage('shut: ' + error) } }`
        const worker = new Worker(URL.createObjectURL(new Blob([text])))
        return new Promise<string>((resolve) => {
          worker.onmessage = (event) => resolve(event.data as string)
          worker.postMessage(argument)
        })
      },
      [source, addresses(origin)] as const,
    )
    const arrivals = await takeArrivals(page, plain)
    expect(answer.startsWith('open') || arrivals.length > 0, `${name}: ${answer}`).toBe(true)
  }
})

for (const { kind, isSecure, isIsolated, server, host } of ORIGINS)
  test.describe(`on ${kind}`, () => {
    const originOf = (): string => `http://${host}:${server().port}`

    test('every way out is shut to user code', async ({ page }) => {
      await openSandbox(page, originOf())
      expect(await page.evaluate(() => [isSecureContext, crossOriginIsolated])).toEqual([isSecure, isIsolated])
      await takeArrivals(page, server())
      const open: string[] = []
      for (const { name, source } of PROBES) {
        const outcome = await runTask(page, source, [addresses(originOf())])
        if (outcome.kind !== 'error' && !isShut(outcome)) open.push(`${name}: ${JSON.stringify(outcome)}`)
      }
      expect(open).toEqual([])
      expect(await takeArrivals(page, server())).toEqual([])
    })

    test('the policy alone shuts them too, without our removal of names', async ({ page }) => {
      await load(page, `${originOf()}/`)
      await takeArrivals(page, server())
      const answers = await page.evaluate(([sources, argument]) => window.sandboxTest.probeBare(sources, argument), [
        PROBES.map((probe) => probe.source),
        addresses(originOf()),
      ] as const)
      expect(answers).toHaveLength(PROBES.length)
      const open = answers.map((answer, i) => `${PROBES[i]?.name}: ${answer}`).filter((line) => line.includes(': open'))
      expect(open).toEqual([])
      expect(await takeArrivals(page, server())).toEqual([])
    })

    test('the worker, its port and its runner stay out of reach', async ({ page }) => {
      await openSandbox(page, originOf())
      const open: string[] = []
      for (const { name, source } of INSIDE_PROBES) {
        const outcome = await runTask(page, source)
        if (outcome.kind !== 'error' && !isShut(outcome)) open.push(`${name}: ${JSON.stringify(outcome)}`)
      }
      expect(open).toEqual([])
      expect(await runTask(page, '() => 6 * 7')).toEqual({ kind: 'value', value: 42 })
    })

    test('a thousand tiny tasks in one frame give their results in order', async ({ page }) => {
      await openSandbox(page, originOf())
      const values = await page.evaluate(() => window.sandboxTest.node.runMany(0, '(n) => n * n', 1000))
      expect(values).toEqual(Array.from({ length: 1000 }, (_, n) => n * n))
    })
  })

function isShut(outcome: Outcome): boolean {
  return outcome.kind === 'value' && typeof outcome.value === 'string' && outcome.value.startsWith('shut')
}

test('compute works: eval, WebAssembly, OffscreenCanvas, import of a blob', async ({ page }) => {
  await openSandbox(page)
  const outcome = await runTask(
    page,
    `async () => {
      const module = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))
      const url = URL.createObjectURL(new Blob(['export default 3'], { type: 'text/javascript' }))
      return [eval('1 + 1'), module instanceof WebAssembly.Module, new OffscreenCanvas(2, 2).width, (await import(url)).default]
    }`,
  )
  expect(outcome).toEqual({ kind: 'value', value: [2, true, 2, 3] })
})

test('workers of an isolated page have shared memory', async ({ page }) => {
  await openSandbox(page, `http://127.0.0.1:${isolated.port}`)
  expect(await runTask(page, '() => new SharedArrayBuffer(8).byteLength')).toEqual({ kind: 'value', value: 8 })
})

test('20 MB of result come beside the frame, not inside it', async ({ page }) => {
  await openSandbox(page)
  const large = await page.evaluate(() =>
    window.sandboxTest.node.runLarge(0, '() => new Float64Array(2_500_000).fill(2)'),
  )
  expect(large).toMatchObject({ length: 2_500_000, sum: 5_000_000 })
  expect(large.frameBytes).toBeLessThan(1000)
})

test('a result that cannot be cloned is an error that names its place', async ({ page }) => {
  await openSandbox(page)
  const outcome = await runTask(page, '() => ({ model: { layers: [1, { onDone: () => 1 }] } })')
  expect(outcome).toMatchObject({
    kind: 'error',
    error: { code: 'not-serializable', path: 'result.model.layers[1].onDone' },
  })
})

test('Math.random repeats with the task and differs between tasks, whatever a task does to it', async ({ page }) => {
  await openSandbox(page)
  const draw = (task: number, source = '() => [Math.random(), Math.random()]'): Promise<Outcome> =>
    runTask(page, source, [], 0, task)
  const first = await draw(7)
  await draw(8, '() => { Math.random = () => 0.5 }')
  expect(await draw(7)).toEqual(first)
  expect(await draw(9)).not.toEqual(first)
})

test('console lines of a task reach the node, and so do errors that nobody caught', async ({ page }) => {
  await openSandbox(page)
  const source = `async () => {
    console.warn('careful', { n: 1 })
    setTimeout(() => { throw new Error('late') })
    void Promise.reject(new Error('unseen'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    return 'alive'
  }`
  expect(await runTask(page, source)).toEqual({ kind: 'value', value: 'alive' })
  const logs = (await page.evaluate(() => window.sandboxTest.node.logs(0))).join('\n')
  expect(logs).toContain('warn: careful { n: 1 }')
  expect(logs).toMatch(/error: uncaught in a task or after it: Error: late/)
  expect(logs).toMatch(/error: a promise was rejected and nobody looked: Error: unseen/)
})

test('an endless loop ends with terminate, and the next worker runs', async ({ page }) => {
  await openSandbox(page)
  await page.evaluate(() => void window.sandboxTest.node.run(0, '() => { for (;;) {} }', []))
  expect(await page.evaluate(() => window.sandboxTest.node.startWorker())).toBe(1)
  expect(await runTask(page, '() => "beside it"', [], 1)).toEqual({ kind: 'value', value: 'beside it' })
  await page.evaluate(() => window.sandboxTest.node.terminate(0))
  expect(await page.evaluate(() => window.sandboxTest.node.startWorker())).toBe(2)
  expect(await runTask(page, '() => "after it"', [], 2)).toEqual({ kind: 'value', value: 'after it' })
})

test('a worker that was to share a thread which has just ended has one of its own', async ({ page }) => {
  await openSandbox(page)
  expect(await runTask(page, '() => 1')).toEqual({ kind: 'value', value: 1 })
  await page.evaluate(() => window.sandboxTest.node.terminate(0))
  expect(await page.evaluate(() => window.sandboxTest.node.startWorker(0))).toBe(1)
  expect(await runTask(page, '() => "alone"', [], 1)).toEqual({ kind: 'value', value: 'alone' })
})

test('a frame whose process dies ends its workers, is made again, and the next worker runs', async ({ page }) => {
  await openSandbox(page)
  expect(await runTask(page, '() => 1')).toEqual({ kind: 'value', value: 1 })
  // Playwright takes the death of a frame's process for the page's and stops talking to it: the page tells by itself.
  await page.evaluate(() => {
    const { node } = window.sandboxTest
    const watch = async (): Promise<void> => {
      const reason = await node.ended(0)
      const next = await node.startWorker()
      const outcome: unknown = await node.run(next, '() => "again"', [])
      await fetch(`/canary?${encodeURIComponent(JSON.stringify({ reason, outcome }))}`)
    }
    void watch()
  })
  const frame = page.frames()[1]
  if (frame === undefined) throw new Error('the page has no sandbox frame')
  plain.takeHits()
  const session = await page.context().newCDPSession(frame)
  // Never answers: what should is gone.
  session.send('Page.crash').catch(() => undefined)
  const hits: string[] = []
  await expect.poll(() => hits.push(...plain.takeHits()), { timeout: 30_000 }).toBeGreaterThan(0)
  const report = decodeURIComponent(hits[0] ?? '')
  expect(report).toContain('the sandbox frame died')
  expect(report).toContain('{"kind":"value","value":"again"}')
})

test('when the page removes the frame, its workers end at once, and so do later ones', async ({ page }) => {
  await load(page, `http://127.0.0.1:${plain.port}/`)
  const reasons = await page.evaluate(async () => {
    const frame = await window.sandboxTest.open()
    const { node } = window.sandboxTest
    await node.startWorker()
    await node.run(0, '() => 1', [])
    frame.close()
    const first = await node.ended(0)
    await node.startWorker()
    return [first, await node.ended(1), document.querySelectorAll('iframe').length]
  })
  const reason = 'the page removed the sandbox frame'
  expect(reasons).toEqual([reason, reason, 0])
})

test('a worker that is fed nonsense is ended and the reason given', async ({ page }) => {
  await openSandbox(page)
  expect(await page.evaluate(() => window.sandboxTest.node.sendNonsense(0))).toMatch(/unknown record 99/)
})

test('a worker is sent its second stage when a task first needs it, and once', async ({ page }) => {
  await openSandbox(page)
  const asked = (): Promise<number> => page.evaluate(() => window.sandboxTest.node.secondStages())
  const plain = '(x) => ({ x, map: new Map([[1, new Set([x])]]), bytes: new Float64Array(3), when: new Date(0) })'
  for (const argument of [1, 'text', [{ nested: [null, undefined] }]])
    expect((await runTask(page, plain, [argument])).kind).toBe('value')
  await runTask(page, '() => console.log({ plain: [1] })')
  expect(await asked()).toBe(0)
  const failed = await runTask(page, '() => { throw new RangeError("no") }')
  expect(failed).toMatchObject({ kind: 'error', error: { message: 'probe failed: RangeError: no' } })
  expect(await asked()).toBe(1)
  expect(await runTask(page, '() => /a/g')).toMatchObject({ kind: 'value' })
  expect(await runTask(page, '() => () => 1')).toMatchObject({ kind: 'error', error: { code: 'not-serializable' } })
  expect(await asked()).toBe(1)
})

const NEEDY = [
  ['a result of a rarer kind', '() => /a/g', []],
  ['an argument of a rarer kind', '(x) => String(x)', [[/a/g]]],
  ['a result that cannot be sent', '() => Symbol()', []],
  ['a rejection', 'async () => { throw 1 }', []],
] as const
for (const [what, source, taskArgs] of NEEDY)
  test(`${what} waits for the second stage, and so do tasks behind it`, async ({ page }) => {
    await openSandbox(page)
    const [first, second] = await page.evaluate(
      async ([task, taskArgs]): Promise<unknown[]> => {
        const { node } = window.sandboxTest
        return Promise.all([node.run(0, task, [...taskArgs]), node.run(0, '() => 2', [])])
      },
      [source, taskArgs] as const,
    )
    expect((first as Outcome).kind).toBe(what.startsWith('a rejection') || what.includes('cannot') ? 'error' : 'value')
    expect(second).toEqual({ kind: 'value', value: 2 })
    expect(await page.evaluate(() => window.sandboxTest.node.secondStages())).toBe(1)
  })

test('a second stage of another build is refused in words', async ({ page }) => {
  await openSandbox(page)
  await page.evaluate(() => window.sandboxTest.node.ageSecondStage())
  const outcome = await runTask(page, '() => { throw 1 }')
  expect(outcome).toMatchObject({ kind: 'ended' })
  expect(JSON.stringify(outcome)).toContain('serve the sandbox.html of the same build')
})

test('closing the host removes the frame', async ({ page }) => {
  await openSandbox(page)
  await page.evaluate(() => window.sandboxTest.node.close())
  await expect.poll(() => page.locator('iframe').count()).toBe(0)
})

test('under a policy that refuses the inline frame, workers end and say what to do', async ({ page }) => {
  await load(page, `http://127.0.0.1:${plain.port}/strict/`)
  await page.evaluate(async () => {
    await window.sandboxTest.open({ answerWithinMs: 500 })
    await window.sandboxTest.node.startWorker()
  })
  expect(await page.evaluate(() => window.sandboxTest.node.ended(0))).toMatch(/sandbox\.html .* sandboxUrl/)
})

test('the hosted sandbox.html works under that policy, with and without isolation', async ({ page }) => {
  for (const server of [plain, isolated]) {
    await load(page, `http://127.0.0.1:${server.port}/strict/`)
    await page.evaluate(async () => {
      await window.sandboxTest.open({ sandboxUrl: '/sandbox.html' })
      await window.sandboxTest.node.startWorker()
    })
    expect(await runTask(page, '() => "hosted"')).toEqual({ kind: 'value', value: 'hosted' })
  }
})

test('sandbox.html takes no orders where it is not at an opaque origin: anybody could frame it there', async ({
  page,
}) => {
  await load(page, `http://127.0.0.1:${plain.port}/`)
  const answer = await page.evaluate(async () => {
    const frame = document.createElement('iframe')
    frame.src = '/sandbox.html'
    const loaded = new Promise((resolve) => (frame.onload = resolve))
    document.body.append(frame)
    await loaded
    const { port1, port2 } = new MessageChannel()
    const answered = new Promise<string>((resolve) => (port1.onmessage = () => resolve('it answered')))
    frame.contentWindow?.postMessage('shoal:control', '*', [port2])
    // A frame that takes the port says hello over it.
    // A message of our own to the same window, heard behind the first one.
    const heard = new Promise<string>((resolve) =>
      frame.contentWindow?.addEventListener('message', (event) => {
        if (event.data === 'behind') setTimeout(() => resolve('it was silent'), 200)
      }),
    )
    frame.contentWindow?.postMessage('behind', '*')
    return [
      await Promise.race([answered, heard]),
      frame.contentDocument?.documentElement.textContent?.trim().slice(-70),
    ]
  })
  expect(answer[0]).toBe('it was silent')
  expect(answer[1]).toContain('works only in a frame with sandbox="allow-scripts"')
})
