/** What the learning curve shows. The arrays grow in place. */
export interface Curve {
  readonly iterations: number[]
  readonly meanReturns: number[]
  /** null where it was not measured. */
  readonly evalReturns: (number | null)[]
  readonly turnouts: Turnout[]
}

/** Tabs that came or went between two iterations. */
export interface Turnout {
  readonly iteration: number
  /** Positive: more than before. */
  readonly change: number
}

export function emptyCurve(): Curve {
  return { iterations: [], meanReturns: [], evalReturns: [], turnouts: [] }
}
