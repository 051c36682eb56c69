/** What one tab of a test room holds at this moment. All zero in a tab that has nothing to do. */
export interface TabReport {
  readonly name: string
  /** ObjectRefs of the tab's page that were neither released nor collected. */
  readonly refs: number
  /** Objects in the tab's store, its own and copies of others'. */
  readonly objects: number
  readonly bytes: number
  /** Runs in its workers. */
  readonly running: number
  /** Own tasks that wait for a slot or for their arguments. */
  readonly queued: number
  readonly workers: number
  /** Of the node itself, and of the tasks in its workers. */
  readonly timers: number
  readonly taskTimers: number
}

/** What a test room holds at this moment. */
export interface TestRoomReport {
  readonly tabs: readonly TabReport[]
  /** Links between tabs that are open, and connections being made. */
  readonly links: number
}

/** A test room left something behind: `report` says what, and `message` says it in words. */
export class TestRoomLeakError extends Error {
  override readonly name = 'TestRoomLeakError'
  readonly report: TestRoomReport

  constructor(leaks: readonly string[], report: TestRoomReport) {
    super(`the test room left something behind:\n${leaks.map((leak) => `  - ${leak}`).join('\n')}`)
    this.report = report
  }
}

const WORDS: Readonly<Record<Exclude<keyof TabReport, 'name'>, string>> = {
  refs: 'refs that were not released',
  objects: 'objects',
  bytes: 'bytes of objects',
  running: 'tasks that run',
  queued: 'tasks that wait',
  workers: 'workers',
  timers: 'timers',
  taskTimers: 'timers of tasks',
}

/** One line for each figure that is not zero; `ignored` are not looked at. */
export function leaksIn(report: TestRoomReport, ignored: readonly (keyof TabReport)[] = []): string[] {
  const lines = report.tabs.flatMap((tab) =>
    Object.entries(WORDS)
      .filter(([figure]) => !ignored.includes(figure as keyof TabReport))
      .map(([figure, words]) => ({ count: tab[figure as keyof TabReport] as number, words }))
      .filter(({ count }) => count !== 0)
      .map(({ count, words }) => `${tab.name}: ${count} ${words}`),
  )
  return report.links === 0 ? lines : [...lines, `${report.links} links`]
}
