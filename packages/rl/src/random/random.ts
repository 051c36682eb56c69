/** A source of uniform doubles in [0, 1). Environments draw their start states from one, whichever generator is behind it. */
export interface UniformSource {
  nextDouble(): number
}

/** low + (high - low) * u, in exactly this order of operations, as NumPy's `Generator.uniform`. */
export function uniform(source: UniformSource, low: number, high: number): number {
  return low + (high - low) * source.nextDouble()
}
