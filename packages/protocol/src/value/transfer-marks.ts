// Which objects `transfer` was called with since they were last sent.
const marked = new WeakSet()

export function mark(value: object): void {
  marked.add(value)
}

export function isMarked(value: object): boolean {
  return marked.has(value)
}

/** It was sent: the next time it is copied, unless `transfer` is called again. */
export function unmark(value: object): void {
  marked.delete(value)
}
