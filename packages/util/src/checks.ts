/** @throws TypeError for what is no number, RangeError for what is below 0 or NaN. */
export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined) return
  if (typeof timeoutMs !== 'number') throw new TypeError(`timeoutMs must be a number, got ${typeof timeoutMs}`)
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must not be negative, got ${timeoutMs}`)
}

/** @throws RangeError naming the option, for what is no whole number from `least` on. */
export function checkWhole(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${option} must be a whole number from ${least} on, got ${value}`)
}
