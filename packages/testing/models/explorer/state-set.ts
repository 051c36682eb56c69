import { assert } from '@shoal/base'

const NO_STATE = -1
const FIRST_CAPACITY = 1 << 14
/** A step's place in its state's list takes 16 bits. */
const MAX_STEPS = 0xffff

/**
 * The states met so far, as keys only: 64 bits of hash, the state each was first reached from and by which of its
 * steps. About 26 bytes a state, in typed arrays that double; the states themselves are not kept.
 */
export class StateSet {
  #count = 0
  #low = new Uint32Array(FIRST_CAPACITY)
  #high = new Uint32Array(FIRST_CAPACITY)
  #parents = new Int32Array(FIRST_CAPACITY)
  #steps = new Uint16Array(FIRST_CAPACITY)
  /** Open addressing, at most half full. */
  #slots = new Int32Array(FIRST_CAPACITY * 2).fill(NO_STATE)

  get size(): number {
    return this.#count
  }

  /** @returns the number of a state that is new, undefined for one that is known */
  add(low: number, high: number, parent: number, step: number): number | undefined {
    assert(step <= MAX_STEPS, 'a state has too many steps')
    let slot = low & (this.#slots.length - 1)
    for (;;) {
      const other = this.#slots[slot] ?? NO_STATE
      if (other === NO_STATE) break
      if (this.#low[other] === low && this.#high[other] === high) return undefined
      slot = (slot + 1) & (this.#slots.length - 1)
    }
    const id = this.#count++
    if (id === this.#low.length) this.#grow()
    this.#low[id] = low
    this.#high[id] = high
    this.#parents[id] = parent
    this.#steps[id] = step
    this.#enter(id)
    return id
  }

  /** The places, in each state's list of steps, that lead from the initial state to this one. */
  pathTo(id: number): number[] {
    const path: number[] = []
    for (let at = id; (this.#parents[at] ?? NO_STATE) !== NO_STATE; at = this.#parents[at] ?? NO_STATE) {
      path.push(this.#steps[at] ?? 0)
    }
    return path.reverse()
  }

  #enter(id: number): void {
    let slot = (this.#low[id] ?? 0) & (this.#slots.length - 1)
    while (this.#slots[slot] !== NO_STATE) slot = (slot + 1) & (this.#slots.length - 1)
    this.#slots[slot] = id
  }

  #grow(): void {
    const capacity = this.#low.length * 2
    this.#low = grown(this.#low, new Uint32Array(capacity))
    this.#high = grown(this.#high, new Uint32Array(capacity))
    this.#parents = grown(this.#parents, new Int32Array(capacity))
    this.#steps = grown(this.#steps, new Uint16Array(capacity))
    this.#slots = new Int32Array(capacity * 2).fill(NO_STATE)
    for (let id = 0; id < capacity / 2; id++) this.#enter(id)
  }
}

function grown<T extends Uint32Array | Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from)
  return to
}
