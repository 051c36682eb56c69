import type { Browser, Page } from 'playwright-core'
import type { NodeLook, NodeProbe } from '../../scripts/lib/node-probe.ts'
import { probeOf } from './probe-of.ts'

const TURNS = 10
/** Of the turns; what is compiled and allocated once belongs to no task. */
const WARM_UP = 3
const LOCAL_TASKS = 100_000
/** Of those that go to another tab, so many more are lent: their records cost more time. */
const LENT_SHARE = 0.2
const SETTLED_MS = 10_000
const LOOK_MS = 300
/** Often enough to see records, which most tasks outlive by milliseconds. */
const WATCH_MS = 40

export interface ManyFigures {
  readonly tasks: number
  readonly perSecond: number
  /** Both ways, over all links of the tab that owns them. */
  readonly bytesATask: number
  /** Of the heap of each tab's node worker. */
  readonly slopes: Readonly<Record<Place, Slope>>
  /** The most records that were left after a turn, wherever they were, and how many a task more they became. */
  readonly records: number
  readonly recordsATask: number
  /** The most that was there while tasks ran. */
  readonly recordsUnderWay: number
  /** Everything else that was left at the end, by name. */
  readonly left: readonly string[]
}

export interface Slope {
  readonly bytesATask: number
  readonly first: number
  readonly last: number
}

const PLACES = ['owner', 'executor', 'onlooker'] as const
type Place = (typeof PLACES)[number]
type Way = 'local' | 'passed' | 'lent'

/** A room of the tab that owns tasks, one that runs them, and one that lends nothing and only keeps records. */
export async function measureManyTasks(
  chrome: Browser,
  url: string,
  tasks: number,
): Promise<Readonly<Record<Way, ManyFigures>>> {
  const pages: Page[] = []
  const open = async (): Promise<Page> => {
    const page = await (await chrome.newContext()).newPage()
    pages.push(page)
    await page.goto(url)
    return page
  }
  try {
    const owner = await open()
    const link = await owner.evaluate(() => bench.createRoom())
    const room = link.replace(/^https?:\/\/[^/]+\//, url)
    const onlooker = await open()
    await onlooker.evaluate((to) => bench.initHelper(to, 0), room)
    const executor = await open()
    await executor.evaluate((to) => bench.initHelper(to, 1, false), room)
    await owner.waitForFunction(() => bench.members() === 3)
    const probes = {
      owner: await probeOf(owner),
      executor: await probeOf(executor),
      onlooker: await probeOf(onlooker),
    }
    const local = await measure(probes, LOCAL_TASKS, (count) => owner.evaluate((n) => bench.runMany(n), count))
    await executor.evaluate(() => bench.lend(true))
    await owner.evaluate(() => bench.holdSlot(3_600_000))
    if ((await owner.evaluate(() => bench.whereTasksRun())) === (await owner.evaluate(() => bench.self())))
      throw new Error('the first task did not run in the other tab')
    const passed = await measure(probes, tasks, (count) => owner.evaluate((n) => bench.runMany(n), count))
    const lent = await measure(probes, tasks * LENT_SHARE, (count) => owner.evaluate((n) => bench.lendMany(n), count))
    return { local, passed, lent }
  } finally {
    await Promise.all(pages.map((page) => page.context().close()))
  }
}

async function measure(probes: Probes, tasks: number, run: (count: number) => Promise<void>): Promise<ManyFigures> {
  const each = Math.ceil(tasks / TURNS)
  const heaps: Record<Place, number[]> = { owner: [], executor: [], onlooker: [] }
  const records: number[] = []
  let [ms, bytes, recordsUnderWay] = [0, 0, 0]
  let base = await settled(probes)
  const first = base
  for (let turn = 0; turn < TURNS; turn++) {
    const start = performance.now()
    let isRunning = true
    const watching = (async () => {
      while (isRunning) {
        recordsUnderWay = Math.max(recordsUnderWay, recordsIn(await lookAt(probes)))
        await new Promise((resolve) => setTimeout(resolve, WATCH_MS))
      }
    })()
    await run(each)
    ms += performance.now() - start
    isRunning = false
    await watching
    const looks = await settled(probes, base)
    bytes += traffic(looks.owner) - traffic(base.owner)
    for (const place of PLACES) heaps[place].push(await probes[place].heapBytes())
    records.push(recordsIn(looks))
    base = looks
  }
  const slopeOf = (place: Place): Slope => {
    const values = heaps[place]
    return { bytesATask: slope(values.slice(WARM_UP)) / each, first: values[WARM_UP] ?? 0, last: values.at(-1) ?? 0 }
  }
  return {
    tasks: each * TURNS,
    perSecond: (each * TURNS * 1000) / ms,
    bytesATask: bytes / (each * TURNS),
    slopes: { owner: slopeOf('owner'), executor: slopeOf('executor'), onlooker: slopeOf('onlooker') },
    records: Math.max(...records),
    recordsATask: slope(records) / each,
    recordsUnderWay,
    left: PLACES.flatMap((place) => leftIn(base[place], first[place]).map((what) => `${place}: ${what}`)),
  }
}

type Probes = Readonly<Record<Place, NodeProbe>>
type Looks = Readonly<Record<Place, NodeLook>>

async function lookAt(probes: Probes): Promise<Looks> {
  const [owner, executor, onlooker] = await Promise.all([
    probes.owner.look(),
    probes.executor.look(),
    probes.onlooker.look(),
  ])
  return { owner, executor, onlooker }
}

/** Waits until nothing is left that was not there before, or for so long as is reasonable: then it is what is left. */
async function settled(probes: Probes, before?: Looks): Promise<Looks> {
  const end = performance.now() + SETTLED_MS
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    const looks = await lookAt(probes)
    const isQuiet = before !== undefined && PLACES.every((place) => leftIn(looks[place], before[place]).length === 0)
    if ((isQuiet && recordsIn(looks) === 0) || before === undefined || performance.now() > end) return looks
  }
}

/** Records of ledgers, at who answers for them and at those that keep them for others. */
function recordsIn(looks: Looks): number {
  return PLACES.reduce((sum, place) => sum + looks[place].records + looks[place].holdings.replicas, 0)
}

function traffic({ status }: NodeLook): number {
  return status.bytesSent + status.bytesReceived
}

function leftIn({ holdings }: NodeLook, before: NodeLook): string[] {
  const kept: Readonly<Record<string, number>> = { ...before.holdings }
  return Object.entries(holdings).flatMap(([name, count]: [string, number]) =>
    name === 'timers' || name === 'workers' || name === 'objectBytes' || count <= (kept[name] ?? 0)
      ? []
      : [`${count - (kept[name] ?? 0)} ${name}`],
  )
}

/** Of the line through values at equal distances, by least squares. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const [over, under] = values.reduce(
    ([top, bottom], value, i) => [top + (i - middle) * (value - mean), bottom + (i - middle) ** 2],
    [0, 0],
  )
  return over / under
}
