import { describe, expect, it } from 'vitest'
import {
  FrameReader,
  FrameWriter,
  functionHash,
  runTemplate,
  THIS_NODE,
  TO_NODE,
  TO_SUBMITTER,
  ValueEncoder,
} from '@shoal/protocol'
import type { Frame, FunctionHash, NodeId, OutgoingFrame } from '@shoal/protocol'
import { Runner } from './runner.ts'
import { createSecondStage } from './second-stage.ts'
import type { CreateSecondStage } from './second-stage.ts'

const encoder = new ValueEncoder({ replace: () => undefined })
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A runner whose second stage comes when the test says so, and what it tells its node of runs. */
function bench(source = '() => 1', isToldInMemory?: (run: number) => boolean) {
  const told: string[] = []
  let toRunner: (frame: Frame) => void = () => undefined
  let loaded: ((create: CreateSecondStage) => void) | undefined
  new Runner({
    port: {
      post: ({ bytes, buffers }) => {
        const reader = new FrameReader(THIS_NODE, { bytes, buffers: buffers as Frame['buffers'] })
        while (!reader.isDone) {
          const kind = reader.kind()
          if (kind === TO_NODE.dropped) told.push(`dropped ${reader.reader.varint()}`)
          else if (kind === TO_NODE.done) {
            told.push(`done ${reader.reader.varint()}`)
            reader.reader.varint()
            if (reader.kind() === 1) throw new Error('a run failed')
            for (let left = reader.reader.varint(); left > 0; left--) reader.value()
          }
        }
      },
      onFrame: (handler) => (toRunner = handler),
      close: () => undefined,
    },
    clock: { now: () => 0, after: () => ({ cancel: () => undefined }) },
    submitter: 1,
    nodeId: 'a'.repeat(32) as NodeId,
    workerId: 1,
    evaluate: (parameters, body) => new Function(...parameters, body) as (...args: unknown[]) => unknown,
    loadSecondStage: (callback) => (loaded = callback),
    loadGpu: () => undefined,
    soon: (callback) => setImmediate(callback),
    ...(isToldInMemory && { isToldInMemory }),
  })
  const frame = new FrameWriter(THIS_NODE, (sent: OutgoingFrame) => toRunner(sent as Frame))
  /** Code that wants the second stage is given something by name. */
  const code = (number: number, wantsMore: boolean): void => {
    const writer = frame.begin(TO_SUBMITTER.code)
    writer.varint(number)
    functionHash.write(writer, `${number}`.repeat(64) as FunctionHash)
    const uses = wantsMore ? encoder.encode({}, 'uses') : undefined
    frame.definition({ type: 'inline', name: 'f', isClass: false, source, uses })
    runTemplate.write(frame.begin(TO_SUBMITTER.template), {
      template: number,
      code: number,
      exportName: '',
      name: 'f',
      job: { driver: 'a'.repeat(32) as NodeId, number: 1 },
      numReturns: 1,
      stream: 0,
      group: '',
      namespace: '',
      resources: [],
      actor: undefined,
    })
  }
  const run = (number: number, template: number): void => {
    const writer = frame.begin(TO_SUBMITTER.run)
    writer.varint(number)
    writer.varint(template)
    frame.id({ owner: THIS_NODE, number })
    for (let i = 0; i < 3; i++) writer.varint(0)
    frame.value(encoder.encode([], 'arguments'), false)
  }
  const cancel = (number: number): void => void frame.begin(TO_SUBMITTER.cancel).varint(number)
  return { told, code, run, cancel, flush: () => frame.flush(), load: () => loaded?.(createSecondStage) }
}

describe('a run that waits for the second stage', () => {
  it('[SX1] and is cancelled is given back, and what is behind it runs', async () => {
    const { told, code, run, cancel, flush, load } = bench()
    code(1, true)
    code(2, false)
    run(1, 1)
    flush()
    await turn()
    cancel(1)
    run(2, 2)
    flush()
    await turn()
    expect(told).toEqual([])
    load()
    await turn()
    await turn()
    expect(told).toEqual(['dropped 1', 'done 2'])
  })
})

describe('a run that is cancelled in memory', () => {
  const poll = async (question: string, asked: number[]): Promise<string[]> => {
    const source = `({ context }) => { for (let i = 0; i < 9; i++) if (${question}) return i; throw new Error() }`
    const { told, code, run, flush, load } = bench(source, (number) => asked.push(number) > 3)
    code(1, true)
    run(1, 1)
    flush()
    await turn()
    load()
    await turn()
    await turn()
    return told
  }

  it('[SX2] hears of it in the middle of a loop, by isCancelled and by its signal', async () => {
    for (const question of ['context().isCancelled', 'context().signal.aborted']) {
      const asked: number[] = []
      expect(await poll(question, asked)).toEqual(['done 1'])
      // Not asked any more once it is told.
      expect(asked).toEqual([1, 1, 1, 1])
    }
  })
})
