import type { LendingPause, SessionStatus } from '@shoal/sdk'
import type { JSX } from 'preact'
import { formatBytes, formatCount, formatDuration } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'
import { ActivityBars } from './activity-bars.tsx'
import { LendingLimits } from './lending-limits.tsx'

/** The main part for a tab that came by a helper's link: what will happen, and the one big button. */
export function Help({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { model } = usePage()
  const room = model.room.value
  if (status.wantsToLend) return <Helping status={status} />
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
      <LendingLimits status={status} />
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

export const PAUSED: Readonly<Record<LendingPause, string>> = {
  battery: 'This device runs on its battery. It goes on when it is plugged in.',
  metered: 'This network is metered, or the browser is to save data. It goes on when that has changed.',
  hidden: 'This tab is in the background. It goes on when you look at it.',
  data: 'The data of this hour is used up. It goes on when there is some again.',
}

function Helping({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { model } = usePage()
  const isAlone = status.members.length < 2
  const paused = status.lendingPaused
  return (
    <section class="card consent" aria-labelledby="help-title">
      <h2 id="help-title">{paused !== undefined ? 'Paused' : isAlone ? 'Ready to help' : 'Helping'}</h2>
      <p class="big">
        <strong>{formatCount(status.guestTasksRun)}</strong> {status.guestTasksRun === 1 ? 'task' : 'tasks'} run for the
        room
        <span class="soft">
          {formatDuration(status.cpuMs)} of computing, {formatBytes(status.bytesSent + status.bytesReceived)} sent and
          received
        </span>
      </p>
      <ActivityBars status={status} />
      <p class="says" role="status">
        {paused !== undefined
          ? `${PAUSED[paused]}${status.guestsRunning > 0 ? ' What runs now ends first.' : ''}`
          : isAlone
            ? 'Nobody else is here at the moment. Work starts by itself when the owner comes back.'
            : 'The room’s owner decides what is computed and sees the results. Leave this tab open; on a phone, keep the screen on.'}
      </p>
      <button type="button" class="large" onClick={() => model.lend(false)}>
        Stop helping
      </button>
      <LendingLimits status={status} />
    </section>
  )
}
