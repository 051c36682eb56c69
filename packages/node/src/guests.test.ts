import { describe, expect, it } from 'vitest'
import { silentLog } from '@shoal/base'
import { FIRST_ATTEMPT, toResourceSet, ValueEncoder } from '@shoal/protocol'
import type { FunctionHash, NodeId, NodeMessage, RoomId, TaskTemplate } from '@shoal/protocol'
import type { CodeEntry, CodeStore } from './code-store.ts'
import { Guests } from './guests.ts'
import type { Objects } from './objects.ts'

const self = 'a'.repeat(32) as NodeId
const driver = 'b'.repeat(32) as NodeId
const fn = 'c'.repeat(64) as FunctionHash

type Answer = 'admitted' | 'forged' | 'unlisted'

function guestsWith(answers: Answer[], entries: CodeEntry[]) {
  const sent: NodeMessage[] = []
  const asked: string[] = []
  const codes = {
    admit: () => {
      asked.push('grant')
      return Promise.resolve(answers.shift() ?? 'unlisted')
    },
    byHash: () => {
      asked.push('code')
      return entries.shift() ?? { state: { kind: 'pending' }, waiters: [] }
    },
  } as unknown as CodeStore
  const started: string[] = []
  const guests = new Guests({
    self,
    log: silentLog,
    objects: { release: () => undefined } as unknown as Objects,
    codes,
    now: () => 0,
    schedule: (event) => started.push(event.type),
    send: (_, message) => sent.push(message),
    room: () => 'd'.repeat(32) as RoomId,
    isListed: () => Promise.resolve(false),
    namespace: () => undefined,
    takesGuests: () => true,
    canReach: () => true,
    answerer: (owner) => owner,
    endedHere: () => undefined,
    yieldedHere: () => undefined,
  })
  const template = {
    type: 'task.template',
    template: 1,
    job: { driver, number: 1 },
    fn,
    exportName: '',
    name: 'f',
    shape: { resources: toResourceSet({ CPU: 1 }), strategy: 'DEFAULT' },
    held: [],
    numReturns: 1,
    stream: 0,
    maxRetries: 1,
    timeoutMs: 0,
  } as unknown as TaskTemplate
  guests.onTemplate(driver, template)
  const submit = async (): Promise<void> => {
    const args = new ValueEncoder({ replace: () => undefined }).encode([], 'arguments')
    const task = { owner: driver, number: 1, attempt: FIRST_ATTEMPT, depth: 0, streamId: 0 }
    guests.accept(driver, { kind: 'task', template: 1, ...task, dependencies: [], args }, () => undefined)
    await Promise.resolve()
    await Promise.resolve()
  }
  return { submit, asked, started, refusals: () => sent.map((message) => 'error' in message && message.error?.code) }
}

const ready: CodeEntry = {
  state: {
    kind: 'ready',
    hash: fn,
    definition: { type: 'inline', name: 'f', isClass: false, source: '() => 1', uses: undefined },
  },
  waiters: [],
}

describe('admission of a template', () => {
  it('is asked for again after the directory did not list the key, and code is fetched only then', async () => {
    const guests = guestsWith(['unlisted', 'admitted'], [ready])
    await guests.submit()
    expect(guests.refusals()).toEqual(['permission'])
    expect(guests.asked).toEqual(['grant'])
    await guests.submit()
    expect(guests.asked).toEqual(['grant', 'grant', 'code'])
    expect(guests.started).toEqual(['returned', 'guest'])
    await guests.submit()
    expect(guests.asked).toEqual(['grant', 'grant', 'code'])
  })

  it('is refused for good when the signature does not hold', async () => {
    const guests = guestsWith(['forged'], [])
    await guests.submit()
    await guests.submit()
    expect(guests.refusals()).toEqual(['permission', 'permission'])
    expect(guests.asked).toEqual(['grant'])
  })

  it('fetches code once more after it could not be had', async () => {
    const lost: CodeEntry = {
      state: { kind: 'refused', error: { code: 'object-lost' } as never },
      waiters: [],
    }
    const guests = guestsWith(['admitted'], [lost, ready])
    await guests.submit()
    expect(guests.refusals()).toEqual(['object-lost'])
    await guests.submit()
    expect(guests.started).toEqual(['returned', 'guest'])
  })
})
