/** Whose turn it is in a round robin: whoever had none for longest, and those that never had one first. */
export class Turns {
  readonly #last = new Map<string, number>()
  #count = 0

  took(node: string): void {
    this.#last.set(node, ++this.#count)
  }

  forget(node: string): void {
    this.#last.delete(node)
  }

  /** The nodes in the order of their turns; of those that never had one, the first given is the first. */
  order(nodes: readonly string[]): string[] {
    return [...nodes].sort((a, b) => (this.#last.get(a) ?? 0) - (this.#last.get(b) ?? 0))
  }
}
