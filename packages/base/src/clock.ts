/** A running timer. `cancel` is idempotent and harmless after it fired. */
export interface Timer {
  cancel(): void
}

/**
 * Time as a port. Everything below `node` takes it as an argument, so that a whole room runs on a simulated clock.
 * `now` is in milliseconds, monotonic within one node, with an arbitrary origin: never compare it between nodes.
 */
export interface Clock {
  now(): number
  /** Calls `callback` once after `delayMs` or later. The callback must not throw. */
  after(delayMs: number, callback: () => void): Timer
}

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. Leaves no timer behind. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(toError(signal.reason))
      return
    }
    const onAbort = (): void => {
      timer.cancel()
      reject(toError(signal?.reason))
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Calls `callback` every `periodMs` until cancelled; the next period starts when the callback returns. */
export function every(clock: Clock, periodMs: number, callback: () => void): Timer {
  let timer = clock.after(periodMs, fire)
  let cancelled = false
  function fire(): void {
    callback()
    if (!cancelled) timer = clock.after(periodMs, fire)
  }
  return {
    cancel() {
      cancelled = true
      timer.cancel()
    },
  }
}

/** An Error for anything that was thrown or given as an abort reason. */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(reason === undefined ? 'aborted' : String(reason))
}
