import { expect, test } from './support/room-test.ts'
import { join } from './support/tab.ts'

interface Fault {
  readonly name: string
  readonly message: string
}

test('an unknown option or one of the wrong type is refused at the call, by name', async ({ newTab }) => {
  const tab = await newTab()
  const faults = await tab.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const bad = <T>(value: unknown): T => value as T
    const ref = sdk.put(1)
    const calls: Record<string, () => unknown> = {
      'init cpu': () => sdk.init(bad({ cpu: 2 })),
      'init workers type': () => sdk.init(bad({ workers: '2' })),
      'init workers range': () => sdk.init({ workers: -1 }),
      'init role': () => sdk.init(bad({ role: 'king' })),
      'init lend': () => sdk.init(bad({ lend: 1 })),
      'createRoom server': () => sdk.createRoom(bad({})),
      'remote nothing': () => sdk.remote(bad<() => number>(1)),
      'remote option': () => sdk.remote(() => 1, bad<object>({ cpus: 1 })),
      'actor nothing': () => sdk.actor(bad<typeof Date>(() => 1)),
      'actor option': () => work.Counter.options(bad({ restarts: 1 })),
      'options numCpus type': () => work.add.options(bad<object>({ numCpus: '1' })),
      'options numCpus range': () => work.add.options({ numCpus: -1 }),
      'options numReturns': () => work.add.options({ numReturns: 1.5 }),
      'options maxRetries': () => work.add.options({ maxRetries: -2 }),
      'options timeoutMs': () => work.add.options({ timeoutMs: 0 }),
      'options name': () => work.add.options(bad<object>({ name: 7 })),
      'get nothing': () => sdk.get(bad<[]>(1)),
      'get element': () => sdk.get(bad<[]>([ref, 1])),
      'get option': () => sdk.get(ref, bad({ timeout: 1 })),
      'get timeoutMs': () => sdk.get(ref, { timeoutMs: -1 }),
      'wait numReturns': () => sdk.wait([ref], { numReturns: 2 }),
      'wait twice': () => sdk.wait([ref, ref]),
      'put ref': () => sdk.put(ref),
    }
    const faults: Record<string, Fault> = {}
    for (const [name, call] of Object.entries(calls))
      try {
        await call()
        faults[name] = { name: 'none', message: '' }
      } catch (error) {
        faults[name] = { name: (error as Error).name, message: (error as Error).message }
      }
    return faults
  })
  const expected: Record<string, [string, string]> = {
    'init cpu': ['TypeError', 'cpu'],
    'init workers type': ['TypeError', 'workers'],
    'init workers range': ['RangeError', 'workers'],
    'init role': ['RangeError', 'role'],
    'init lend': ['TypeError', 'lend'],
    'createRoom server': ['TypeError', 'server'],
    'remote nothing': ['TypeError', 'remote()'],
    'remote option': ['TypeError', 'cpus'],
    'actor nothing': ['TypeError', 'actor()'],
    'actor option': ['TypeError', 'restarts'],
    'options numCpus type': ['TypeError', 'numCpus'],
    'options numCpus range': ['RangeError', 'numCpus'],
    'options numReturns': ['RangeError', 'numReturns'],
    'options maxRetries': ['RangeError', 'maxRetries'],
    'options timeoutMs': ['RangeError', 'timeoutMs'],
    'options name': ['TypeError', 'name'],
    'get nothing': ['TypeError', 'get()'],
    'get element': ['TypeError', 'element 1'],
    'get option': ['TypeError', 'timeout'],
    'get timeoutMs': ['RangeError', 'timeoutMs'],
    'wait numReturns': ['RangeError', 'numReturns'],
    'wait twice': ['RangeError', 'once'],
    'put ref': ['TypeError', '[ref]'],
  }
  for (const [call, [name, word]] of Object.entries(expected)) {
    expect(faults[call]?.name, `${call}: ${faults[call]?.message}`).toBe(name)
    expect(faults[call]?.message, call).toContain(word)
  }
})

test('a function whose source or handed-in values are too large is refused at the call', async ({ newTab }) => {
  const tab = await newTab()
  const faults = await tab.page.evaluate(() => {
    const { remote } = window.shoalTest.sdk
    const faultOf = (call: () => unknown): string => {
      try {
        call()
        return 'none'
      } catch (error) {
        return String(error)
      }
    }
    const large = new Function(`return function large() { return ${JSON.stringify('x'.repeat(4 * 1024 * 1024))} }`)()
    return [
      faultOf(() => remote(large as () => string)),
      faultOf(() => remote({ table: new Uint8Array(101 * 1024) }, ({ table }) => table.length)),
      faultOf(() => remote({ table: new Uint8Array(99 * 1024) }, ({ table }) => table.length)),
    ]
  })
  expect(faults[0]).toMatch(/^RangeError: the function's source is 419\d+ characters; at most 4194304 can ship/)
  expect(faults[1]).toMatch(/^RangeError: the values handed in by name take \d+ bytes; at most 102400/)
  expect(faults[2]).toBe('none')
})

test('an argument that cannot be cloned is refused at the call, with its place', async ({ newTab }) => {
  const tab = await newTab()
  const fault = await tab.page.evaluate(() => {
    const { sdk } = window.shoalTest
    const echo = sdk.remote((first: number, value: unknown) => [first, value])
    try {
      echo.remote(1, { list: [{ run: () => 1 }] })
      return undefined
    } catch (error) {
      return error instanceof sdk.SerializationError ? error.details.path : String(error)
    }
  })
  expect(fault).toMatch(/\[1\]\.list\[0\]\.run$/)
})

test('a damaged link is recognised without the network, and the right one still works after', async ({
  openRoom,
  newTab,
}) => {
  const { helperLink, tabs } = await openRoom({ tabs: [{}] })
  const [address, secret] = helperLink.split('#room=') as [string, string]
  const tab = await newTab()
  const requests: string[] = []
  tab.page.on('request', (request) => requests.push(request.url()))
  tab.page.on('websocket', (socket) => requests.push(socket.url()))
  const damaged = [
    `${address}#room=${secret.slice(0, -1)}`,
    `${address}#room=${secret.slice(0, 20)}${secret[20] === 'A' ? 'B' : 'A'}${secret.slice(21)}`,
    `${address}#room=${secret}x`,
    `${address}#room=`,
    address,
    'no link at all',
  ]
  const outcomes = await tab.page.evaluate(async (links) => {
    const { init, RoomError } = window.shoalTest.sdk
    const outcomes: string[] = []
    for (const room of links)
      outcomes.push(
        await init({ room }).then(
          () => 'joined',
          (error: unknown) => (error instanceof RoomError ? 'RoomError' : String(error)),
        ),
      )
    return outcomes
  }, damaged)
  expect(outcomes).toEqual(damaged.map(() => 'RoomError'))
  expect(requests.filter((url) => !url.startsWith('blob:'))).toEqual([])
  expect(await join(tab, { room: helperLink })).not.toBe(tabs[0].nodeId)
})

test('a server that is not there, or is none, is a RoomError that names it', async ({ newTab, server }) => {
  const tab = await newTab()
  const messages = await tab.page.evaluate(async (origin) => {
    const { createRoom, RoomError } = window.shoalTest.sdk
    const outcome = (address: string): Promise<string> =>
      createRoom({ server: address }).then(
        () => 'made',
        (error: unknown) => (error instanceof RoomError ? error.message : String(error)),
      )
    return [await outcome('http://127.0.0.1:9'), await outcome(`${origin}/nothing/here/`)]
  }, server.origin)
  expect(messages[0]).toContain('http://127.0.0.1:9')
  expect(messages[1]).toContain('/nothing/here/')
})
