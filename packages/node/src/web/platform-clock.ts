import type { Clock } from '@shoal/base'

/** The platform's monotonic clock and timers. In a dedicated worker neither is slowed down in a background tab. */
export const platformClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1))
    return { cancel: () => clearTimeout(timer) }
  },
}
