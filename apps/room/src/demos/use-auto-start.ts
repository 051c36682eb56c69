import { useEffect } from 'preact/hooks'
import { usePage } from '../model/page-context.ts'
import type { RunName } from '../model/page-url.ts'

/**
 * Starts a demo by itself once it is seen: in the tab that works alone or made its room, unless a program drives the page or
 * a person stopped it before. Programs that asked for this run get it here, too: by `startWished` where that is another.
 */
export function useAutoStart(name: RunName, start: () => void, startWished = start): void {
  const { model, runs, address } = usePage()
  const isWished = runs.wish.value === name
  useEffect(() => {
    if (isWished && runs.take(name)) startWished()
    // `start` belongs to the panel that is there, whichever rendering made it.
  }, [isWished])

  useEffect(() => {
    if (address.url.peek().run !== undefined || !model.isMaker() || runs.isStopped(name)) return undefined
    const startOnce = (): void => {
      if (document.visibilityState !== 'visible') return
      document.removeEventListener('visibilitychange', startOnce)
      start()
    }
    document.addEventListener('visibilitychange', startOnce)
    startOnce()
    return () => document.removeEventListener('visibilitychange', startOnce)
  }, [])
}
