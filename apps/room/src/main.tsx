/** Puts the page together: the URL, the room, the marks, the runs, and what is drawn of them. */
import { effect } from '@preact/signals'
import { render } from 'preact'
import type { JSX } from 'preact'
import { ScreenNotice } from './components/notice.tsx'
import { DashboardButton, RoomScreen } from './components/room-screen.tsx'
import { Logo } from './components/logo.tsx'
import { Welcome } from './components/welcome.tsx'
import { DashboardDoor } from './dashboard/door.tsx'
import { exposeMachineInterface, startFromUrl } from './machine-interface.ts'
import { HelperTabs } from './model/helper-tabs.ts'
import { SettingsOfLending } from './model/lending-settings.ts'
import { createPageAddress } from './model/page-address.ts'
import { PageContext } from './model/page-context.ts'
import type { Page } from './model/page-context.ts'
import { RoomModel } from './model/room-model.ts'
import { RunBoard } from './model/run-board.ts'
import { TabMarks } from './model/tab-marks.ts'
import './styles/base.css'
import './styles/layout.css'
import './styles/parts.css'

function App({ page }: { readonly page: Page }): JSX.Element {
  const { kind } = page.model.screen.value
  const { view, replay } = page.address.url.value
  const isReplay = view === 'dashboard' && replay !== undefined && kind === 'welcome'
  return (
    <PageContext.Provider value={page}>
      {isReplay ? (
        <ReplayScreen />
      ) : kind === 'welcome' ? (
        <Welcome />
      ) : kind === 'open' ? (
        <RoomScreen />
      ) : (
        <ScreenNotice />
      )}
    </PageContext.Provider>
  )
}

/** A replay needs no room. */
function ReplayScreen(): JSX.Element {
  return (
    <>
      <header class="top">
        <Logo />
        <h1>Shoal</h1>
        <span class="state" />
        <DashboardButton />
      </header>
      <DashboardDoor />
    </>
  )
}

const address = createPageAddress(window)
const settings = new SettingsOfLending()
const helpers = new HelperTabs((url) => window.open(url, '_blank'))
const model = new RoomModel(address, settings)
effect(() => {
  if (model.status.value !== undefined) helpers.look()
})
const page: Page = { address, model, marks: new TabMarks(), runs: new RunBoard(), settings, helpers }
exposeMachineInterface(page, window)
const root = document.getElementById('app')
if (root === null) throw new Error('index.html has no #app')
render(<App page={page} />, root)
// It ends in a screen, whatever happens.
void startFromUrl(page)
