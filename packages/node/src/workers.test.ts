import { describe, expect, it } from 'vitest'
import { silentLog } from '@shoal/base'
import type { Clock } from '@shoal/base'
import type { WorkerHost } from '@shoal/executor'
import { ObjectTable, Spilling } from '@shoal/object-store'
import { FIRST_ATTEMPT, ValueEncoder } from '@shoal/protocol'
import type { EncodedValue, FunctionHash, NodeId } from '@shoal/protocol'
import { workShape } from '@shoal/scheduler'
import type { Objects } from './objects.ts'
import type { SubmitterHandlers } from './submitter.ts'
import type { Work } from './work.ts'
import { Workers } from './workers.ts'
import type { Run } from './workers.ts'

const self = 'a'.repeat(32) as NodeId
const args = new ValueEncoder({ replace: () => undefined }).encode([], 'arguments')

function work(number: number, hasArgument: boolean): Work {
  const definition = { type: 'inline', name: 'f', isClass: false, source: '() => 1', uses: undefined } as const
  return {
    kind: 'task',
    id: { owner: self, number },
    attempt: FIRST_ATTEMPT,
    template: {
      key: 'f',
      hash: 'b'.repeat(64) as FunctionHash,
      definition,
      exportName: '',
      name: `task ${number}`,
      job: { driver: self, number: 1 },
      numReturns: 1,
      stream: 0,
      shape: workShape({ resources: [], strategy: 'DEFAULT' }),
      held: [],
      timeoutMs: 0,
      namespace: '',
      actor: undefined,
      isExclusive: false,
    },
    method: '',
    depth: 0,
    dependencies: hasArgument ? [{ place: 0, id: { owner: self, number: 99 } }] : [],
    args,
    isGuest: false,
    ended: () => undefined,
  }
}

interface Bench {
  readonly workers: Workers
  /** What was said of runs, in order. */
  readonly said: string[]
  readonly gathering: ((value: EncodedValue) => void)[]
  crash(): void
}

function bench(): Bench {
  let crash: ((reason: string) => void) | undefined
  const host: WorkerHost = {
    start: () => ({
      port: { post: () => undefined, onFrame: () => undefined, close: () => undefined },
      onEnded: (handler) => (crash = handler),
      terminate: () => said.push('terminated'),
    }),
    close: () => undefined,
  }
  const gathering: ((value: EncodedValue) => void)[] = []
  const objects = { whenHere: (_: unknown, callback: (value: EncodedValue) => void) => gathering.push(callback) }
  const clock: Clock = { now: () => 0, after: () => ({ cancel: () => undefined }) }
  const said: string[] = []
  const workers = new Workers({
    self,
    clock,
    log: silentLog,
    whenMayBegin: (_work, begin) => begin(),
    slots: 8,
    host,
    objects: objects as unknown as Objects,
    spilling: new Spilling({
      table: new ObjectTable(),
      store: undefined,
      limitBytes: 1e9,
      log: silentLog,
      now: () => 0,
    }),
    handlers: {} as SubmitterHandlers,
    submitterGone: () => undefined,
    finished: (run, outcome) => said.push(`${run.work.template.name} ${outcome.kind}`),
    givenBack: ({ template }) => said.push(`${template.name} given back`),
    actorEnded: () => said.push('ended'),
    workerGone: () => said.push('gone'),
  })
  return { workers, said, gathering, crash: () => crash?.('test') }
}

describe('a worker that crashes', () => {
  it('is charged to the run that was in it, not to one that still gathered its arguments', () => {
    const { workers, said, gathering, crash } = bench()
    workers.start(work(1, true), 0)
    workers.start(work(2, false), 0)
    workers.start(work(3, true), 0)
    gathering[1]?.(args)
    crash()
    expect(said).toEqual(['task 2 lost', 'task 1 given back', 'task 3 given back', 'gone'])
  })
})

describe('a run that is cancelled', () => {
  it('[T6] is given back at once while its arguments are gathered, with force too, and its worker goes on', () => {
    const { workers, said } = bench()
    workers.start(work(1, true), 0)
    workers.start(work(2, true), 0)
    for (const [n, run] of [...workers.runs()].entries()) workers.cancel(run, n === 1)
    expect([said, workers.runCount, workers.workerCount]).toEqual([['task 1 given back', 'task 2 given back'], 0, 1])
  })

  it('[T6] ends its worker with force once it is the one that runs; what is behind it is given back', () => {
    const { workers, said } = bench()
    for (const number of [1, 2, 3]) workers.start(work(number, false), 0)
    const [first, second] = [...workers.runs()] as [Run, Run]
    workers.cancel(second, true)
    expect(said).toEqual([])
    workers.done(first.worker.submitter, first.number, 1, { kind: 'values', values: [] })
    expect(said).toEqual(['task 1 values', 'task 2 failed', 'terminated', 'task 3 given back', 'gone'])
    expect([workers.runCount, workers.workerCount]).toEqual([0, 0])
  })

  it('[T6] without force is only told', () => {
    const { workers, said } = bench()
    workers.start(work(1, false), 0)
    for (const run of workers.runs()) workers.cancel(run, false)
    expect([said, workers.runCount]).toEqual([[], 1])
  })
})
