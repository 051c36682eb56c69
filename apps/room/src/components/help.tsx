import type { SessionStatus } from '@shoal/sdk'
import type { JSX } from 'preact'
import { formatCount, formatDuration } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'
import { ActivityBars } from './activity-bars.tsx'

/** The main part for a tab that came by a helper's link: what will happen, and the one big button. */
export function Help({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { model } = usePage()
  const room = model.room.value
  if (status.isLending) return <Helping status={status} />
  return (
    <section class="card consent" aria-labelledby="help-title">
      <h2 id="help-title">Lend this device to the room?</h2>
      <p>
        You are invited to {room === undefined ? 'a room' : <strong>{room.fingerprint}</strong>}. If the owner’s screen
        shows the same words, it is the right room. Nothing of it runs here until you start.
      </p>
      <button type="button" class="primary large" onClick={() => model.lend(true)}>
        Start helping
      </button>
      <ul class="plain">
        <li>
          <strong>This device computes for the room.</strong> It may get warm and use its battery. You can stop at any
          time.
        </li>
        <li>
          <strong>The code runs in a sandbox</strong> without network, without storage and without this page.
        </li>
        <li>
          <strong>Tabs talk to each other directly,</strong> so the people here can see this device’s network address.
        </li>
        <li>
          <strong>Only the room’s owner gives work.</strong> Your link lets this tab help, nothing else.
        </li>
      </ul>
    </section>
  )
}

function Helping({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { model } = usePage()
  const isAlone = status.members.length < 2
  return (
    <section class="card consent" aria-labelledby="help-title">
      <h2 id="help-title">{isAlone ? 'Ready to help' : 'Helping'}</h2>
      <p class="big" role="status">
        <strong>{formatCount(status.guestTasksRun)}</strong> {status.guestTasksRun === 1 ? 'task' : 'tasks'} run for the
        room
        <span class="soft">in {formatDuration(status.cpuMs)} of computing</span>
      </p>
      <ActivityBars status={status} />
      <p>
        {isAlone
          ? 'Nobody else is here at the moment. Work starts by itself when the owner comes back.'
          : 'The room’s owner decides what is computed and sees the results. Leave this tab open; on a phone, keep the screen on.'}
      </p>
      <button type="button" class="large" onClick={() => model.lend(false)}>
        Stop helping
      </button>
    </section>
  )
}
