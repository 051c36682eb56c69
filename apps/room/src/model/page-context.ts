/** What every component of the page may need; made once in main.tsx. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { HelperTabs } from './helper-tabs.ts'
import type { SettingsOfLending } from './lending-settings.ts'
import type { PageAddress } from './page-address.ts'
import type { RoomModel } from './room-model.ts'
import type { RunBoard } from './run-board.ts'
import type { TabMarks } from './tab-marks.ts'

export interface Page {
  readonly address: PageAddress
  readonly model: RoomModel
  readonly marks: TabMarks
  readonly runs: RunBoard
  readonly settings: SettingsOfLending
  readonly helpers: HelperTabs
}

export const PageContext = createContext<Page | undefined>(undefined)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (page === undefined) throw new Error('a component was used outside of the page')
  return page
}
