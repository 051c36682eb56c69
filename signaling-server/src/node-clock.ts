import type { Clock } from '@shoal/base'

/** The process's clock. Its timers do not keep the process alive: sockets do. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
