/** Slices are short: messages between them are not late by more than that. */
const SLICE_MS = 4
const SLICES = 9
const ROUNDS = 20_000

/**
 * How fast one core of this device computes, in millions of multiplications and additions a second: the median of a few
 * slices, so that neither a cold compiler nor a neighbour decides. It takes some 40 ms of this worker's time and up to a
 * few times that until it is done. Floating point in plain JavaScript, as most tasks are.
 */
export async function calibrate(
  now: () => number,
  pause: () => Promise<void> = () => new Promise((resolve) => setTimeout(resolve, 0)),
): Promise<number> {
  const rates: number[] = []
  for (let slice = 0; slice < SLICES; slice++) {
    const startMs = now()
    let done = 0
    let ms: number
    do {
      sink = churn(sink)
      done += ROUNDS
      ms = now() - startMs
    } while (ms < SLICE_MS)
    rates.push(done / ms / 1_000)
    await pause()
  }
  rates.sort((a, b) => a - b)
  return Math.round(rates[rates.length >> 1] ?? 0)
}

/** What is computed is kept: a compiler leaves out what nobody reads. */
let sink = 0.5

/** The logistic map: each step needs the one before, as loops of tasks mostly do. */
function churn(from: number): number {
  let x = from
  for (let i = 0; i < ROUNDS; i++) x = 3.99 * x * (1 - x)
  return x
}
