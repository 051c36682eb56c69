import { announce, lendingDesk } from '../lending-desk.ts'
import type { Lender, LendingSign } from '../lending-desk.ts'
import { badgeView } from './badge-view.ts'
import type { BadgeView } from './badge-view.ts'
import { BADGE_STYLE } from './badge-style.ts'
import { ShownWatch } from './shown-watch.ts'

const TAG = 'shoal-badge'

/**
 * `<shoal-badge>`: says that this tab lends its cores, to which room, what runs, and has a button that stops it, or starts
 * it. A session lends only while one is shown. One badge stands for all sessions of its page.
 *
 * Attributes: `placement` is `bottom-right` (the default), `bottom-left`, `top-right`, `top-left` or `inline` (where it
 * stands in the page; keep it in view, or lending stops), `theme` is `light` or `dark` (default: the system's), `quiet`
 * keeps it out of sight until lending is wanted: for pages that ask in their own words.
 * Custom properties: `--shoal-badge-background`, `-color`, `-soft-color`, `-border-color`, `-accent`, `-offset`, `-radius`,
 * `-shadow`, `-font`. Parts: `badge`, `title`, `button`.
 */
export interface ShoalBadgeElement extends HTMLElement {
  /** Whether people can see it at this moment, as far as the page can tell. */
  readonly isShown: boolean
}

declare global {
  interface HTMLElementTagNameMap {
    'shoal-badge': ShoalBadgeElement
  }
}

/**
 * Defines `<shoal-badge>`, if nothing has yet. `init` does so by itself; a page calls it that wants to show the element
 * before there is a session. Does nothing outside of a browser.
 *
 * @example
 * // In a page:
 * defineBadge()
 * document.body.append(document.createElement('shoal-badge'))
 */
export function defineBadge(): void {
  if (typeof customElements === 'undefined' || customElements.get(TAG) !== undefined) return
  customElements.define(TAG, createBadgeClass())
}

// Made when it is defined: on a server there is no class to extend.
function createBadgeClass(): CustomElementConstructor {
  return class ShoalBadge extends HTMLElement implements ShoalBadgeElement, LendingSign {
    readonly #parts = createParts(this.attachShadow({ mode: 'open' }))
    readonly #watch = new ShownWatch(this, () => announce(lendingDesk()))
    readonly #heard = new Map<Lender, () => void>()
    #view: BadgeView | undefined

    get isShown(): boolean {
      return this.#watch.isShown
    }

    static readonly observedAttributes = ['quiet']

    attributeChangedCallback(): void {
      if (this.isConnected) this.#draw()
    }

    connectedCallback(): void {
      this.#parts.button.addEventListener('click', this.#onClick)
      const desk = lendingDesk()
      desk.signs.add(this)
      desk.listeners.add(this.#follow)
      this.#follow()
      this.#watch.start()
    }

    disconnectedCallback(): void {
      this.#parts.button.removeEventListener('click', this.#onClick)
      const desk = lendingDesk()
      desk.listeners.delete(this.#follow)
      for (const end of this.#heard.values()) end()
      this.#heard.clear()
      desk.signs.delete(this)
      this.#watch.stop()
      announce(desk)
    }

    readonly #follow = (): void => {
      const { lenders } = lendingDesk()
      for (const lender of lenders) if (!this.#heard.has(lender)) this.#heard.set(lender, lender.onStatus(this.#draw))
      for (const [lender, end] of this.#heard)
        if (!lenders.has(lender)) {
          end()
          this.#heard.delete(lender)
        }
      this.#draw()
    }

    readonly #draw = (): void => {
      const view = badgeView(lendingDesk().lenders)
      const was = this.#view
      this.#view = view
      const { badge, title, to, work, button } = this.#parts
      const isQuiet = this.hasAttribute('quiet') && view.kind === 'off' && !view.hasGuests
      badge.hidden = view.kind === 'none' || isQuiet
      badge.dataset['kind'] = view.kind
      badge.toggleAttribute('data-running', view.isRunning)
      setText(title, view.title)
      setText(to, view.to)
      setText(work, view.work)
      setText(button, view.button)
      if (button.ariaLabel !== view.buttonLabel) button.ariaLabel = view.buttonLabel
      if (was?.kind !== view.kind) this.#watch.look()
    }

    readonly #onClick = (): void => {
      const isOn = this.#view?.kind === 'off'
      for (const lender of lendingDesk().lenders)
        if (lender.room !== undefined && lender.status().role !== 'driver') lender.lend(isOn)
    }
  }
}

interface Parts {
  readonly badge: HTMLElement
  readonly title: HTMLElement
  readonly to: HTMLElement
  readonly work: HTMLElement
  readonly button: HTMLButtonElement
}

function createParts(root: ShadowRoot): Parts {
  const make = <K extends keyof HTMLElementTagNameMap>(
    name: K,
    className: string,
    ...children: Node[]
  ): HTMLElementTagNameMap[K] => {
    const element = document.createElement(name)
    element.className = className
    element.append(...children)
    return element
  }
  const bars = make('span', 'bars', make('i', ''), make('i', ''), make('i', ''))
  bars.ariaHidden = 'true'
  const title = make('p', 'title')
  title.setAttribute('part', 'title')
  // Only what changes rarely is read out.
  title.setAttribute('role', 'status')
  const to = make('p', 'soft')
  const work = make('p', 'soft')
  const button = make('button', 'button')
  button.type = 'button'
  button.setAttribute('part', 'button')
  const badge = make('section', 'badge', bars, make('div', 'text', title, to, work), button)
  badge.setAttribute('part', 'badge')
  badge.ariaLabel = 'Shoal: computing for others'
  badge.hidden = true
  addStyle(root)
  root.append(badge)
  return { badge, title, to, work, button }
}

/** As a sheet where there are such: a page's policy may refuse style elements. */
function addStyle(root: ShadowRoot): void {
  if ('adoptedStyleSheets' in root && typeof CSSStyleSheet === 'function') {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(BADGE_STYLE)
    root.adoptedStyleSheets = [sheet]
    return
  }
  const style = document.createElement('style')
  style.textContent = BADGE_STYLE
  root.append(style)
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}
