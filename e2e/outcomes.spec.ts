import { expect, test } from './support/room-test.ts'

// What asks for two CPUs can only run in the helper, which has two workers.
const PAIR = { tabs: [{}, { workers: 2 }] }

test('an error of a task in another tab comes back with its cause and its stack there', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const error = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const thrown: unknown = await sdk
      .get(work.fail.options({ numCpus: 2, name: 'failing' }).remote('too far'))
      .catch((e: unknown) => e)
    if (!(thrown instanceof sdk.TaskError)) return String(thrown)
    const cause = thrown.cause
    return {
      code: thrown.code,
      message: thrown.message,
      taskName: thrown.details.taskName,
      stack: thrown.stack ?? '',
      isRangeError: cause instanceof RangeError,
      causeMessage: cause instanceof Error ? cause.message : '',
      innerCause: cause instanceof Error ? cause.cause : undefined,
    }
  })
  expect(error).toMatchObject({
    code: 'task-failed',
    message: 'failing failed: RangeError: too far',
    taskName: 'failing',
    isRangeError: true,
    causeMessage: 'too far',
    innerCause: tabs[1]?.nodeId,
  })
  expect((error as { stack: string }).stack).toContain('work.remote')
})

test('an error reaches what was to take the result as an argument, across tabs', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const outcome = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const bytes = work.fail.options({ numCpus: 2 }).remote('no bytes') as unknown as ReturnType<
      typeof work.makeBytes.remote
    >
    const first = work.hashOf.remote(bytes)
    return sdk
      .get(first)
      .catch((error: Error) => ({ name: error.name, message: error.message, cause: String(error.cause) }))
  })
  expect(outcome).toEqual({
    name: 'TaskError(RangeError)',
    message: 'argument 0 of hashOf could not be computed: fail failed: RangeError: no bytes',
    cause: 'RangeError: no bytes',
  })
})

test('what a task in another tab writes to its console appears at the driver, with task and tab', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom(PAIR)
  const [driver, helper] = tabs
  await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    await sdk.get(work.chat.options({ numCpus: 2, name: 'chatty' }).remote('hello'))
    await sdk.get(work.chat.options({ name: 'at home' }).remote('hello'))
  })
  const wanted = [
    ['log', 'chatty', helper, 'log hello'],
    ['warning', 'chatty', helper, 'warn hello { n: 1 }'],
    ['error', 'chatty', helper, 'error hello'],
    ['log', 'at home', driver, 'log hello'],
  ] as const
  for (const [type, name, tab, text] of wanted) {
    const line = { type, text: `(${name} @${tab?.nodeId.slice(0, 6)}) ${text}` }
    await expect.poll(() => driver.lines).toContainEqual(line)
  }
})

for (const [place, options] of [
  ['the own tab', {}],
  ['another tab', { numCpus: 2 }],
] as const)
  test(`timeoutMs ends an endless loop in ${place}, and the next task runs in a new worker`, async ({ openRoom }) => {
    const { tabs } = await openRoom(PAIR)
    const seen = await tabs[0].page.evaluate(async (where) => {
      const { sdk, work } = window.shoalTest
      const { get, TaskTimeoutError } = sdk
      const before = await get(work.busy.options(where).remote(0, 1))
      const startMs = performance.now()
      const error: unknown = await get(work.loop.options({ ...where, timeoutMs: 300 }).remote()).catch(
        (e: unknown) => e,
      )
      const after = await get(work.busy.options(where).remote(0, 1))
      return {
        isTimeout: error instanceof TaskTimeoutError,
        text: String(error),
        ms: performance.now() - startMs,
        isSameTab: before.nodeId === after.nodeId,
      }
    }, options)
    expect(seen.text).toContain('loop')
    expect(seen).toMatchObject({ isTimeout: true, isSameTab: true })
    expect(seen.ms).toBeGreaterThanOrEqual(300)
  })

test('get with timeoutMs and with a signal stops waiting, and the task goes on', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const seen = await tabs[0].page.evaluate(async () => {
    const { get, GetTimeoutError } = window.shoalTest.sdk
    const ref = window.shoalTest.work.busy.options({ numCpus: 2 }).remote(4, 500)
    const late: unknown = await get(ref, { timeoutMs: 20 }).catch((error: unknown) => error)
    const reason = new Error('enough')
    const aborted: unknown = await get(ref, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)
    return { isLate: late instanceof GetTimeoutError, isReason: aborted === reason, index: (await get(ref)).index }
  })
  expect(seen).toEqual({ isLate: true, isReason: true, index: 4 })
})

test('a result that cannot be cloned is an error that names the place in it', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const errors = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const refs = [work.notClonable.remote(), work.notClonable.options({ numCpus: 2 }).remote()]
    return Promise.all(
      refs.map((ref) =>
        sdk.get(ref).then(
          () => ({}),
          (error: unknown) =>
            error instanceof sdk.SerializationError
              ? { code: error.code, path: error.details.path }
              : { text: String(error) },
        ),
      ),
    )
  })
  const expected = { code: 'not-serializable', path: 'result.model.layers[1].onDone' }
  expect(errors).toEqual([expected, expected])
})

test('what an inline function captures is refused, and named', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const error = await tabs[0].page.evaluate(async () => {
    const { remote, get, CaptureError } = window.shoalTest.sdk
    const outside = [1, 2, 3]
    const thrown: unknown = await get(remote((n: number) => outside[n]).remote(1)).catch((e: unknown) => e)
    return thrown instanceof CaptureError
      ? { code: thrown.code, identifier: thrown.details.identifier, message: thrown.message }
      : { text: String(thrown) }
  })
  expect(error).toMatchObject({ code: 'capture', identifier: 'outside' })
})
