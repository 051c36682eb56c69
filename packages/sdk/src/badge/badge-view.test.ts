import { describe, expect, it } from 'vitest'
import type { Lender } from '../lending-desk.ts'
import type { SessionStatus } from '../session-types.ts'
import { badgeView } from './badge-view.ts'

function lender(words: string | undefined, more: Partial<SessionStatus> = {}): Pick<Lender, 'room' | 'status'> {
  const status = {
    role: 'helper',
    wantsToLend: false,
    slots: 2,
    guestsRunning: 0,
    guestNames: [],
    guestTasksRun: 0,
    guestActors: 0,
    members: [],
    ...more,
  } as unknown as SessionStatus
  return { room: words === undefined ? undefined : { fingerprint: words }, status: () => status }
}

describe('what a badge says', () => {
  it('[SL3] is nothing where nothing could be lent', () => {
    expect(badgeView([]).kind).toBe('none')
    expect(badgeView([lender(undefined), lender('red owl low sun', { role: 'driver' })]).kind).toBe('none')
  })

  it('[SL3] is who asks and a button that starts, before anything is lent', () => {
    expect(badgeView([lender('red owl low sun')])).toMatchObject({
      kind: 'off',
      title: 'Not lending',
      to: 'asked by red owl low sun',
      work: 'Nothing of others runs here',
      button: 'Lend',
    })
  })

  it('[SL3] is how much, to whom, what runs and what was done, with a button that stops', () => {
    const status = { wantsToLend: true, guestsRunning: 3, guestNames: ['step', 'render'], guestTasksRun: 1200 }
    expect(badgeView([lender('red owl low sun', status), lender('another room of words')])).toMatchObject({
      kind: 'lending',
      isRunning: true,
      title: 'Lending 2 cores',
      to: 'to red owl low sun',
      work: 'Running step, render … · 1,200 tasks done',
      button: 'Stop',
    })
  })

  it('[SL5] is why nothing is lent while a limit pauses it, and how much where that is less than the tab has', () => {
    const paused = lender('red owl low sun', { wantsToLend: true, lendingPaused: 'battery' })
    expect(badgeView([paused])).toMatchObject({ kind: 'lending', title: 'Paused: on battery', button: 'Stop' })
    const members = [{ isSelf: true, resources: { CPU: 1 } }] as unknown as SessionStatus['members']
    const limited = lender('another room of words', { wantsToLend: true, members })
    expect(badgeView([paused, limited]).title).toBe('Lending 3 cores')
    expect(badgeView([limited]).title).toBe('Lending 1 core')
  })

  it('[SL3] counts tasks that have no name', () => {
    const status = { wantsToLend: true, guestsRunning: 1, guestNames: ['anonymous'] }
    expect(badgeView([lender('red owl low sun', status)]).work).toBe('Running 1 task')
  })

  it('[SL3] is what still ends, after it was stopped', () => {
    expect(badgeView([lender('red owl low sun', { guestsRunning: 1, guestNames: ['step'] })])).toMatchObject({
      kind: 'off',
      isRunning: true,
      work: '1 task still to end',
    })
    const actors = { guestActors: 2 }
    expect(badgeView([lender('red owl low sun', actors)]).work).toBe('2 actors until their job ends')
    expect(badgeView([lender('red owl low sun', { ...actors, wantsToLend: true })]).work).toBe('Hosting 2 actors')
  })
})
