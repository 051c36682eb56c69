import type { Lender } from '../lending-desk.ts'
import type { SessionStatus } from '../session-types.ts'

/** What a badge says, in words. */
export interface BadgeView {
  /** none: no session of this page could lend. */
  readonly kind: 'none' | 'off' | 'lending'
  /** Whether work of other tabs runs here now. */
  readonly isRunning: boolean
  /** Whether anything of other tabs is here, at work or not. */
  readonly hasGuests: boolean
  readonly title: string
  readonly to: string
  readonly work: string
  readonly button: string
  /** The button for those who do not see the rest. */
  readonly buttonLabel: string
}

/** All sessions of a page in one badge. Pure. */
export function badgeView(lenders: Iterable<Pick<Lender, 'room' | 'status'>>): BadgeView {
  const all = [...lenders].map((lender) => ({ words: lender.room?.fingerprint, status: lender.status() }))
  const able = all.filter(({ words, status }) => words !== undefined && status.role !== 'driver')
  const lending = able.filter(({ status }) => status.wantsToLend)
  const shown = lending.length > 0 ? lending : able
  const sum = (of: (status: (typeof able)[number]['status']) => number): number =>
    able.reduce((total, { status }) => total + of(status), 0)
  const running = sum((status) => status.guestsRunning)
  const done = sum((status) => status.guestTasksRun)
  const actors = sum((status) => status.guestActors)
  const names = [...new Set(able.flatMap(({ status }) => status.guestNames))]
  const isLending = lending.length > 0
  const cores = lending.reduce((total, { status }) => total + lentCores(status), 0)
  // All of them, or something is lent still.
  const pause = lending.every(({ status }) => status.lendingPaused !== undefined)
    ? lending[0]?.status.lendingPaused
    : undefined
  return {
    kind: able.length === 0 ? 'none' : isLending ? 'lending' : 'off',
    isRunning: running > 0,
    hasGuests: running + actors > 0,
    title:
      pause !== undefined ? `Paused: ${PAUSES[pause]}` : isLending ? `Lending ${plural(cores, 'core')}` : 'Not lending',
    to: shown.length === 0 ? '' : `${isLending ? 'to' : 'asked by'} ${shown.map(({ words }) => words).join(', ')}`,
    work: isLending ? workOf(running, names, actors, done) : restOf(running, actors, done),
    button: isLending ? 'Stop' : 'Lend',
    buttonLabel: isLending ? 'Stop lending this device’s cores' : 'Lend this device’s cores',
  }
}

const PAUSES = { battery: 'on battery', metered: 'metered network', hidden: 'in the background', data: 'data used up' }

function lentCores({ members, slots }: SessionStatus): number {
  return members.find(({ isSelf }) => isSelf)?.resources['CPU'] ?? slots
}

function workOf(running: number, names: readonly string[], actors: number, done: number): string {
  const known = names.filter((name) => name !== 'anonymous')
  const what = known.length === 0 ? plural(running, 'task') : `${known.join(', ')}${running > known.length ? ' …' : ''}`
  const idle = actors === 0 ? 'Waiting for work' : `Hosting ${plural(actors, 'actor')}`
  const now = running === 0 ? idle : `Running ${what}`
  return done === 0 ? now : `${now} · ${plural(done, 'task')} done`
}

/** What is left of others once lending has ended. */
function restOf(running: number, actors: number, done: number): string {
  const left = [
    ...(running > 0 ? [`${plural(running, 'task')} still to end`] : []),
    ...(actors > 0 ? [`${plural(actors, 'actor')} until ${actors === 1 ? 'its' : 'their'} job ends`] : []),
  ]
  if (left.length > 0) return left.join(', ')
  return done === 0 ? 'Nothing of others runs here' : `${plural(done, 'task')} done`
}

function plural(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`
}
