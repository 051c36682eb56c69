import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { messageOf } from '../model/message-of.ts'
import { usePage } from '../model/page-context.ts'
import type { Dashboard as DashboardOf } from './dashboard.tsx'

/** Loads the dashboard when somebody first looks: rooms are mostly for work. */
export function DashboardDoor(): JSX.Element {
  const { address, model } = usePage()
  const [loaded, setLoaded] = useState<{ readonly Dashboard: typeof DashboardOf } | { readonly problem: string }>()
  useEffect(() => {
    let isWanted = true
    import('./dashboard.tsx').then(
      (dashboard) => isWanted && setLoaded({ Dashboard: dashboard.Dashboard }),
      (error: unknown) => isWanted && setLoaded({ problem: messageOf(error) }),
    )
    return () => void (isWanted = false)
  }, [])
  if (loaded === undefined) return <main class="dash-loading">Loading the dashboard</main>
  if ('problem' in loaded) return <main class="dash-loading">The dashboard could not be loaded: {loaded.problem}</main>
  const { Dashboard } = loaded
  return <Dashboard lines={model.lines} replay={address.url.value.replay} room={model.room.value} />
}
