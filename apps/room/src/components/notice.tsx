import type { JSX } from 'preact'
import { formatBytes, formatDuration, plural } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'
import { sentence, troubleOf } from '../model/trouble.ts'
import { Logo } from './logo.tsx'

/** Shown in place of the room: opening it, could not open it, left it. */
export function ScreenNotice(): JSX.Element | null {
  const { model, address } = usePage()
  const screen = model.screen.value
  if (screen.kind === 'opening') {
    return (
      <main id="main" class="hero" aria-busy="true">
        <Logo />
        <h1>{screen.what} …</h1>
      </main>
    )
  }
  if (screen.kind === 'failed') {
    return (
      <main id="main" class="hero">
        <Logo />
        <h1>{screen.title}</h1>
        <p role="alert">{sentence(screen.message)}</p>
        <div class="actions">
          {screen.canRetry && (
            <button type="button" class="primary large" onClick={() => location.reload()}>
              Try again
            </button>
          )}
          {address.url.value.room === undefined ? (
            <button type="button" class="quiet large" onClick={() => void model.workAlone()}>
              Work in this tab alone
            </button>
          ) : (
            <a class="button quiet large" href={address.server} onClick={startOver}>
              Start without this link
            </a>
          )}
        </div>
      </main>
    )
  }
  if (screen.kind === 'left') {
    const { tasks, cpuMs, bytes } = screen
    return (
      <main id="main" class="hero">
        <Logo />
        <h1>You left the room.</h1>
        {tasks > 0 && (
          <p class="sum">
            This tab computed {plural(tasks, 'task')} for it, {formatDuration(cpuMs)} of CPU, and sent and received{' '}
            {formatBytes(bytes)}. Thank you.
          </p>
        )}
        <p>Nothing of it runs in this tab any more. You can close the tab, or come back.</p>
        <div class="actions">
          <button type="button" class="primary large" onClick={() => location.reload()}>
            Come back
          </button>
          <a class="button quiet large" href={address.server} onClick={startOver}>
            Make another room
          </a>
        </div>
      </main>
    )
  }
  return null
}

// A link that differs in its fragment alone would not load the page.
function startOver(event: Event): void {
  event.preventDefault()
  history.replaceState(null, '', location.pathname + location.search)
  location.reload()
}

/** What is wrong while the room goes on, in one strip; nothing when all is well. */
export function TroubleStrip(): JSX.Element | null {
  const { model } = usePage()
  const stoodStillMs = model.stoodStillMs.value
  const trouble = troubleOf(
    model.status.value,
    model.room.value !== undefined && !model.isEntering.value,
    typeof RTCPeerConnection === 'function',
  )
  if (trouble === undefined && stoodStillMs !== undefined)
    return (
      <div class="strip" role="status">
        <p>
          The browser, or the device’s sleep, paused this tab for {formatDuration(stoodStillMs)}. What others waited for
          runs elsewhere by now; this tab goes on.
        </p>
        <button type="button" onClick={() => model.noticed()}>
          OK
        </button>
      </div>
    )
  if (trouble === undefined) return null
  return (
    <div class="strip" role="status">
      <p>{trouble.text}</p>
      {trouble.helpsToReload && (
        <button type="button" onClick={() => location.reload()}>
          Reload this tab
        </button>
      )}
    </div>
  )
}
