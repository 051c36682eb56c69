/** Changes that no observer tells of, such as opacity, are found this soon. */
const LOOK_EVERY_MS = 400
const LEAST_WIDTH = 40
const LEAST_HEIGHT = 20
const LEAST_RATIO = 0.5
const LEAST_OPACITY = 0.3

/**
 * Whether people can see an element: it is in the document, at least half of it lies within the window (and within every
 * window that this page is embedded in), it is large enough to be read, and nothing around it makes it transparent. A tab
 * in the background keeps what it had: nobody looks at it, and it lends. Whether something covers it is not known.
 * States: stopped <-> watching.
 */
export class ShownWatch {
  readonly #element: Element
  readonly #changed: () => void
  #observer: IntersectionObserver | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #ratio = 0
  #isShown = false

  constructor(element: Element, changed: () => void) {
    this.#element = element
    this.#changed = changed
  }

  get isShown(): boolean {
    return this.#isShown
  }

  start(): void {
    this.stop()
    this.#observer = new IntersectionObserver(
      (entries) => {
        this.#ratio = entries.at(-1)?.intersectionRatio ?? 0
        this.look()
      },
      { threshold: [0, LEAST_RATIO, 1] },
    )
    this.#observer.observe(this.#element)
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
  }

  stop(): void {
    this.#observer?.disconnect()
    this.#observer = undefined
    clearInterval(this.#timer)
    this.#ratio = 0
    this.#set(false)
  }

  look(): void {
    this.#set(this.#observer !== undefined && this.#ratio >= LEAST_RATIO && isPlainToSee(this.#element))
  }

  #set(isShown: boolean): void {
    if (isShown === this.#isShown) return
    this.#isShown = isShown
    this.#changed()
  }
}

function isPlainToSee(element: Element): boolean {
  const { width, height } = element.getBoundingClientRect()
  if (width < LEAST_WIDTH || height < LEAST_HEIGHT) return false
  if (getComputedStyle(element).visibility !== 'visible') return false
  let opacity = 1
  for (let at: Element | undefined = element; at !== undefined; at = outerOf(at)) {
    const style = getComputedStyle(at)
    if (style.display === 'none' || (at !== element && style.contentVisibility === 'hidden')) return false
    opacity *= Number(style.opacity)
  }
  return opacity >= LEAST_OPACITY
}

/** The element around it as it is drawn: through slots and shadow roots. */
function outerOf(element: Element): Element | undefined {
  if (element.assignedSlot !== null) return element.assignedSlot
  if (element.parentElement !== null) return element.parentElement
  const root = element.getRootNode()
  return root instanceof ShadowRoot ? root.host : undefined
}
