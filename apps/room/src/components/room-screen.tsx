import type { JSX } from 'preact'
import { DashboardDoor } from '../dashboard/door.tsx'
import { Demos } from '../demos/demos.tsx'
import { usePage } from '../model/page-context.ts'
import { connectedWords, isApart } from '../model/trouble.ts'
import { Help } from './help.tsx'
import { Invite } from './invite.tsx'
import { Ledgers } from './ledgers.tsx'
import { Logo } from './logo.tsx'
import { TroubleStrip } from './notice.tsx'
import { ThisTab } from './this-tab.tsx'
import { WhoIsHere } from './who-is-here.tsx'

/** The room: what runs on the left, who is here on the right; one below the other on a phone. */
export function RoomScreen(): JSX.Element | null {
  const { address, model } = usePage()
  const status = model.status.value
  const room = model.room.value
  const canSubmit = model.canSubmit.value
  if (status === undefined) return null
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to what runs here
      </a>
      <header class="top">
        <Logo />
        <h1>Shoal</h1>
        {room === undefined ? (
          <span class="soft">this tab alone</span>
        ) : (
          <span class="words" title="The room’s fingerprint: the same four words in every tab of this room">
            {room.fingerprint}
          </span>
        )}
        <State />
        <DashboardButton />
      </header>
      <TroubleStrip />
      {address.url.value.view === 'dashboard' && <DashboardDoor />}
      {/* A demo goes on while somebody looks at the dashboard. */}
      <main id="main" class="columns" tabIndex={-1} hidden={address.url.value.view === 'dashboard'}>
        <div class="column">{canSubmit ? <Demos /> : <Help status={status} />}</div>
        <div class="column side">
          {room === undefined && <MakeRoom />}
          {room !== undefined && canSubmit && <Invite link={room.helperLink} />}
          <WhoIsHere status={status} />
          <ThisTab status={status} />
          <Ledgers status={status} />
          {room !== undefined && !canSubmit && <Invite link={room.helperLink} />}
        </div>
      </main>
    </>
  )
}

/** There and back; the page's URL says which. */
export function DashboardButton(): JSX.Element {
  const { address } = usePage()
  const isShown = address.url.value.view === 'dashboard'
  return (
    <button
      type="button"
      class="small"
      onClick={() => address.change({ view: isShown ? undefined : 'dashboard', replay: undefined })}
    >
      {isShown ? 'Back to the room' : 'Dashboard'}
    </button>
  )
}

const STATES = {
  starting: 'starting',
  alone: 'waiting for tabs',
  joining: 'joining',
  connected: 'connected',
  offline: 'offline',
  left: 'left',
} as const

function State(): JSX.Element | null {
  const { model } = usePage()
  const status = model.status.value
  const told = status?.state
  const state = told === 'offline' && model.isEntering.value ? 'joining' : told
  if (status === undefined || state === undefined || model.room.value === undefined) return null
  return (
    <span class={`state ${state}`} role="status">
      {state === 'connected'
        ? connectedWords(status)
        : state === 'alone' && isApart(status)
          ? 'kept apart'
          : STATES[state]}
    </span>
  )
}

/** The fragment is the room's: a link to a place on the page would replace it. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function MakeRoom(): JSX.Element {
  const { model } = usePage()
  return (
    <section class="card" aria-labelledby="alone-title">
      <h2 id="alone-title">More tabs, more cores</h2>
      <p class="soft">This tab works by itself. In a room, others can help.</p>
      <button type="button" class="primary" onClick={() => void model.makeRoom()}>
        Make a room
      </button>
    </section>
  )
}
