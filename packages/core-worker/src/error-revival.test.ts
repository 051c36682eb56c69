import {
  ActorDiedError,
  ActorError,
  argumentFailed,
  ByteReader,
  ByteWriter,
  GetTimeoutError,
  newWireError,
  ObjectLostError,
  OwnerDiedError,
  SerializationError,
  SerializerRegistry,
  ShoalError,
  TaskError,
  ValueEncoder,
  wireError,
} from '@shoal/protocol'
import type { DecodeHooks, WireError } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { captureThrown, reviveError } from './error-revival.ts'

const registry = new SerializerRegistry()
class HttpError extends Error {
  readonly status: number
  readonly body: unknown
  constructor(status: number, body: unknown) {
    super(`answered ${status}`)
    this.status = status
    this.body = body
  }
  get isGone(): boolean {
    return this.status === 410
  }
}
registry.registerError(HttpError, 'app/HttpError')

const encoder = new ValueEncoder({ replace: () => undefined, serializers: () => registry })
const hooks: DecodeHooks = {
  ref: () => {
    throw new Error('no refs in errors')
  },
  extension: () => undefined,
  serializers: () => registry,
}

function sent(wire: WireError): WireError {
  const writer = new ByteWriter()
  wireError.write(writer, wire)
  return wireError.read(new ByteReader(writer.finish()))
}

/** What `get` rejects with in another tab when `thrown` was thrown in task f. */
function arrived(thrown: unknown, taskName = 'f'): TaskError {
  return reviveError(sent(captureThrown(thrown, { taskName, serializers: registry }, encoder)), hooks) as TaskError
}

describe('what a task threw', () => {
  it('[E1] is a TaskError and an instance of what was thrown, with its fields, named after it', () => {
    const error = arrived(Object.assign(new RangeError('too far'), { limit: 3 }))
    expect(error).toBeInstanceOf(TaskError)
    expect(error).toBeInstanceOf(ShoalError)
    expect(error).toBeInstanceOf(RangeError)
    expect(error).not.toBeInstanceOf(TypeError)
    expect([error.name, error.message, error.code]).toEqual([
      'TaskError(RangeError)',
      'f failed: RangeError: too far',
      'task-failed',
    ])
    expect((error as unknown as { limit: number }).limit).toBe(3)
    expect(error.isRetryable).toBe(false)
    expect(error.cause).toBeInstanceOf(RangeError)
    expect(error.cause).not.toBeInstanceOf(TaskError)
    expect(error.cause).toMatchObject({ name: 'RangeError', message: 'too far', limit: 3 })
    expect(arrived(new Error('plain')).name).toBe('TaskError(Error)')
  })

  it('[E2] is made again as its registered class, with methods; a subclass nobody registered as the nearest that is', () => {
    class NotFound extends HttpError {
      override readonly name = 'NotFound'
    }
    const gone = arrived(new HttpError(410, { reason: 'old' }))
    expect(gone).toBeInstanceOf(HttpError)
    expect(gone).toMatchObject({ status: 410, isGone: true, body: { reason: 'old' } })
    expect(gone.cause).toBeInstanceOf(HttpError)
    const lost = arrived(new NotFound(404, null))
    expect(lost.cause).toBeInstanceOf(HttpError)
    expect([lost.name, (lost.cause as Error).name]).toEqual(['TaskError(NotFound)', 'NotFound'])
    class Other extends TypeError {
      override readonly name = 'Other'
    }
    const other = arrived(new Other('x'))
    expect(other).toBeInstanceOf(TypeError)
    expect((other.cause as Error).name).toBe('Other')
  })

  it('[E3] survives several hops with its causes, and each level stays what it was', () => {
    const inner = arrived(new HttpError(500, 1), 'inner')
    const middle = arrived(inner, 'middle')
    const outer = arrived(new Error('wrapped', { cause: middle }), 'outer')
    expect(middle).toBeInstanceOf(HttpError)
    expect(middle.name).toBe('TaskError(Error)')
    expect((middle as unknown as { status: number }).status).toBe(500)
    expect(middle.cause).toBeInstanceOf(TaskError)
    expect((middle.cause as TaskError).cause).toBeInstanceOf(HttpError)
    expect(outer).not.toBeInstanceOf(HttpError)
    const chain = [outer.cause, (outer.cause as Error).cause] as [Error, TaskError]
    expect(chain[0].message).toBe('wrapped')
    expect(chain[1]).toBeInstanceOf(TaskError)
    expect(chain[1].details.taskName).toBe('middle')
    expect(((chain[1].cause as TaskError).cause as HttpError).isGone).toBe(false)
    expect(outer.message).toBe('outer failed: Error: wrapped')
  })

  it('[E3] what a task met in its own calls is its cause, and it is an instance of that', () => {
    const died = new ActorDiedError('actor-died', 'the actor died', { details: { actorId: 'a/1' } })
    const error = arrived(died)
    for (const Class of [TaskError, ActorDiedError, ActorError, ShoalError]) expect(error).toBeInstanceOf(Class)
    expect(error).not.toBeInstanceOf(GetTimeoutError)
    expect(error.code).toBe('task-failed')
    expect(error.cause).toMatchObject({ code: 'actor-died', details: { actorId: 'a/1' }, name: 'ActorDiedError' })
    expect(arrived(error, 'g')).toBeInstanceOf(ActorDiedError)
  })

  it('[E4] may be anything', () => {
    for (const thrown of ['text', 5, null, undefined, { a: [1] }, new Date(5), 10n])
      expect(arrived(thrown).cause).toEqual(thrown)
    expect(arrived(undefined)).toMatchObject({ message: 'f failed: undefined' })
    expect(arrived('text')).toMatchObject({ name: 'TaskError', message: 'f failed: text' })
    expect((arrived(Symbol('s')).cause as Error).message).toBe('Symbol(s)')
    expect((arrived(() => 1).cause as Error).message).toContain('=>')
    const hostile = {
      toString() {
        throw new Error('no')
      },
    }
    expect(arrived(hostile)).toMatchObject({ message: 'f failed: a value that cannot be shown' })
    const all = arrived(new AggregateError([new RangeError('one'), 2], 'all'))
    expect(all).toBeInstanceOf(AggregateError)
    expect((all as unknown as AggregateError).errors).toEqual([expect.any(RangeError), 2])
    const aborted = arrived(new DOMException('stop', 'AbortError'))
    expect(aborted).toBeInstanceOf(DOMException)
    expect(aborted.cause).toMatchObject({ name: 'AbortError', message: 'stop', code: 20 })
  })

  it('[E4] loses only what cannot be sent of it', () => {
    const error = Object.assign(new HttpError(503, new WeakMap()), {
      retry: () => 1,
      wait: 30,
      pending: Promise.resolve(),
      page: new Uint8Array(100_000),
    })
    error.cause = Object.assign(new TypeError('socket'), { port: 80, socket: new WeakSet() })
    const copy = arrived(error).cause as HttpError & { wait: number }
    expect(copy).toBeInstanceOf(HttpError)
    expect([copy.status, copy.wait, copy.message, copy.stack]).toEqual([503, 30, 'answered 503', error.stack])
    expect(Object.keys(copy).sort()).toEqual(['status', 'wait'])
    expect(copy.cause).toMatchObject({ name: 'TypeError', message: 'socket', port: 80 })
    const long = arrived(new RangeError('x'.repeat(200_000)))
    expect(long).toBeInstanceOf(RangeError)
    expect(long.message.length).toBeLessThan(30_000)
    const circular = Object.assign(new Error('round'), { self: {} as unknown, weak: new WeakMap() })
    circular.self = circular
    circular.cause = circular
    expect((arrived(circular).cause as Error).message).toBe('round')
  })

  it('[E4] that was a value which cannot be sent says so itself, with its path and why', () => {
    const error = arrived(
      new SerializationError('not-serializable', 'result.a cannot be sent', { details: { path: 'result.a' } }),
    )
    expect(error.constructor).toBe(SerializationError)
    expect(error).toMatchObject({ code: 'not-serializable', details: { path: 'result.a', taskName: 'f' } })
    // Another task that lets it pass has failed by it.
    expect(arrived(error, 'g')).toMatchObject({ code: 'task-failed', cause: { code: 'not-serializable' } })
  })
})

describe('the chain of tasks', () => {
  it('[E5] names each level that could not be computed, with what failed first as cause', () => {
    const first = captureThrown(new HttpError(410, 1), { taskName: 'b', serializers: registry }, encoder)
    const error = reviveError(sent(argumentFailed(argumentFailed(first, 1, 'a'), 0, 'f')), hooks)
    expect(error.message).toBe(
      'argument 0 of f could not be computed: argument 1 of a could not be computed: b failed: Error: answered 410',
    )
    for (const Class of [TaskError, HttpError]) expect(error).toBeInstanceOf(Class)
    expect(error.cause).toBeInstanceOf(HttpError)
    expect(error.details.taskName).toBe('b')
    expect(error.stack).toMatch(/^TaskError\(Error\): argument 0 of f/)
    expect(error.stack).toContain('error-revival.test')
  })

  it('[E5] a task whose argument was lost has failed, by that loss', () => {
    const lost = newWireError('owner-died', 'the tab that owned it is gone', { objectId: 'x/1' })
    const error = reviveError(sent(argumentFailed(lost, 2, 'f')), hooks)
    for (const Class of [TaskError, OwnerDiedError, ObjectLostError]) expect(error).toBeInstanceOf(Class)
    expect(error).toMatchObject({
      code: 'task-failed',
      name: 'TaskError(OwnerDiedError)',
      message: 'argument 2 of f could not be computed: the tab that owned it is gone',
      cause: { code: 'owner-died', message: 'the tab that owned it is gone', details: { objectId: 'x/1' } },
    })
  })

  it('[E5] a chain without end stays short enough to travel, with both of its ends', () => {
    let error = newWireError('task-failed', 'first failed: Error: no')
    for (let level = 0; level < 2_000; level++) error = argumentFailed(error, 0, `level${level}`)
    const { message } = reviveError(sent(error), hooks)
    expect(message.length).toBeLessThan(5_000)
    expect(message).toMatch(/^argument 0 of level1999 /)
    expect(message).toMatch(/ \[\.\.\.\] .*argument 0 of level0 could not be computed: first failed: Error: no$/)
  })
})

describe('instanceof', () => {
  it('[E6] holds for errors of another copy of the SDK, by name, and for subclasses of a program as usual', () => {
    // As another copy makes it: other classes, the same mark.
    const foreign = Object.assign(new Error('gone'), { name: 'OwnerDiedError', code: 'owner-died' })
    Object.defineProperty(foreign, Symbol.for('shoal.error'), {
      value: ['OwnerDiedError', 'ObjectLostError', 'ShoalError'],
    })
    for (const Class of [OwnerDiedError, ObjectLostError, ShoalError]) expect(foreign).toBeInstanceOf(Class)
    expect(foreign).not.toBeInstanceOf(ActorDiedError)
    class MyTimeout extends GetTimeoutError {}
    expect(new GetTimeoutError('get-timeout', 'x')).not.toBeInstanceOf(MyTimeout)
    const mine = new MyTimeout('get-timeout', 'x')
    expect(mine).toBeInstanceOf(MyTimeout)
    expect(mine).toBeInstanceOf(GetTimeoutError)
    for (const other of [null, undefined, 5, {}, new Error('x'), Object.create(null)])
      expect(other instanceof ShoalError).toBe(false)
  })
})
