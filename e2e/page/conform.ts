import * as sdk from '@shoal/sdk'
import { conformanceCases } from '@shoal/testing/conformance'

export interface CaseOutcome {
  readonly title: string
  readonly ms: number
  /** Undefined for a case that passed. */
  readonly error: string | undefined
}

/** A real browser answers within this, or not at all. */
const CASE_LIMIT_MS = 15_000

/** Runs the cases of the suite that a real browser can take, one after another in this page's session. */
export async function conform(tabs: number): Promise<CaseOutcome[]> {
  const cases: { title: string; run: () => Promise<void> }[] = []
  const page = {
    api: sdk,
    tabs,
    now: () => performance.now(),
    pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  }
  conformanceCases((title, run, needs = {}) => {
    if (needs.crashes === true || needs.isSimulatedOnly === true || (needs.isAlone === true && tabs > 1)) return
    cases.push({ title, run: () => run(page) })
  })
  const outcomes: CaseOutcome[] = []
  for (const { title, run } of cases) {
    const startedAt = performance.now()
    const error = await limited(run).then(
      () => undefined,
      (reason: unknown) => (reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)),
    )
    outcomes.push({ title, ms: Math.round(performance.now() - startedAt), error })
  }
  return outcomes
}

async function limited(run: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still open after ${CASE_LIMIT_MS} ms`)), CASE_LIMIT_MS)
  })
  try {
    await Promise.race([run(), late])
  } finally {
    clearTimeout(timer)
  }
}
