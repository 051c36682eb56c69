import { describe, expect, it } from 'vitest'
import { Subject } from './oracle.ts'
import type { CallFacts, SubjectFacts, Told } from './oracle.ts'

const PLAIN: SubjectFacts = {
  title: 'it',
  maxRestarts: 1,
  isConcurrent: false,
  isLight: false,
  isNamed: false,
  isShared: false,
}

/** An actor of whose calls 1 to `calls` none has an outcome yet. */
function called(calls: number, more: Partial<CallFacts> = {}): Subject {
  const subject = new Subject(PLAIN)
  for (let call = 1; call <= calls; call++)
    subject.called({
      call,
      method: 'add',
      retries: 0,
      isRetriedAfterThrow: false,
      isStream: false,
      caller: 'the page',
      ...more,
    })
  return subject
}

const value = (call: number, count: number, serial = 'a'): Told => ({ call, answer: { serial, count, call } })
const error = (call: number, name: string): Told => ({ call, error: name, message: '' })

describe('the oracle of the long run', () => {
  it('finds nothing wrong with calls that ran once each, in their order', () => {
    const subject = called(3)
    for (const call of [1, 2, 3]) subject.settled(value(call, call))
    subject.looked({ serial: 'a', executed: [1, 2, 3] })
    expect(subject.verdict()).toEqual([])
  })

  it('takes a loss that was asked for, and the call that it cost', () => {
    const subject = called(3)
    subject.settled(value(1, 1))
    subject.lose('crash')
    subject.settled(error(2, 'ActorUnavailableError'))
    subject.settled(value(3, 1, 'b'))
    subject.looked({ serial: 'b', executed: [3] })
    expect(subject.verdict()).toEqual([])
  })

  it.each<[fault: string, wrong: (subject: Subject) => void]>([
    ['no outcome of add\\(3\\)', (subject) => [1, 2].forEach((call) => subject.settled(value(call, call)))],
    ['a second outcome of add\\(1\\)', (subject) => [1, 1].forEach((call) => subject.settled(value(call, call)))],
    [
      'add\\(2\\) of the page and add\\(1\\) of the page were both number 1',
      (subject) => [1, 2].forEach((call) => subject.settled(value(call, 1))),
    ],
    ['ran before add\\(1\\)', (subject) => [1, 2].forEach((call) => subject.settled(value(call, 3 - call)))],
    [
      '2 counts of a were given to nobody',
      (subject) => [1, 2, 3].forEach((call) => subject.settled(value(call, call + 2))),
    ],
    [
      '2 incarnations, and it was lost 0 times',
      (subject) => [1, 2].forEach((call) => subject.settled(value(call, 1, `${call}`))),
    ],
    ['failed as of a dead actor', (subject) => subject.settled(error(1, 'ActorDiedError'))],
    ['failed with ActorUnavailableError', (subject) => subject.settled(error(1, 'ActorUnavailableError'))],
    ['nobody cancelled it', (subject) => subject.settled(error(1, 'TaskCancelledError'))],
    ['failed with WorkerCrashedError', (subject) => subject.settled(error(1, 'WorkerCrashedError'))],
    [
      'was given the answer of 9',
      (subject) => subject.settled({ call: 1, answer: { serial: 'a', count: 1, call: 9 } }),
    ],
    ['ran add\\(1\\) of the page 2 times', (subject) => subject.looked({ serial: 'a', executed: [1, 1] })],
    ['ran the call 7, which nobody made', (subject) => subject.looked({ serial: 'a', executed: [7] })],
    [
      'its reply was lost',
      (subject) => {
        subject.lose('crash')
        subject.settled(error(1, 'ActorUnavailableError'))
        subject.looked({ serial: 'b', executed: [1] })
      },
    ],
    [
      'gave a value, though the actor had been killed',
      (subject) => {
        subject.endNow('kill()')
        subject.called({ call: 4, method: 'add', retries: 0, isRetriedAfterThrow: false, isStream: false, caller: 'x' })
        subject.settled(value(4, 1))
      },
    ],
  ])('finds: %s', (fault, wrong) => {
    const subject = called(3)
    wrong(subject)
    expect(subject.verdict().join('\n')).toMatch(new RegExp(fault))
  })
})
