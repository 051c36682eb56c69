/**
 * The page's URL as a signal. Writing replaces the entry in the history: a zoom is not a page. A fragment of another room
 * that somebody pastes into the address bar loads the page anew, since a tab is in one room for its life.
 */
import type { FaultRule, InitOptions } from '@shoal/sdk'
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { formatPageUrl, parsePageUrl } from './page-url.ts'
import type { PageUrl } from './page-url.ts'

export interface PageAddress {
  readonly url: ReadonlySignal<PageUrl>
  /** Where the site and its signaling are. */
  readonly server: string
  /** What goes wrong on purpose here, as the query says: `?shoal-faults=` and rules as JSON. @throws Error */
  debugOptions(): Pick<InitOptions, 'debug'>
  /** A room's link on this very page. */
  linkOf(roomPart: string): string
  change(part: Partial<PageUrl>): void
}

export function createPageAddress(page: Window): PageAddress {
  const { location, history } = page
  const here = `${location.origin}${location.pathname}`
  const url = signal(parsePageUrl(location.hash))
  page.addEventListener('hashchange', () => {
    const next = parsePageUrl(location.hash)
    if (next.room !== url.peek().room) location.reload()
    else url.value = next
  })
  return {
    url,
    server: here,
    debugOptions() {
      const text = new URLSearchParams(location.search).get('shoal-faults')
      if (text === null) return {}
      try {
        return { debug: { faults: JSON.parse(text) as FaultRule[] } }
      } catch (error) {
        throw new Error(`?shoal-faults= is no JSON: ${String(error)}`, { cause: error })
      }
    },
    linkOf: (roomPart) => `${here}#room=${roomPart}`,
    change(part) {
      url.value = { ...url.peek(), ...part }
      history.replaceState(null, '', `${location.pathname}${location.search}${formatPageUrl(url.peek())}`)
    },
  }
}
