import { FrameReader, FrameWriter, LIMITS, THIS_NODE, TO_NODE, TO_SUBMITTER, ValueEncoder } from '@shoal/protocol'
import type { CodeDefinition, Frame, FramePort, OutgoingFrame, TemplateDefinition } from '@shoal/protocol'
import { codeDefinition, templateDefinition } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { createApi } from './api.ts'
import type { Api } from './api.ts'
import { CodeTable } from './code-table.ts'
import { CoreWorker } from './core-worker.ts'
import { replaceHandles } from './hooks.ts'
import { ObjectRef } from './object-ref.ts'
import type { RemoteFunction } from './remote-function.ts'

interface End {
  readonly core: CoreWorker
  readonly api: Api
  /** What the node was told, of all kinds that define something. */
  told(): { codes: CodeDefinition[]; templates: TemplateDefinition[]; released: number }
  answer(value: Frame): void
}

/** A core worker whose node is this test: it reads what it is told. */
function end(submitter: number): End {
  const frames: OutgoingFrame[] = []
  let onFrame: (frame: Frame) => void = () => undefined
  const port: FramePort = {
    post: (frame) => void frames.push(frame),
    onFrame: (handler) => (onFrame = handler),
    close: () => undefined,
  }
  const clock = { now: () => 0, after: () => ({ cancel: () => undefined }) }
  const core = new CoreWorker({ port, clock, submitter })
  const api = createApi({
    core: () => core,
    moduleScope: () => undefined,
    context: () => {
      throw new Error('no task runs')
    },
  })
  return {
    core,
    api,
    told() {
      core.frame.flush()
      const seen = { codes: [] as CodeDefinition[], templates: [] as TemplateDefinition[], released: 0 }
      for (const frame of frames) {
        const reader = new FrameReader(THIS_NODE, frame as Frame)
        while (!reader.isDone) {
          const kind = reader.kind()
          if (kind === TO_NODE.code) {
            reader.reader.varint()
            reader.reader.string()
            reader.reader.bytes()
            seen.codes.push(codeDefinition.read(reader.reader))
          } else if (kind === TO_NODE.template) seen.templates.push(templateDefinition.read(reader.reader))
          else if (kind === TO_NODE.submit || kind === TO_NODE.actorCreate) {
            reader.reader.varint()
            reader.reader.varint()
            reader.reader.varint()
            reader.dependencies()
            reader.value()
          } else if (kind === TO_NODE.put) {
            reader.reader.varint()
            reader.value()
          } else if (kind === TO_NODE.want) reader.ids()
          else if (kind === TO_NODE.release) seen.released += reader.ids().length
          else throw new Error(`a record of kind ${kind}`)
        }
      }
      return seen
    },
    answer: (frame) => onFrame(frame),
  }
}

/** What `get` gives when the object holds `value`. */
async function arrive(at: End, value: unknown): Promise<unknown> {
  const ref = at.api.put(0)
  const number = Number(ref.id.split('/')[1])
  const result = at.api.get(ref)
  await Promise.resolve()
  const encoded = new ValueEncoder({ replace: replaceHandles }).encode(value, 'value')
  const writer = new FrameWriter(THIS_NODE, (frame) => at.answer(frame as Frame))
  writer.begin(TO_SUBMITTER.value)
  writer.id({ owner: THIS_NODE, number })
  writer.writer.u8(0)
  writer.value(encoded, true)
  writer.flush()
  return result
}

it('[V1] a function that arrives many times is told to the node once, and so is a class', async () => {
  const page = end(0)
  const worker = end(1)
  const double = page.api.remote((n: number) => 2 * n)
  const Box = page.api.actor(class {})
  for (let i = 0; i < 50; i++) {
    const [fn, Class] = (await arrive(worker, [double, Box])) as [RemoteFunction<[number], number>, typeof Box]
    fn.remote(1)
    fn.options({ numCpus: 2 }).remote(1)
    Class.remote()
  }
  expect(worker.told().codes).toHaveLength(2)
  expect(worker.told().templates).toHaveLength(3)
})

it('[V1] a function defined in a loop is told once; another text, another value handed in, or other options are not it', () => {
  const page = end(0)
  const { remote } = page.api
  for (let i = 0; i < 30; i++) {
    ;(remote((n: number) => n) as RemoteFunction<[number], number>).remote(1)
    remote({ i: i % 3 }, ({ i: own }, n: number) => own + n).remote(1)
  }
  const told = page.told()
  expect(told.codes).toHaveLength(4)
  expect(told.templates).toHaveLength(4)
})

it('[V1] refs handed in by name go along as refs of the value, and those of an equal function are let go', async () => {
  const page = end(0)
  const ref = page.api.put(7)
  const held = page.api.remote({ ref }, async ({ ref: inner, get }) => get(inner))
  const encoded = page.core.encoder.encode([held], 'value')
  expect(encoded.refs).toEqual([{ owner: THIS_NODE, number: 1 }])
  const worker = end(1)
  for (let i = 0; i < 3; i++) {
    const [fn] = (await arrive(worker, [held])) as [RemoteFunction<[], number>]
    fn.remote()
  }
  await Promise.resolve()
  const told = worker.told()
  expect(told.codes).toHaveLength(1)
  const [code] = told.codes
  expect(code?.type === 'inline' && code.uses?.refs).toEqual([{ owner: THIS_NODE, number: 1 }])
  // The first one's ref stays with the code; two came again.
  expect(told.released).toBe(2)
  expect(ObjectRef.is(ref)).toBe(true)
})

it('[V1] what is remembered of code is bounded, and what was forgotten is told anew', () => {
  const table = new CodeTable(3)
  const told: number[] = []
  const number = (source: string): number =>
    table.code(
      {
        kind: 'ready',
        definition: { type: 'module', name: 'm', source },
        callSite: '',
        facts: new Uint8Array(0),
      },
      (given) => told.push(given),
    )
  expect([number('a'), number('b'), number('c'), number('a'), number('d')]).toEqual([1, 2, 3, 1, 4])
  // b was unused for longest.
  expect([number('a'), number('c'), number('b')]).toEqual([1, 3, 5])
  expect(told).toEqual([1, 2, 3, 4, 5])
})

it('[V1] a template that was forgotten is told anew, also by a function that had its number', () => {
  const page = end(0)
  const add = page.api.remote((n: number) => n + 1)
  const named = Array.from({ length: LIMITS.templatesKept + 2 }, (_, i) => add.options({ name: `add ${i}` }))
  for (const fn of named) fn.remote(1)
  const holds = (number: number): boolean => page.core.codes.holds(number)
  expect([1, 2, 3, named.length].map(holds)).toEqual([false, false, true, true])
  named[0]?.remote(1)
  expect([3, 4, named.length + 1].map(holds)).toEqual([false, true, true])
  // Those that are held keep their numbers.
  named.at(-1)?.remote(1)
  expect([4, named.length + 2].map(holds)).toEqual([true, false])
})

it('[V1] options of a function that travels keep their error classes, by name', async () => {
  class TooFar extends RangeError {}
  const page = end(0)
  const worker = end(1)
  const flaky = page.api.remote(() => 1, { retryExceptions: [TooFar, TypeError, 'Named'] })
  const all = page.api.remote(() => 2, { retryExceptions: true })
  const [named, any] = (await arrive(worker, [flaky, all])) as [RemoteFunction<[], number>, RemoteFunction<[], number>]
  named.remote()
  any.options({ maxRetries: 1 }).remote()
  flaky.remote()
  all.remote()
  const kinds = (at: End): unknown[] => at.told().templates.map(({ retryExceptions }) => retryExceptions)
  expect(kinds(worker)).toEqual([['TooFar', 'TypeError', 'Named'], ['*']])
  expect(kinds(page)).toEqual(kinds(worker))
})
