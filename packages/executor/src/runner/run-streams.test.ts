import { describe, expect, it } from 'vitest'
import {
  FIRST_ATTEMPT,
  FrameReader,
  FrameWriter,
  PlainDecoder,
  THIS_NODE,
  TO_NODE,
  ValueEncoder,
} from '@shoal/protocol'
import type { ByteReader, NodeId } from '@shoal/protocol'
import { RunStreams } from './run-streams.ts'
import type { Run } from './runner.ts'

const EMPTY = { refs: [], body: new Uint8Array([0]), buffers: [] }

function bench(mode: number) {
  const told: unknown[] = []
  const ahead: boolean[] = []
  const frame = new FrameWriter(THIS_NODE, ({ bytes, buffers }) => {
    const reader = new FrameReader(THIS_NODE, { bytes, buffers: buffers as Uint8Array<ArrayBuffer>[] })
    while (!reader.isDone) {
      expect(reader.kind()).toBe(TO_NODE.yielded)
      expect([reader.reader.varint(), reader.reader.varint()]).toEqual([7, told.length])
      told.push(new PlainDecoder(reader.value()).value())
    }
  })
  const streams = new RunStreams({
    frame,
    clock: { now: () => 0 } as never,
    encoder: new ValueEncoder({ replace: () => undefined }),
    nodeId: 'a'.repeat(32) as NodeId,
    soon: (callback) => setImmediate(callback),
    onAhead: (_, isAhead) => ahead.push(isAhead),
  })
  const run: Run = {
    run: 7,
    kind: 'task',
    template: { stream: mode, name: 'count' } as never,
    method: '',
    task: { owner: THIS_NODE, number: 1 },
    attempt: FIRST_ATTEMPT.number,
    dependencies: [],
    args: EMPTY,
    isCancelled: false,
  }
  const consumed = (count: number, isOver = false): void => {
    const [run, taken] = [7, count]
    const numbers = [run, taken]
    streams.onConsumed({ varint: () => numbers.shift() ?? 0, u8: () => (isOver ? 1 : 0) } as unknown as ByteReader)
  }
  return { told, ahead, streams, run, consumed }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a generator that runs', () => {
  it('[SG1] tells of what it yields, promises as what they come to', async () => {
    const { told, streams, run } = bench(1)
    await streams.run(run, function* () {
      yield 1
      yield Promise.resolve('two')
    })
    await turn()
    expect(told).toEqual([1, 'two'])
  })

  it('[SG5] pauses at the yield that is too far ahead, and goes on as its items are taken', async () => {
    const { told, ahead, streams, run, consumed } = bench(3)
    let made = 0
    const ended = streams.run(run, function* () {
      for (; made < 6; made++) yield made
    })
    await turn()
    expect([made, told]).toEqual([1, [0, 1]])
    expect(ahead).toEqual([true])
    consumed(1)
    await turn()
    expect(told).toEqual([0, 1, 2])
    expect(ahead).toEqual([true, false, true])
    consumed(6)
    await ended
    await turn()
    expect(told).toEqual([0, 1, 2, 3, 4, 5])
  })

  it.each(['cancelled', 'left'])('[SG4] runs its finally blocks when it is %s while it waits', async (how) => {
    const { told, streams, run, consumed } = bench(2)
    let isOver = false
    const ended = streams.run(run, async function* () {
      try {
        for (let i = 0; ; i++) yield await Promise.resolve(i)
      } finally {
        isOver = true
      }
    })
    await turn()
    expect(isOver).toBe(false)
    if (how === 'left') consumed(0, true)
    else {
      run.isCancelled = true
      streams.cancel(7)
    }
    await expect(ended).rejects.toThrow('the task count was cancelled')
    expect([isOver, told]).toEqual([true, [0]])
  })

  it('[SG3] rejects with what it throws, and is left at a value that cannot be sent', async () => {
    const failing = bench(1)
    const thrown = failing.streams.run(failing.run, function* () {
      yield 1
      throw new RangeError('two')
    })
    await expect(thrown).rejects.toThrow(RangeError)
    const { streams, run } = bench(1)
    let isOver = false
    const ended = streams.run(run, function* () {
      try {
        yield () => 1
      } finally {
        isOver = true
      }
    })
    await expect(ended).rejects.toThrow(/item/)
    expect(isOver).toBe(true)
  })
})
