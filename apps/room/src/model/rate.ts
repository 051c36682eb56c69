/** How fast a counter has grown lately: over the last `window` of time, in whatever unit. Fed with samples in order. */
export class Rate {
  readonly #window: number
  #samples: { readonly at: number; readonly count: number }[] = []

  constructor(window: number) {
    this.#window = window
  }

  add(at: number, count: number): void {
    this.#samples.push({ at, count })
    // The newest sample at or before the window's start stays: the growth since then is what is asked for.
    const start = this.#samples.findLastIndex((sample) => sample.at <= at - this.#window)
    if (start > 0) this.#samples = this.#samples.slice(start)
  }

  /** For each unit of `at`; 0 until two samples are in. */
  get value(): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at) return 0
    return (last.count - first.count) / (last.at - first.at)
  }
}
