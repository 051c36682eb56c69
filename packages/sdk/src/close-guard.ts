/**
 * Has the browser ask before it closes the page, while `isNeeded` was last told true. It listens only then: a page that
 * listens for nothing is kept whole when people go back and forth. Browsers ask only where somebody has touched the page.
 */
export class CloseGuard {
  readonly #page: Pick<Window, 'addEventListener' | 'removeEventListener'>
  #isOn = false

  constructor(page: Pick<Window, 'addEventListener' | 'removeEventListener'>) {
    this.#page = page
  }

  set(isNeeded: boolean): void {
    if (isNeeded === this.#isOn) return
    this.#isOn = isNeeded
    if (isNeeded) this.#page.addEventListener('beforeunload', ask)
    else this.#page.removeEventListener('beforeunload', ask)
  }
}

// The browser's own words are shown, whatever is said here.
function ask(event: BeforeUnloadEvent): void {
  event.preventDefault()
}
