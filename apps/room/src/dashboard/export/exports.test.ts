import { expect, it } from 'vitest'
import { createReplay } from '../model/replay.ts'
import { RunStore } from '../model/run-store.ts'
import { toPerfettoTrace } from './perfetto-trace.ts'
import { toReport } from './report.ts'

async function played(): Promise<RunStore> {
  let now = 1_000_000
  const replay = createReplay({ tabs: 3, perSecond: 300, now: () => now })
  const store = new RunStore()
  for (let turn = 0; turn < 5; turn++) {
    now += 400
    for (const batch of (await replay.listTaskEvents()).batches) store.add(batch)
  }
  return store
}

it('a replay ends as many tasks a second as it was asked for, none over another in its worker', async () => {
  const store = await played()
  expect(Math.abs(store.next / 2 - 300)).toBeLessThan(60)
  const lastEnd = new Map<number, number>()
  for (let seq = 0; seq < store.next; seq++) {
    const lane = store.laneOf(seq)
    expect(store.startOf(seq)).toBeGreaterThanOrEqual(lastEnd.get(lane) ?? 0)
    lastEnd.set(lane, store.endOf(seq))
  }
  expect(lastEnd.size).toBe(12)
})

it('a trace has each run on its worker’s row, and rows are named', async () => {
  const store = await played()
  const { traceEvents, otherData } = toPerfettoTrace(store, () => 'a tab', ['w'])
  const runs = traceEvents.filter(({ ph, tid }) => ph === 'X' && tid % 2 === 0)
  expect(runs.length).toBe(store.next)
  const named = new Set(traceEvents.flatMap(({ ph, pid, tid }) => (ph === 'M' ? [`${pid} ${tid}`] : [])))
  for (const { ts, dur = -1, pid, tid } of traceEvents.filter(({ ph }) => ph === 'X')) {
    expect([Number.isSafeInteger(ts), Number.isSafeInteger(dur), ts >= 0, dur >= 0]).toEqual([true, true, true, true])
    expect(named.has(`${pid} ${tid}`)).toBe(true)
  }
  expect(otherData.warnings).toEqual(['w'])
})

it('a report names nothing outside of itself, and no text of a room becomes markup', async () => {
  const runs = await played()
  const evil = '</script><img src=x onerror=alert(1)>'
  const html = toReport({
    madeAt: new Date(0),
    room: evil,
    runs,
    tables: [{ title: evil, columns: ['a'], rows: [[evil]], total: 9, notes: [evil] }],
    missing: [evil],
    nameOf: () => evil,
    markOf: () => ({ label: 'A', color: '#123456', ink: '#ffffff' }),
  })
  expect(html).not.toContain('<img')
  expect(html.match(/<\/script>/g)?.length).toBe(2)
  expect(html).toContain('1 of 9')
  expect(html).toContain("default-src 'none'")
  expect(html).not.toMatch(/(src|href)=["']?(https?:|\/)/)
})
