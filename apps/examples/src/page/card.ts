export interface CardOptions {
  readonly id: string
  readonly title: string
  readonly about: string
  /** The example's own text, shown on demand. */
  readonly source: string
  readonly action: string
  /** Before and after the button. */
  readonly controls?: readonly HTMLElement[]
  /** Runs when the button is pressed; what it throws is shown. */
  run(card: Card): Promise<void>
}

/** One example on the page. */
export interface Card {
  readonly element: HTMLElement
  /** A sentence below the button, and whatever was there goes. */
  say(text: string, className?: string): void
  /** Elements below the sentence, kept until the next run. */
  show(...elements: readonly HTMLElement[]): void
}

export function createCard(options: CardOptions): Card {
  const element = make('section', { className: 'card', id: options.id })
  const button = make('button', { type: 'button', textContent: options.action })
  const output = make('div', { className: 'output', role: 'status' })
  const results = make('div')
  const controls = make('div', { className: 'controls' })
  controls.append(...(options.controls ?? []), button)
  const code = make('details')
  code.append(
    make('summary', { textContent: 'The code' }),
    // A scrolling region has to be reachable by keyboard.
    make('pre', { textContent: options.source, tabIndex: 0 }),
  )
  element.append(
    make('h2', { textContent: options.title }),
    make('p', { textContent: options.about }),
    controls,
    output,
    results,
    code,
  )
  const card: Card = {
    element,
    say(text, className = '') {
      output.className = `output ${className}`
      output.textContent = text
    },
    show: (...elements) => results.replaceChildren(...elements),
  }
  button.onclick = () => {
    button.disabled = true
    element.dataset['state'] = 'running'
    options.run(card).then(
      () => finish('done'),
      (error: unknown) => {
        card.say(error instanceof Error ? error.message : String(error), 'is-bad')
        finish('failed')
      },
    )
  }
  function finish(state: string): void {
    button.disabled = false
    element.dataset['state'] = state
  }
  return card
}

/** An element with properties. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(tag), properties)
}
