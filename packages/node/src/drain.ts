import type { Queue } from '@shoal/base'

/** Handles a queue's items one after another, each when the one before says so; a loop, however many say so at once. */
export function drain<T>(queue: Queue<T>, handle: (item: T, goOn: () => void) => void, emptied: () => void): void {
  let isLooping = false
  let isReady = true
  const loop = (): void => {
    isReady = true
    if (isLooping) return
    isLooping = true
    while (isReady) {
      const item = queue.shift()
      if (item === undefined) {
        emptied()
        break
      }
      isReady = false
      handle(item, loop)
    }
    isLooping = false
  }
  loop()
}
