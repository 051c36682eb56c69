import type { LendingTerms } from '@shoal/node/web'
import type { LendingLimits, LendingPauses } from './lending-limits.ts'

/** What the platform's types do not know: the Battery Status API and the Network Information API, of Chromium. */
interface BatteryManager extends EventTarget {
  readonly charging: boolean
}
interface NetworkInformation extends EventTarget {
  readonly saveData?: boolean
  readonly type?: string
}
interface KnowingNavigator {
  getBattery?(): Promise<BatteryManager>
  readonly connection?: NetworkInformation
}

/** What of the browser is looked at. */
export interface LimitSources {
  readonly navigator: KnowingNavigator
  readonly document: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>
}

/** A browser that knows no battery may never say so. */
const PATIENCE_MS = 2_000

type Pause = NonNullable<LendingTerms['pause']>

/**
 * Watches what a page alone sees of its device, and tells what holds for lending: at once when nothing has to be asked,
 * and again after each change. The function given back ends it.
 */
export function watchLimits(
  { pauseWhen = {}, ...limits }: LendingLimits,
  tell: (terms: Omit<LendingTerms, 'isOn'>) => void,
  { navigator, document }: LimitSources = globalThis as unknown as LimitSources,
): () => void {
  const ends: (() => void)[] = []
  const on = (target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>, type: string): void => {
    target.addEventListener(type, look)
    ends.push(() => target.removeEventListener(type, look))
  }
  const { connection } = navigator
  let battery: BatteryManager | undefined
  let isOver = false

  function look(): void {
    if (isOver) return
    const isOnBattery = battery?.charging === false
    const isMetered = connection?.saveData === true || connection?.type === 'cellular'
    const isHidden = document.visibilityState === 'hidden'
    const pause = pauseOf(pauseWhen, isOnBattery, isMetered, isHidden)
    const labels = [
      ...(battery === undefined ? [] : [{ key: 'shoal/power', value: isOnBattery ? 'battery' : 'mains' }]),
      ...(isMetered ? [{ key: 'shoal/network', value: 'metered' }] : []),
    ]
    tell({ ...limits, ...(pause !== undefined && { pause }), labels })
  }

  on(document as EventTarget & Document, 'visibilitychange')
  if (connection !== undefined) on(connection, 'change')
  // Nothing of others runs before it is known whether it may.
  if (navigator.getBattery === undefined) look()
  else {
    const timer = setTimeout(look, PATIENCE_MS)
    ends.push(() => clearTimeout(timer))
    navigator.getBattery().then(
      (found) => {
        clearTimeout(timer)
        if (isOver) return
        battery = found
        on(found, 'chargingchange')
        look()
      },
      // A policy forbids it: as where the browser does not tell.
      look,
    )
  }
  return () => {
    isOver = true
    for (const end of ends.splice(0)) end()
  }
}

function pauseOf(when: LendingPauses, isOnBattery: boolean, isMetered: boolean, isHidden: boolean): Pause | undefined {
  if (when.onBattery === true && isOnBattery) return 'battery'
  if (when.metered === true && isMetered) return 'metered'
  return when.hidden === true && isHidden ? 'hidden' : undefined
}
