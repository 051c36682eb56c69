/** What the dashboard's views may need. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { TabMarks } from '../model/tab-marks.ts'
import type { DashboardModel } from './model/dashboard-model.ts'
import type { LineLog } from './model/line-log.ts'

export interface DashboardParts {
  readonly model: DashboardModel
  readonly marks: TabMarks
  readonly lines: LineLog
  /** Undefined in a room; what the replay is of. */
  readonly replay: string | undefined
}

export const DashboardContext = createContext<DashboardParts | undefined>(undefined)

export function useDashboard(): DashboardParts {
  const parts = useContext(DashboardContext)
  if (parts === undefined) throw new Error('a view was used outside of the dashboard')
  return parts
}
