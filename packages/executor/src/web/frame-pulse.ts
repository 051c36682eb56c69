/** One beat a second, and five without an answer: a thread that only echoes is never that late, even on a busy machine. */
const BEAT_MS = 1000
const MISSES = 5

/**
 * Notices that the sandbox frame's process died: nothing else tells. Chromium gives a port no close event and a page no
 * word of a frame that crashed. The answers come from a thread of their own, so neither a busy worker nor a page that
 * blocks its main thread looks dead; beats are counted, not time, so a machine that slept has missed one and not all.
 */
export class FramePulse {
  readonly #port: MessagePort
  readonly #timer: ReturnType<typeof setInterval>
  #missed = 0

  /** Takes ownership of the port. `isNeeded` is asked at each beat; `onSilent` is called once, unless closed before. */
  constructor(port: MessagePort, isNeeded: () => boolean, onSilent: () => void) {
    this.#port = port
    port.addEventListener('message', this.#onAnswer)
    port.start()
    this.#timer = setInterval(() => {
      if (!isNeeded()) return
      if (this.#missed++ < MISSES) {
        port.postMessage(0)
        return
      }
      this.close()
      onSilent()
    }, BEAT_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#port.removeEventListener('message', this.#onAnswer)
    this.#port.close()
  }

  readonly #onAnswer = (): void => {
    this.#missed = 0
  }
}
