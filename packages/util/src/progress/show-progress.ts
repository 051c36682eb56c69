import { onProgress } from './progress-watch.ts'
import type { OnProgressOptions } from './progress-watch.ts'
import type { Progress } from './progress-list.ts'

/** Where bars are shown. */
export interface ShowProgressOptions extends OnProgressOptions {
  /** Default: the page's console, in lines. */
  readonly element?: HTMLElement
}

/** A bar that is counted has a line in the console so often, and one when it is over. */
const LINE_EVERY_MS = 5_000
const CELLS = 20

/**
 * On a page: shows the progress bars of its tasks and actors in an element, or in lines of the console. The function that is
 * given back ends that, and takes them out of the element.
 *
 * @throws TypeError where there is no page.
 * @example
 * const stop = showProgress({ element: document.querySelector('#progress') })
 */
export function showProgress(options: ShowProgressOptions = {}): () => void {
  const { element, ...rest } = options
  if (element === undefined)
    return onProgress(
      printer((line) => console.info(line)),
      rest,
    )
  const view = new ProgressView(element)
  const stop = onProgress((bars) => view.show(bars), rest)
  return () => {
    stop()
    view.remove()
  }
}

/**
 * A bar as one line of text: `epochs: 45% |#########           | 45 of 100, 0:12, 3.7/s`.
 *
 * @example
 * onProgress((bars) => console.log(bars.map(progressLine).join('\n')))
 */
export function progressLine(bar: Progress): string {
  const { description, total, count, state } = bar
  const said = description === '' ? '' : `${description}: `
  const full = total === undefined || total === 0 ? undefined : Math.min(1, count / total)
  const cells = full === undefined ? 0 : Math.floor(full * CELLS)
  const drawn = full === undefined ? '' : `${Math.floor(full * 100)}% |${'#'.repeat(cells).padEnd(CELLS)}| `
  return `${said}${drawn}${numbers(bar)}${state === 'lost' ? ', lost' : ''}`
}

function numbers({ total, count, elapsedMs, state }: Progress): string {
  const steps = total === undefined ? `${round(count)}` : `${round(count)} of ${round(total)}`
  const rate = elapsedMs > 0 ? (1_000 * count) / elapsedMs : 0
  const left = total === undefined || rate === 0 || state !== 'running' ? 0 : Math.max(0, total - count) / rate
  return `${steps}, ${clock(elapsedMs / 1_000)}${left > 0 ? ` < ${clock(left)}` : ''}, ${round(rate)}/s`
}

function round(value: number): number {
  return Number(value.toPrecision(3)) === value ? value : Number(value >= 100 ? value.toFixed(0) : value.toPrecision(3))
}

/** `1:02:03`, or `2:03`. */
function clock(seconds: number): string {
  const whole = Math.round(seconds)
  const two = (n: number): string => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** Prints a bar every so often while it is counted, and once when it is over. */
export function printer(
  print: (line: string) => void,
  now = () => performance.now(),
): (bars: readonly Progress[]) => void {
  const printed = new Map<string, { atMs: number; bar: Progress }>()
  return (bars) => {
    const known = new Set(bars.map(({ id }) => id))
    for (const id of printed.keys()) if (!known.has(id)) printed.delete(id)
    for (const bar of bars) {
      const last = printed.get(bar.id)
      const isOver = bar.state !== 'running'
      if (last === undefined && !isOver) printed.set(bar.id, { atMs: now(), bar })
      const isNew = isOver ? last?.bar.state !== bar.state : last !== undefined && last.bar !== bar
      if (!isNew || (!isOver && now() - (last?.atMs ?? 0) < LINE_EVERY_MS)) continue
      printed.set(bar.id, { atMs: now(), bar })
      print(progressLine(bar))
    }
  }
}

interface Row {
  readonly row: HTMLElement
  readonly text: HTMLElement
  readonly meter: HTMLProgressElement
}

/** A row a bar: what it is, a `<progress>`, the numbers. What tasks say is text, never markup. */
class ProgressView {
  readonly #list: HTMLElement
  readonly #rows = new Map<string, Row>()

  constructor(element: HTMLElement) {
    this.#list = element.ownerDocument.createElement('div')
    this.#list.className = 'shoal-progress'
    element.append(this.#list)
  }

  show(bars: readonly Progress[]): void {
    const known = new Set(bars.map(({ id }) => id))
    for (const [id, { row }] of this.#rows)
      if (!known.has(id)) {
        row.remove()
        this.#rows.delete(id)
      }
    for (const bar of bars) {
      const { row, text, meter } = this.#rows.get(bar.id) ?? this.#addRow(bar.id)
      row.dataset['state'] = bar.state
      text.textContent = `${bar.description === '' ? '' : `${bar.description}: `}${numbers(bar)}`
      if (bar.total !== undefined && bar.total > 0) {
        meter.max = bar.total
        meter.value = Math.min(bar.total, bar.count)
      } else if (bar.state !== 'running') meter.value = meter.max
    }
  }

  remove(): void {
    this.#list.remove()
  }

  #addRow(id: string): Row {
    const document = this.#list.ownerDocument
    const made = {
      row: document.createElement('div'),
      text: document.createElement('span'),
      meter: document.createElement('progress'),
    }
    made.row.append(made.meter, ' ', made.text)
    this.#list.append(made.row)
    this.#rows.set(id, made)
    return made
  }
}
