import { describe, expect, it } from 'vitest'
import { silentLog } from '@shoal/base'
import type { Clock } from '@shoal/base'
import type { WorkerHost } from '@shoal/executor'
import { FIRST_ATTEMPT, ValueEncoder } from '@shoal/protocol'
import type { EncodedValue, FunctionHash, NodeId } from '@shoal/protocol'
import { workShape } from '@shoal/scheduler'
import type { Objects } from './objects.ts'
import type { SubmitterHandlers } from './submitter.ts'
import type { Work } from './work.ts'
import { Workers } from './workers.ts'

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

describe('a worker that crashes', () => {
  it('is charged to the run that was in it, not to one that still gathered its arguments', () => {
    let crash: ((reason: string) => void) | undefined
    const host: WorkerHost = {
      start: () => ({
        port: { post: () => undefined, onFrame: () => undefined, close: () => undefined },
        onEnded: (handler) => (crash = handler),
        terminate: () => undefined,
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
      host,
      objects: objects as unknown as Objects,
      handlers: {} as SubmitterHandlers,
      finished: (run, outcome) => said.push(`${run.work.template.name} ${outcome.kind}`),
      givenBack: ({ template }) => said.push(`${template.name} given back`),
      actorEnded: () => said.push('ended'),
      workerGone: () => said.push('gone'),
    })
    workers.start(work(1, true), 0)
    workers.start(work(2, false), 0)
    workers.start(work(3, true), 0)
    gathering[1]?.(args)
    crash?.('test')
    expect(said).toEqual(['task 2 lost', 'task 1 given back', 'task 3 given back', 'gone'])
  })
})
