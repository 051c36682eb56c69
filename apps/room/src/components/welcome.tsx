import type { JSX } from 'preact'
import { usePage } from '../model/page-context.ts'
import { Logo } from './logo.tsx'

/** The first screen of a page that was opened without a link. */
export function Welcome(): JSX.Element {
  const { model } = usePage()
  return (
    <main id="main" class="hero">
      <Logo />
      <h1>Shoal joins open browser tabs into one computer.</h1>
      <p>
        Make a room and share its link. Every tab that opens it can lend its cores: nothing to install, no account, and
        the work goes from tab to tab, not through a server.
      </p>
      <div class="actions">
        <button type="button" class="primary large" onClick={() => void model.makeRoom()}>
          Make a room
        </button>
        <button type="button" class="quiet large" onClick={() => void model.workAlone()}>
          Try it in this tab alone
        </button>
      </div>
    </main>
  )
}
