/** Tasks run in each of the last seconds: a ring of buckets fed with a counter's readings. */
export class Activity {
  readonly #buckets: number[]
  readonly #bucketMs: number
  #bucket: number | undefined
  #count: number | undefined

  constructor(buckets: number, bucketMs: number) {
    this.#buckets = new Array<number>(buckets).fill(0)
    this.#bucketMs = bucketMs
  }

  /** @param count the counter's reading; it never goes down. */
  add(nowMs: number, count: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs)
    const passed = this.#bucket === undefined ? 0 : Math.max(0, bucket - this.#bucket)
    for (let i = 0; i < Math.min(passed, this.#buckets.length); i += 1) {
      this.#buckets.shift()
      this.#buckets.push(0)
    }
    this.#bucket = bucket
    const last = this.#buckets.length - 1
    this.#buckets[last] = (this.#buckets[last] ?? 0) + Math.max(0, count - (this.#count ?? count))
    this.#count = count
  }

  /** Oldest first. */
  get values(): readonly number[] {
    return this.#buckets
  }
}
