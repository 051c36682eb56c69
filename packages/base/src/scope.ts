/**
 * What a part with a lifetime has to undo when it closes: cleanups run once, last added first.
 * States: open -> closed. Adding to a closed scope runs the cleanup at once.
 */
export class Scope {
  readonly #cleanups: (() => void)[] = []
  readonly #controller = new AbortController()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get isClosed(): boolean {
    return this.#controller.signal.aborted
  }

  add(cleanup: () => void): void {
    if (this.isClosed) this.#run(cleanup)
    else this.#cleanups.push(cleanup)
  }

  close(reason: unknown = new Error('closed')): void {
    if (this.isClosed) return
    this.#controller.abort(reason)
    for (let cleanup = this.#cleanups.pop(); cleanup; cleanup = this.#cleanups.pop()) this.#run(cleanup)
  }

  #run(cleanup: () => void): void {
    try {
      cleanup()
    } catch (error) {
      this.#onError(error)
    }
  }
}
