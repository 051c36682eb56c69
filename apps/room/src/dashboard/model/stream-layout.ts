import type { Lane, RunStore } from './run-store.ts'

export interface StreamRow {
  readonly lane: Lane
  readonly y: number
}

export interface TabBand {
  readonly nodeId: string
  readonly y: number
  readonly height: number
}

export interface StreamLayout {
  readonly rows: readonly StreamRow[]
  readonly bands: readonly TabBand[]
  readonly rowHeight: number
  readonly height: number
  /** Workers that ran nothing since `sinceMs`, and have no row. */
  readonly hidden: number
  /** Changes when a row is another: what was drawn is of no use then. */
  readonly key: string
  /** By lane, its row's top; -1: none. */
  readonly yOf: Int32Array
}

const GAP = 3
const MOST_ROW = 20
const LEAST_ROW = 3

/** Rows for the workers that ran something since `sinceMs`, by tab, as high as all of them fit. */
export function layOut(store: RunStore, sinceMs: number, wantedHeight: number): StreamLayout {
  const running = new Set([...store.open.values()].flatMap((open) => open.map(({ lane }) => lane)))
  const shown = store.lanes.filter(({ lastEndMs, index }) => lastEndMs >= sinceMs || running.has(index))
  const byTab = new Map<string, Lane[]>()
  for (const { nodeId } of store.lanes) if (!byTab.has(nodeId)) byTab.set(nodeId, [])
  for (const lane of shown) byTab.get(lane.nodeId)?.push(lane)
  const tabs = [...byTab].filter(([, lanes]) => lanes.length > 0)
  const room = Math.max(0, wantedHeight - tabs.length * GAP)
  const rowHeight = Math.max(LEAST_ROW, Math.min(MOST_ROW, Math.floor(room / Math.max(1, shown.length))))
  const rows: StreamRow[] = []
  const bands: TabBand[] = []
  const yOf = new Int32Array(store.lanes.length).fill(-1)
  let y = 0
  for (const [nodeId, lanes] of tabs) {
    const top = y
    for (const lane of lanes.sort((a, b) => a.worker - b.worker)) {
      rows.push({ lane, y })
      yOf[lane.index] = y
      y += rowHeight
    }
    bands.push({ nodeId, y: top, height: y - top })
    y += GAP
  }
  const key = `${rowHeight} ${rows.map(({ lane }) => lane.index).join()}`
  return { rows, bands, rowHeight, height: y, hidden: store.lanes.length - shown.length, key, yOf }
}
