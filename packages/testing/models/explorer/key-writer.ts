/**
 * Hashes a state while it is written, number by number, into 64 bits: two independent 32-bit hashes of Murmur's kind.
 *
 * Among a million states two different ones share a key with probability 3e-8, among ten million with 3e-6. Such a pair
 * hides a part of the state space; it never makes a false alarm, since every trace is replayed before it is reported.
 */
export class KeyWriter {
  #low = 0
  #high = 0
  #count = 0

  reset(): void {
    this.#low = 0x2545f491
    this.#high = 0x6c078965
    this.#count = 0
  }

  /** @param value an integer of 32 bits */
  add(value: number): void {
    let low = Math.imul(value ^ this.#low, 0xcc9e2d51)
    low = (low << 15) | (low >>> 17)
    this.#low = (Math.imul(low, 0x1b873593) + 0xe6546b64) | 0
    let high = Math.imul(value ^ this.#high, 0x85ebca6b)
    high = (high << 13) | (high >>> 19)
    this.#high = (Math.imul(high, 0xc2b2ae35) + 0x38b34ae5) | 0
    this.#count++
  }

  /** Its length first, so that two lists after each other are told from one list split elsewhere. */
  addAll(values: readonly number[]): void {
    this.add(values.length)
    for (const value of values) this.add(value)
  }

  get low(): number {
    return finished(this.#low ^ this.#count)
  }

  get high(): number {
    return finished(this.#high ^ this.#count)
  }
}

function finished(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
